"""Settings of the guide, which Sphinx and MyST build.

The command is ``sphinx-build -W -n --keep-going -b html docs OUT``. The build does not use the
network: MathJax comes from the package sphinx-mathjax-offline, the theme uses fonts of the system,
and references to other projects are not links.
"""

import inspect
import re
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from docutils import nodes
from numpy.typing import ArrayLike
from sphinx.application import Sphinx
from sphinx.util.typing import stringify_annotation

import lindmft as lm
from lindmft._internal import types
from lindmft.analysis.sizes import scalings
from lindmft.problem import averages, axes, data, mode_targets, network, spectrum, targets

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "_ext"))

from citations import linked  # noqa: E402 - from docs/_ext
from notebook_pages import write_notebooks  # noqa: E402 - from docs/_ext
from observable_tables import filled  # noqa: E402 - from docs/_ext
from search_words import SearchWords  # noqa: E402 - from docs/_ext

# ---- the project

project = "lindmft"
author = "The lindmft developers"
copyright = "The lindmft developers"  # noqa: A001  (Sphinx wants this name)
release = version = lm.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_gallery", "_build", "explorer"]
highlight_language = "none"
nitpicky = True
smartquotes = False  # options such as --steps have two hyphens

# ---- pages

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# ---- the reference

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
autosummary_generate = False  # the tables of docs/api link to entries on the same page
napoleon_google_docstring = False
napoleon_use_rtype = False

# Types of other projects and of Python, and private types, have no page in the guide.
nitpick_ignore_regex = [
    ("py:.*", r"(numpy|np|xarray|xr|matplotlib|mpl|os|pathlib|contextlib|collections|typing)\..*"),
    ("py:.*", r"(Axes|Executor|NDArray)"),
    ("py:.*", r"lindmft\.([a-z_]+\.)*_.*"),
    ("py:.*", r"lindmft\.results\.observables\..*"),  # the table is shown as pages, not as a class
]

# ---- the look

html_theme = "furo"
html_title = f"lindmft {release}"
html_static_path = ["_static"]
html_css_files = ["guide.css"]
html_extra_path = ["../python/lindmft/explorer/explorer.html"]  # the page of the explorer, one file
html_copy_source = False
html_show_sourcelink = False
pygments_style = "friendly"
pygments_dark_style = "monokai"
copybutton_selector = "div:not(.highlight-text) > div.highlight pre"  # code, not what it prints
copybutton_exclude = ".linenos, .gp, .go"
copybutton_prompt_text = ">>> |\\.\\.\\. |\\$ "
copybutton_prompt_is_regexp = True

# ---- the gallery

GALLERY = DOCS / "_gallery"
PAPER = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10")

sphinx_gallery_conf = {
    "examples_dirs": str(GALLERY),
    "gallery_dirs": "gallery",
    "image_scrapers": ("pictures",),  # docs/_ext/pictures.py
    "filename_pattern": r"plot_",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "nested_sections": False,
    "only_warn_on_example_error": False,
    "default_thumb_file": str(DOCS / "demo.png"),
}

HEADER = """
Figures
=======

{about}
"""

ABOUT = """Each page computes one figure at small settings, with the function that makes it. For
full settings leave out ``quick=True``, or run ``lindmft figure NAME``. Lines are theory, points are
trained networks. The table below a picture shows how well they agree. The first eleven are from the
paper; the others are new."""

SCRIPT = '''"""
{heading}
{line}

{about}

{chosen}
"""

import lindmft as lm

result = lm.figures.get("{name}").make(quick=True)

picture = result.draw()

# %%
# Theory against training. Networks of finite size deviate from the theory by order 1 / D, and the
# error of few networks is itself uncertain. :doc:`/verification` has this table at full settings.

print(result.table())

# %%
# Parameters
# ----------
#
# From ``{module}``; ``make`` takes changes of them by name.
#
# .. code-block:: python
#
{parameters}
'''


def parameters(module: str) -> str:
    """Return the table at the top of a figure's module, between its two marks, as a comment."""
    source = inspect.getsource(import_module(module))
    _, _, rest = source.partition("# --- parameters")
    table, _, _ = rest.partition("# --- end of parameters")
    return "\n".join(f"#     {line}".rstrip() for line in table.strip("\n").splitlines())


def heading(figure: Any) -> str:
    """Return "Figure 3: TITLE" for figures of the paper, and the title for new ones."""
    numbers = {name: f"Figure {name}: " for name in PAPER} | {"table1": "Table 1: "}
    return f"{numbers.get(figure.name, '')}{figure.title}"


def script(figure: Any) -> str:
    """Return the gallery's page of a figure, as a script for sphinx-gallery."""
    title = heading(figure)
    chosen = f"**Chosen here, not printed in the paper.** {figure.chosen}" if figure.chosen else ""
    return SCRIPT.format(
        heading=title,
        line="=" * len(title),
        about=figure.about,
        chosen=chosen,
        module=figure.module,
        parameters=parameters(figure.module),
        name=figure.name,
    )


def write_if_new(path: Path, text: str) -> None:
    """Write a file only if its text is new: sphinx-gallery then repeats only changed scripts."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def write_gallery() -> None:
    """Write a script for each figure, and delete scripts of figures that do not exist any more."""
    GALLERY.mkdir(exist_ok=True)
    found = [lm.figures.get(name) for name in lm.figures.NAMES]
    scripts = {
        f"plot_{number:02}_{figure.name.replace('-', '_')}.py": script(figure)
        for number, figure in enumerate(found, 1)
    }
    header = HEADER.format(about=ABOUT)
    for name, text in {**scripts, "GALLERY_HEADER.rst": header}.items():
        write_if_new(GALLERY / name, text)
    for path in GALLERY.glob("plot_*.py"):
        if path.name not in scripts:
            path.unlink()


write_gallery()
write_notebooks(DOCS.parent / "examples" / "notebooks", DOCS / "notebooks")


# ---- links and docstrings

PAGES = {"../bench/README.md": "performance.md", "../CHANGELOG.md": "changelog.md"}
"""Files of the repository that are pages of the guide, as pages link to them, with their pages."""


def lead_to_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    """Change links to files of the repository that are pages of the guide into links to pages."""
    for target, page in PAGES.items():
        up = "../" * docname.count("/")
        source[0] = source[0].replace(f"]({up}{target})", f"]({up}{page})")


def fill_tables(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the tables of observables into pages that have a place for them."""
    source[0] = filled(source[0])


ATTRIBUTES = re.compile(
    r"^Attributes\n-{3,}\n(.*?)(?=\n\n\S[^\n]*\n-{3,}|\Z)", re.DOTALL | re.MULTILINE
)


def as_definitions(section: re.Match[str]) -> str:
    """Return the attributes of a result as a list of terms; several may share a description."""
    lines = [
        line
        if line.startswith(" ") or not line
        else f"{', '.join(f'``{n}``' for n in line.split(', '))}"
        for line in section[1].splitlines()
    ]
    return "\n".join([".. rubric:: Attributes", "", *lines])


def as_rst(text: str) -> str:
    """Return a docstring as reStructuredText, which would misread some parts of plain text."""
    parts = linked(ATTRIBUTES.sub(as_definitions, text)).split("``")
    # Outside literals, bars are norms, such as |x|^2, and not substitutions.
    return "``".join(p.replace("|", r"\|") if i % 2 == 0 else p for i, p in enumerate(parts))


def prepare_docstring(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Convert a docstring before napoleon reads it."""
    lines[:] = as_rst("\n".join(lines)).splitlines()


def restore_property(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Restore the text of a property: napoleon reads the words before its first colon as a type."""
    if what == "property":
        lines[:] = as_rst(inspect.getdoc(obj) or "").splitlines()


NAMES = {
    "ArrayLike": ArrayLike,
    "Average": averages.Average,
    "SweepAxes": axes.Axes,
    "Data": data.Data,
    "Matrix": targets.Gram,
    "ModeTargets": mode_targets.ModeTargets,
    "Network": network.Network,
    "Problems": Iterable[lm.Problem | Mapping[str, Any]],
    "ProblemLike": lm.Problem | Mapping[str, Any],
    "Scalings": scalings.Scalings,
    "Spectrum": spectrum.Spectrum,
    "Targets": targets.Targets,
    **{name: getattr(types, name) for name in ("Numbers", "Number", "Path", "Callback", "Array")},
}
"""Types that the reference shows by a name, which docs/api/index.md explains."""
WRITTEN = sorted(
    ((stringify_annotation(kind, "smart"), name) for name, kind in NAMES.items()),
    key=lambda pair: -len(pair[0]),
)
"""Types as autodoc writes them, with their names; the longest first: some contain others."""
OTHER_ARRAYS = re.compile(
    r"~numpy\.ndarray\[tuple\[~typing\.Any, \.\.\.\], ~numpy\.dtype\[(.*?)\]\]"
)
ANY_OF_NUMPY = re.compile(r"\[~typing\.Any\]")


def named_types(text: str | None) -> str | None:
    """Return a part of a signature with types by their names."""
    if text is None:
        return None
    for long, short in WRITTEN:
        text = text.replace(long, short)
    return ANY_OF_NUMPY.sub("", OTHER_ARRAYS.sub(r"NDArray[\1]", text))


def is_a_result(obj: Any) -> bool:
    """Whether a class is returned by calls, so that its fields are attributes and no arguments."""
    text = inspect.getdoc(obj) or ""
    return "Attributes\n------" in text and "Parameters\n------" not in text


def shorten_signature(
    app: Sphinx,
    what: str,
    name: str,
    obj: Any,
    options: Any,
    signature: str | None,
    returns: str | None,
) -> tuple[str | None, str | None]:
    """Write types by their names, and leave out the arguments of classes that only calls make."""
    if what == "class" and signature and is_a_result(obj):
        return "", None
    return named_types(signature), named_types(returns)


def skip_inner(
    app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out the method that passes problems to the compiled module: it is not for users."""
    return True if name == "as_core" else None


def public_names() -> dict[str, str]:
    """Return the public names by which the reference lists classes and functions of modules."""
    names: dict[str, str] = {}
    for module in (lm, lm.plotting, lm.analysis, lm.results):
        for name in module.__all__:
            thing = getattr(module, name)
            home = getattr(thing, "__module__", None)
            if isinstance(home, str):
                names.setdefault(f"{home}.{name}", f"{module.__name__}.{name}")
                names.setdefault(name, f"{module.__name__}.{name}")
    return names


def resolve_public(app: Sphinx, env: Any, node: Any, inner: nodes.Node) -> nodes.Node | None:
    """Resolve references to a class by its defining module to its public name."""
    public = public_names().get(node.get("reftarget", ""))
    if node.get("refdomain") != "py" or public is None:
        return None
    found: nodes.Node | None = env.get_domain("py").resolve_xref(
        env, node.get("refdoc", env.docname), app.builder, "obj", public, node, inner
    )
    return found


BACK = re.compile(r'(?<=<a class="viewcode-back" href=")([^"#]*#)lindmft\.([^"]+)')


def lead_back(app: Sphinx, page: str, template: str, context: Any, doctree: Any) -> None:
    """Correct the links from sources back to the reference.

    viewcode assumes one public module for all names of a file. It also lists the compiled module,
    which has no Python source.
    """
    if not page.startswith("_modules/"):
        return
    objects = app.env.domains.python_domain.objects.items()

    def right(link: re.Match[str]) -> str:
        end = f".{link[2]}"
        names = [name for name, entry in objects if name.endswith(end) and not entry.aliased]
        return link[1] + (names[0] if len(names) == 1 else f"lindmft{end}")

    body = BACK.sub(right, context["body"])
    context["body"] = re.sub(r'<li><a href="lindmft/_core\.html">.*?</li>', "", body)


def setup(app: Sphinx) -> None:
    """Connect the functions above to the events of Sphinx."""
    app.add_transform(SearchWords)
    app.connect("source-read", lead_to_pages)
    app.connect("source-read", fill_tables)
    app.connect("autodoc-process-docstring", prepare_docstring, priority=100)
    app.connect("autodoc-process-docstring", restore_property, priority=900)
    app.connect("autodoc-process-signature", shorten_signature)
    app.connect("autodoc-skip-member", skip_inner)
    app.connect("missing-reference", resolve_public)
    app.connect("html-page-context", lead_back)
