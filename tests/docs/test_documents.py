"""The documents are true: commands run, names exist, versions agree, stubs match."""

import ast
import json
import os
import re
import runpy
import stat
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from documents import ROOT, blocks, guide, links, run_commands

import lindmft as lm
from lindmft import _core
from lindmft.cli.commands import commands

README = (ROOT / "README.md").read_text()
TOUR = (ROOT / "docs" / "tour.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PRESETS = json.loads((ROOT / "CMakePresets.json").read_text())


# ---- README


def test_the_readme_is_one_page() -> None:
    assert len(README.splitlines()) <= 125
    assert max(map(len, README.splitlines())) <= 165
    assert "](docs/tour.md)" in README


def test_the_first_comparison_of_the_readme_ends_in_agreement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = blocks(README, "python")
    exec(compile(block, "README.md, python block", "exec"), {})
    printed = capsys.readouterr().out
    assert "theory against training: dim = 256, 16 networks, 100 steps" in printed
    assert "Theory and training agree: " in printed
    assert (tmp_path / "losses.png").stat().st_size > 20000


@pytest.mark.long
@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_draw_their_pictures(example: Path, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    command = [sys.executable, str(example), str(picture)]
    environment = {**os.environ, "MPLBACKEND": "agg"}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert picture.stat().st_size > 20000


@pytest.mark.long
def test_the_tour_of_the_commands_runs(tmp_path: Path) -> None:
    """The blocks of commands run unchanged in a folder that contains the examples."""
    printed = "".join(run_commands(block, tmp_path) for block in blocks(TOUR, "sh"))
    assert "theory against training: dim = 256, 16 networks, 100 steps" in printed
    assert "Theory and training agree: " in printed
    assert f"lindmft          {lm.__version__}" in printed
    for name in ("theory.png", "compare.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert len(lm.Solution.load(tmp_path / "theory.nc").time) == 100
    assert len(lm.Ensemble.load(tmp_path / "runs.nc").seeds) == 16


def test_the_two_commands_are_marked_once_each() -> None:
    """Continuous integration runs the blocks after these markers, character for character."""
    script = runpy.run_path(str(ROOT / ".ci" / "readme_commands.py"))
    assert script["MARKERS"] == ("run", "test")
    assert set(re.findall(r"<!-- command: (\w+) -->", README)) == {"run", "test"}
    assert script["command"]("run").endswith("&& lindmft demo")
    assert script["command"]("test").endswith("&& python -m pytest")
    with pytest.raises(SystemExit, match="one block"):
        script["command"]("absent")
    for extra in re.findall(r'pip install "\.\[([a-z,]+)\]"', README + CONTRIBUTING):
        assert set(extra.split(",")) <= PYPROJECT["project"]["optional-dependencies"].keys()


PAGES = [
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "bench/README.md"),
    *sorted(str(page.relative_to(ROOT)) for page in guide()),
]
HOSTS = {"arxiv.org", "distributed.dask.org", "jobqueue.dask.org", "semver.org", "zarr.dev"}
"""Sites that pages may link to."""


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files(name: str) -> None:
    """The check of the built guide covers fragments, and links that Sphinx makes."""
    inside = [target for target in links((ROOT / name).read_text()) if "://" not in target]
    for target in inside:
        path = target.partition("#")[0]
        assert ((ROOT / name).parent / path).exists(), target


def test_links_to_other_sites_are_few_and_well_formed() -> None:
    """The test finds mistyped addresses; it does not use the network."""
    found = set()
    for name in PAGES:
        text = (ROOT / name).read_text()
        outside = [target for target in links(text) if "://" in target]
        assert len(outside) == len(re.findall(r"\bhttps?://", text)), f"a bare address in {name}"
        for target in outside:
            address = urlsplit(target)
            assert (address.scheme, address.query) == ("https", ""), target
            assert re.fullmatch(r"[\w./-]*", address.path), target
            found.add(address.netloc)
    assert found == HOSTS


# ---- CONTRIBUTING


def table(heading: str) -> list[list[str]]:
    """Return the rows below the heading of a table, cell by cell."""
    rows = CONTRIBUTING.partition(f"{heading}\n")[2].partition("\n\n")[0].splitlines()
    assert rows, f"no table {heading}"
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1:]]


COMMANDS = " && ".join(
    "".join(re.findall(r"`([^`]+)`", row[1])) for row in table("| what | command |")
).split(" && ")


def arguments(start: str) -> list[list[str]]:
    """Return the arguments of every command with this start."""
    return [
        command.removeprefix(start).split() for command in COMMANDS if command.startswith(start)
    ]


def preset_names(kind: str) -> set[str]:
    return {preset["name"] for preset in PRESETS[kind] if not preset.get("hidden")}


def paths(text: str) -> set[str]:
    """Return the files and folders of the repository that a text names in backticks."""
    named = set(re.findall(r"`([\w./-]+)`", text))
    return {path for path in named if "/" in path or (ROOT / path).is_dir()}


def test_rooms_exist() -> None:
    for rooms, _ in table("| room | holds |"):
        found = re.findall(r"`([^`]+)`", rooms)
        assert found
        assert all((ROOT / room).is_dir() for room in found), rooms


def test_every_folder_of_source_is_a_room() -> None:
    named = paths(" ".join(row[0] for row in table("| room | holds |")))
    for parent in ("cpp/src", "python/lindmft"):
        folders = {path for path in (ROOT / parent).iterdir() if path.is_dir()}
        folders -= {path for path in folders if path.name == "__pycache__"}
        assert {path.relative_to(ROOT).as_posix() for path in folders} <= named


def test_recipes_name_files_that_exist() -> None:
    recipes = CONTRIBUTING.partition("## Recipes\n")[2].partition("\n## ")[0]
    assert [path for path in sorted(paths(recipes)) if not (ROOT / path).exists()] == []
    for word in ("option", "observable", "architecture", "kind of data", "command", "figure"):
        assert f"**A {word}" in recipes or f"**An {word}" in recipes


def test_every_command_is_of_a_known_kind() -> None:
    """The tests below then cover all commands."""
    known = (
        ".ci/",
        "tests/cpp/consumer/run.sh ",
        "python tests/fuzz/",
        "python tests/support/",
        "python -m pytest",
        "nox",
        "cmake --workflow --preset ",
        "cmake --build --preset ",
        "cmake --preset ",
        "build/bench/",
        "build/fuzz/",
        "python bench/",
        "python .ci/",
        "env PYTHONPATH=python lint-imports",
        "sphinx-build ",
        "jupytext ",
        "lindmft bench",
        "lindmft figure all ",
        "lindmft verify",
        "pre-commit run",
    )
    assert len(COMMANDS) >= 9
    assert [command for command in COMMANDS if not command.startswith(known)] == []


def test_scripts_exist() -> None:
    for folder in ("bench", ".ci", "tests/fuzz", "tests/support"):
        scripts = arguments(f"python {folder}/")
        assert scripts
        for script, *_ in scripts:
            assert (ROOT / folder / script).is_file()
    for folder in (".ci", "tests/cpp/consumer"):
        programs = arguments(f"{folder}/")
        assert programs
        for program, *_ in programs:
            assert (ROOT / folder / program).stat().st_mode & stat.S_IXUSR


def test_continuous_integration_builds_the_guide_as_the_page_says() -> None:
    (options,) = arguments("sphinx-build ")
    *options, source, target = options
    script = (ROOT / ".ci" / "run").read_text()
    (build,) = re.findall(r"^sphinx-build (.*)$", script, flags=re.MULTILINE)
    assert set(options) <= set(build.split())
    assert (ROOT / source / "conf.py").is_file()
    assert f"{target}/\n" in (ROOT / ".gitignore").read_text()
    assert f"python .ci/check_links.py {target}" in COMMANDS


def test_notebooks_are_where_the_page_says() -> None:
    ((*options, texts),) = arguments("jupytext ")
    assert options == ["--update", "--to", "ipynb"]
    assert list(ROOT.glob(texts))


def test_the_check_of_links_notices_what_is_gone(tmp_path: Path) -> None:
    check = [sys.executable, str(ROOT / ".ci" / "check_links.py"), str(tmp_path)]
    (tmp_path / "b.html").write_text('<h1 id="here">b</h1>')
    page = '<a href="b.html#here">b</a> <a href="https://a.b/c">c</a> <img src="{}">'
    for target, message in [
        ("b.html", ""),
        ("gone.png", "gone.png: no such file"),
        ("b.html#gone", "b.html#gone: no such anchor"),
        ("#gone", "#gone: no such anchor"),
    ]:
        (tmp_path / "a.html").write_text(page.format(target))
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        assert done.returncode == bool(message)
        assert done.stderr == (f"{tmp_path / 'a.html'}: {message}\n" if message else "")


def test_presets_exist() -> None:
    for start, kind in (
        ("cmake --workflow --preset ", "workflowPresets"),
        ("cmake --build --preset ", "buildPresets"),
        ("cmake --preset ", "configurePresets"),
    ):
        used = arguments(start)
        assert used
        assert {name for (name,) in used} <= preset_names(kind)


def test_presets_refer_to_presets() -> None:
    configure = preset_names("configurePresets")
    for preset in (*PRESETS["buildPresets"], *PRESETS["testPresets"]):
        assert preset["configurePreset"] in configure
    for workflow in PRESETS["workflowPresets"]:
        for step in workflow["steps"]:
            assert step["name"] in preset_names(f"{step['type']}Presets")


def test_programs_are_built_where_the_page_says() -> None:
    base = next(entry for entry in PRESETS["configurePresets"] if entry["name"] == "base")
    assert base["binaryDir"] == "${sourceDir}/build/${presetName}"
    programs = [command.split()[0] for command in COMMANDS if command.startswith("build/")]
    assert len(programs) == 2
    for program in programs:
        _, preset, *folders, target = program.split("/")
        assert preset in preset_names("configurePresets")
        lists = ROOT.joinpath(*folders, "CMakeLists.txt").read_text()
        assert f"add_executable({target} " in lists


def test_subcommands_exist() -> None:
    """All subcommands and options in pages exist, also those in sentences and for clusters."""
    for name in PAGES:
        text = re.sub(r"\\\n", " ", (ROOT / name).read_text())
        for line in re.findall(r"(?:^|`|&& )lindmft ([a-z][^`\n|&]*)", text, flags=re.MULTILINE):
            subcommand, *words = line.split()
            assert subcommand in commands.commands, f"{name}: {line}"
            known = {o for p in commands.commands[subcommand].params for o in p.opts}
            assert {word for word in words if word.startswith("--")} <= known, f"{name}: {line}"


def test_nox_sessions_exist() -> None:
    tree = ast.parse((ROOT / "noxfile.py").read_text())
    sessions = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any(ast.unparse(decorator) == "nox.session" for decorator in node.decorator_list)
    }
    (chosen,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "nox.options.sessions"
    ]
    assert set(chosen) == {"newest", "oldest"} <= sessions
    for options in arguments("nox"):
        assert options == []


def test_the_oldest_session_has_every_lower_bound() -> None:
    """The lower bounds for users, builds and tests are all written in one place."""
    bounds = runpy.run_path(str(ROOT / ".ci" / "lower_bounds.py"))["lower_bounds"]()
    pinned = dict(bound.split("==") for bound in bounds)
    tables, extras = PYPROJECT["project"], PYPROJECT["project"]["optional-dependencies"]
    promised = PYPROJECT["build-system"]["requires"] + tables["dependencies"]
    for extra in ("all", "dask", "test"):
        for requirement in extras[extra]:
            inside = re.fullmatch(r"lindmft\[(.*)\]", requirement)
            promised += [requirement] if not inside else []
            promised += [r for e in (inside[1].split(",") if inside else []) for r in extras[e]]
    for requirement in promised:
        if not requirement.startswith("lindmft["):
            name, bound = requirement.split(">=")
            assert pinned[name] == bound, requirement
    source = (ROOT / "noxfile.py").read_text()
    assert ".ci/lower_bounds.py" in source
    assert "==" not in source, "a second list"


def test_what_a_wheel_must_have_is_there() -> None:
    script = runpy.run_path(str(ROOT / ".ci" / "check_dist.py"))
    assert len(script["NEEDED"]) >= 5
    for name in script["NEEDED"]:
        assert (ROOT / "python" / "lindmft" / name).is_file(), name


def test_weekly_jobs_exist() -> None:
    """Each job is a session, a script with a known argument, or a command with existing files."""
    weekly = (ROOT / ".ci" / "weekly").read_text()
    (listed,) = re.findall(r"^jobs=\(\n(.*?)^\)", weekly, flags=re.MULTILINE | re.DOTALL)
    jobs = dict(line.strip().strip('"').split(maxsplit=1) for line in listed.splitlines())
    assert {"newest", "oldest", "wheel", "asan", "tsan", "valgrind"} <= jobs.keys()
    sessions = re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    for command in jobs.values():
        program, *arguments = command.split()
        if program == "nox":
            assert arguments[0] == "-s"
            assert arguments[1] in sessions
        elif program == "python":
            files = [name for name in arguments if name.startswith(("bench/", "tests/"))]
            assert files
            assert all((ROOT / file).exists() for file in files)
        elif program == "lindmft":
            options = {o for p in commands.commands[arguments[0]].params for o in p.opts}
            assert {word for word in arguments if word.startswith("--")} <= options
        else:
            script = ROOT / program
            assert script.stat().st_mode & stat.S_IXUSR
            for argument in arguments:
                assert argument in script.read_text()


def test_what_sanitizers_are_to_run_exists() -> None:
    """Every name in a filter exists: a filter ignores unknown names without a message."""
    script = (ROOT / ".ci" / "sanitize").read_text()
    few = re.findall(r"(?<=[=:])([A-Z]\w+\.[A-Z]\w+)", script)
    assert len(few) >= 8
    sources = "".join(path.read_text() for path in (ROOT / "tests" / "cpp").rglob("test_*.cpp"))
    known = re.findall(r"^TEST(?:_F)?\((\w+), (\w+)\)", sources, flags=re.MULTILINE)
    assert {tuple(name.split(".")) for name in few} <= set(known)
    files = re.findall(r"\btests/\w+/test_\w+\.py", script)
    assert files
    assert all((ROOT / file).is_file() for file in files)
    assert {"asan", "tsan", "valgrind"} <= preset_names("configurePresets")


def test_hooks_come_from_the_lint_extra() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    entries = [hook["entry"] for repo in config["repos"] for hook in repo["hooks"]]
    hooks = {re.sub(r"^env \S+=\S+ ", "", entry).split()[0] for entry in entries}
    lint = PYPROJECT["project"]["optional-dependencies"]["lint"]
    tools = {re.split("[=>]", requirement)[0] for requirement in lint}
    assert hooks <= tools | {"cmake-format", "lint-imports"}  # of cmakelang and import-linter
    assert {"cmakelang", "import-linter", "pre-commit", "nox"} <= tools


# ---- versions, stubs


def test_the_version_is_the_same_everywhere() -> None:
    cmake = (ROOT / "CMakeLists.txt").read_text()
    project = re.search(r"project\([^)]*VERSION\s+([\d.]+)", cmake)
    assert project
    assert project[1] == lm.__version__
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == lm.__version__
    try:
        installed = metadata.version("lindmft")
    except metadata.PackageNotFoundError:
        return  # run from the sources
    assert installed == lm.__version__


def test_the_build_finds_the_version() -> None:
    """pyproject.toml reads the version from CMakeLists.txt by this pattern."""
    source = PYPROJECT["tool"]["scikit-build"]["metadata"]["version"]
    found = re.search(source["regex"], (ROOT / source["input"]).read_text(), flags=re.MULTILINE)
    assert found
    assert found["value"] == lm.__version__


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert versions[0] == lm.__version__


def stub_names(tree: ast.Module) -> set[str]:
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    values = {ast.unparse(node.target) for node in tree.body if isinstance(node, ast.AnnAssign)}
    return functions | classes | values


def test_the_stub_names_what_the_compiled_module_has() -> None:
    stub = ast.parse((Path(lm.__file__).parent / "_core.pyi").read_text())
    public = {name for name in vars(_core) if not name.startswith("_")} | {"__version__"}
    assert stub_names(stub) == public
    for node in stub.body:
        if (
            isinstance(node, ast.ClassDef)
            and ast.unparse(node.bases[0] if node.bases else node) == "Enum"
        ):
            members = {
                ast.unparse(entry.targets[0])
                for entry in node.body
                if isinstance(entry, ast.Assign)
            }
            assert members == set(getattr(_core, node.name).__members__)


def test_stub_and_module_agree_on_arguments() -> None:
    """Arguments agree with the signatures that pybind11 writes into docstrings."""
    stub = ast.parse((Path(lm.__file__).parent / "_core.pyi").read_text())
    for node in stub.body:
        if isinstance(node, ast.FunctionDef) and not node.decorator_list:
            promised = [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
            signature = (getattr(_core, node.name).__doc__ or "").partition("\n")[0]
            assert re.findall(r"(?<![.\w])(\w+): ", signature.partition("->")[0]) == promised, (
                node.name
            )
