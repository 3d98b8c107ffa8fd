"""The notebooks run and draw, and their two forms, text and notebook, are the same."""

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import jupytext
import pytest
from nbclient import NotebookClient

from lindmft.progress import watched

NOTEBOOKS = Path(__file__).parents[2] / "examples" / "notebooks"
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
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)


def executed(notebook: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the outputs of a separate kernel, which communicates by files in the test's folder."""
    monkeypatch.setenv("LINDMFT_QUICK", "1")
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    monkeypatch.chdir(folder)  # the folder of the sockets, whose names are relative
    client = NotebookClient(notebook, timeout=300, kernel_name="python3")
    client.create_kernel_manager().transport = "ipc"
    client.execute(cwd=str(folder), env=dict(os.environ))
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


@pytest.mark.long
@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_notebooks_run_and_draw(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = executed(jupytext.read(text), tmp_path, monkeypatch)
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) >= 2
    assert len(pictures) == len([output for output in outputs if "data" in output])


def test_progress_is_shown_in_notebooks_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An imported ipykernel, as in this process, does not make a notebook."""
    source = "# %%\nfrom lindmft.progress import watched\nprint(watched())"
    (shown,) = executed(jupytext.reads(source, "py:percent"), tmp_path, monkeypatch)
    assert shown.text == "True\n"
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    assert not watched()
