"""The notebooks print what they show, and their two forms, text and notebook, are the same."""

import base64
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import jupytext
import pytest
from documents import GUIDE
from notebooks import NOTEBOOKS, drawn, execute, outputs, printed
from outputs import COLUMN, differences

from lindmft.progress import watched

TEXTS = sorted(NOTEBOOKS.glob("*.py"))


def cells(path: Path) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in jupytext.read(path).cells]


def test_every_notebook_is_there_twice() -> None:
    names = [path.stem for path in TEXTS]
    assert len(names) >= 5
    assert names == sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_notebook_and_text_are_the_same(text: Path) -> None:
    """``jupytext --update --to ipynb examples/notebooks/*.py`` makes them equal."""
    notebook = jupytext.read(text.with_suffix(".ipynb"))
    assert cells(text.with_suffix(".ipynb")) == cells(text)
    assert notebook.metadata.kernelspec == jupytext.read(text).metadata.kernelspec
    assert notebook.metadata.jupytext.formats == "ipynb,py:percent"


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_notebooks_carry_their_outputs(text: Path) -> None:
    """`python tests/support/outputs.py examples/notebooks/NAME.ipynb` writes them."""
    notebook = jupytext.read(text.with_suffix(".ipynb"))
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert any(printed(cell) for cell in code)
    assert sum(len(drawn(cell)) for cell in code) >= 2
    for cell in code:
        assert ("plt.show()" in cell.source) == bool(drawn(cell))
        lines = [*cell.source.splitlines(), *printed(cell).splitlines()]
        assert [line for line in lines if len(line) > COLUMN] == []
        for picture in drawn(cell):
            assert len(base64.b64decode(picture)) < 60_000


def test_pages_of_notebooks_show_cells_and_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(GUIDE / "_ext"))
    folder = tmp_path / "notebooks"
    import_module("notebook_pages").write_notebooks(NOTEBOOKS, folder)
    names = sorted(path.stem for path in folder.glob("0*.md"))
    assert names == [path.stem for path in TEXTS]
    for name in names:
        page = (folder / f"{name}.md").read_text()
        for cell in jupytext.read(NOTEBOOKS / f"{name}.ipynb").cells:
            assert cell.source in page
            assert printed(cell).rstrip() in page
        assert page.count("](0") == len(list(folder.glob(f"{name}_*.png"))) >= 2
        assert name in (folder / "index.md").read_text()


@pytest.mark.long
@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_notebooks_print_and_draw_what_they_show(text: Path, tmp_path: Path) -> None:
    executed = jupytext.read(text)
    execute(executed, tmp_path)
    assert [out.text for out in outputs(executed) if out.get("name") == "stderr"] == []
    assert differences(jupytext.read(text.with_suffix(".ipynb")), executed) == []


def test_progress_is_shown_in_notebooks_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An imported ipykernel, as in this process, does not make a notebook."""
    source = "# %%\nfrom lindmft.progress import watched\nprint(watched())"
    notebook = jupytext.reads(source, "py:percent")
    execute(notebook, tmp_path)
    (shown,) = outputs(notebook)
    assert shown.text == "True\n"
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    assert not watched()
