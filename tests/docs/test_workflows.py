"""Workflows of the forge, wheels and the recipe say what the scripts and pyproject.toml say."""

import re
import shlex
import stat
import tomllib
from typing import Any

import pytest
import yaml
from documents import ROOT

FOLDER = ROOT / ".github" / "workflows"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
BUILDER = PYPROJECT["tool"]["cibuildwheel"]
RECIPE: dict[str, Any] = yaml.safe_load((ROOT / ".ci" / "conda" / "recipe.yaml").read_text())
BLAS = "scipy-openblas32"


def workflow(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yml").read_text())
    read["on"] = read.pop(True)  # YAML 1.1 reads the key as a truth value
    return read


def commands(name: str) -> list[list[str]]:
    """Return the words of every command line of a workflow."""
    steps = [step for job in workflow(name)["jobs"].values() for step in job["steps"]]
    lines = [line for step in steps for line in step.get("run", "").splitlines()]
    return [shlex.split(part) for line in lines for part in line.split("&&")]


def requirements(names: list[Any]) -> dict[str, str]:
    """Return the lower bounds of a recipe's requirements, without those of a single system."""
    words = [name.split() for name in names if isinstance(name, str)]
    return {name: bound[0] if bound else "" for name, *bound in words}


def bounds(names: list[str]) -> dict[str, str]:
    """Return the lower bounds of Python requirements."""
    return {name: f">={bound}" for name, bound in (need.split(">=") for need in names)}


def test_there_are_workflows_for_tests_wheels_and_the_guide() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {"tests", "wheels", "guide"}


@pytest.mark.parametrize("name", ["tests", "wheels", "guide"])
def test_workflows_call_scripts_that_exist(name: str) -> None:
    called = commands(name)
    assert called
    for words in called:
        if words[0].startswith(".ci/"):
            assert (ROOT / words[0]).stat().st_mode & stat.S_IXUSR, words
        for word in words[1:]:
            if word.startswith(".ci/"):
                assert (ROOT / word).is_file(), words
        for extra in re.findall(r"^\.\[(.*)\]$", words[-1]):
            assert set(extra.split(",")) <= PROJECT["optional-dependencies"].keys()


@pytest.mark.parametrize("name", ["tests", "wheels", "guide"])
def test_jobs_need_jobs_that_exist_and_read_alone(name: str) -> None:
    read = workflow(name)
    assert read["permissions"] == {"contents": "read"}
    for job, content in read["jobs"].items():
        assert set(content.get("needs", [])) <= read["jobs"].keys()
        assert ("permissions" in content) == (job == "publish")
        for step in content["steps"]:
            assert ("uses" in step) != ("run" in step)


def test_only_tags_and_the_main_branch_are_published() -> None:
    for name, events in [("wheels", {"tags": ["v*"]}), ("guide", {"branches": ["main"]})]:
        read = workflow(name)
        assert read["on"]["push"] == events
        assert read["jobs"]["publish"]["if"] == "github.event_name == 'push'"


def test_portability_has_the_jobs_that_are_called() -> None:
    script = (ROOT / ".ci" / "portability").read_text()
    (known,) = re.findall(r"^known=\((.*)\)$", script, flags=re.MULTILINE)
    for job in known.split():
        assert f"run_{job}() {{" in script
        assert f"#   .ci/portability {job} " in script
    matrix = workflow("tests")["jobs"]["portability"]["strategy"]["matrix"]
    assert set(matrix["job"]) <= set(known.split())
    weekly = (ROOT / ".ci" / "weekly").read_text()
    assert re.findall(r"\.ci/portability (\w+)\"", weekly) == known.split()


def test_the_guide_is_built_as_in_continuous_integration() -> None:
    (build,) = [words for words in commands("guide") if words[0] == "sphinx-build"]
    line = re.search(r"^sphinx-build (.*)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert line is not None
    options = {word for word in build[1:-2] if not word.startswith("docs/_build")}
    assert options <= set(line[1].split())


def test_wheels_are_built_for_the_pythons_that_are_declared() -> None:
    prefix = "Programming Language :: Python :: 3."
    minors = [c.removeprefix(prefix) for c in PROJECT["classifiers"] if c.startswith(prefix)]
    assert BUILDER["build"] == " ".join(f"cp3{minor}-*" for minor in minors)
    assert PROJECT["requires-python"] == f">=3.{minors[0]}"
    tests = workflow("tests")["jobs"]["tests"]["strategy"]["matrix"]["include"]
    assert {f"3.{minor}" for minor in minors} == {row["python"] for row in tests}


def test_wheels_are_built_and_tested_on_the_same_systems() -> None:
    jobs = {
        name: workflow(name)["jobs"][name]["strategy"]["matrix"] for name in ("tests", "wheels")
    }
    systems = {name: {row["system"] for row in jobs[name]["include"]} for name in jobs}
    assert systems["wheels"] == systems["tests"]
    for machine in ("x86_64", "aarch64"):
        assert BUILDER["linux"][f"manylinux-{machine}-image"] == "manylinux_2_28"
    for system in ("linux", "macos"):
        assert "--exclude libscipy_openblas" in BUILDER[system]["repair-wheel-command"]


def test_wheels_are_tested_by_a_script_that_exists() -> None:
    script = BUILDER["test-command"].split()[-1]
    assert script.startswith("{project}/")
    assert (ROOT / script.removeprefix("{project}/")).is_file()


def test_the_recipe_has_the_version_and_the_bounds_of_the_project() -> None:
    cmake = (ROOT / "CMakeLists.txt").read_text()
    assert RECIPE["context"]["version"] in re.findall(r"^ +VERSION ([0-9.]+)$", cmake, re.MULTILINE)
    assert RECIPE["about"]["summary"] == PROJECT["description"]
    assert RECIPE["about"]["license"] == PROJECT["license"]
    needs = RECIPE["requirements"]
    host, run = requirements(needs["host"]), requirements(needs["run"])
    for name, bound in bounds(PYPROJECT["build-system"]["requires"]).items():
        assert host.get(name) == bound or name == BLAS
    for name, bound in bounds(PROJECT["dependencies"]).items():
        assert run.get(name) == bound or name == BLAS
    extras = PROJECT["optional-dependencies"]
    optional = bounds([need for e in ("cli", "io", "plot", "sweep") for need in extras[e]])
    optional["matplotlib-base"] = optional.pop("matplotlib")
    optional |= bounds(extras["dask"][1:])
    assert requirements(needs["run_constraints"]) == optional


def test_the_recipe_removes_the_blas_of_wheels() -> None:
    edit = RECIPE["build"]["script"][0]
    assert edit.startswith("sed ")
    (pattern,) = re.findall(r"'s/(.*)//'", edit)
    left = tomllib.loads(re.sub(pattern, "", (ROOT / "pyproject.toml").read_text()))
    for kept, all_of in [
        (left["project"]["dependencies"], PROJECT["dependencies"]),
        (left["build-system"]["requires"], PYPROJECT["build-system"]["requires"]),
    ]:
        assert kept == [need for need in all_of if not need.startswith(BLAS)]


def test_the_recipe_tests_with_a_script_that_exists() -> None:
    (test,) = [test for test in RECIPE["tests"] if "script" in test]
    for file in test["files"]["source"]:
        assert (ROOT / file).is_file()
        assert f"python {file}" in test["script"]
