"""The notebooks run, draw, and are the same as text and as notebooks."""

import os
from pathlib import Path
from typing import Any

import jupytext
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parent.parent / "examples" / "notebooks"
TEXTS = sorted(NOTEBOOKS.glob("*.py"))


def cells(path: Path) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in jupytext.read(path).cells]


def test_every_notebook_is_there_twice() -> None:
    names = [path.stem for path in TEXTS]
    assert len(names) >= 5
    assert names == sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_notebook_and_text_are_the_same(text: Path) -> None:
    """If not: ``jupytext --update --to ipynb examples/notebooks/*.py``."""
    notebook = jupytext.read(text.with_suffix(".ipynb"))
    assert cells(text.with_suffix(".ipynb")) == cells(text)
    assert notebook.metadata.kernelspec == jupytext.read(text).metadata.kernelspec
    assert notebook.metadata.jupytext.formats == "ipynb,py:percent"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_notebooks_run_and_draw(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a kernel of their own, which talks through files in a folder of the test."""
    monkeypatch.setenv("LINDMFT_QUICK", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    monkeypatch.chdir(tmp_path)  # where the sockets lie, by names relative to it
    notebook = jupytext.read(text)
    client = NotebookClient(notebook, timeout=300, kernel_name="python3")
    client.create_kernel_manager().transport = "ipc"
    client.execute(cwd=str(tmp_path), env=dict(os.environ))
    outputs: list[Any] = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) >= 2
    assert len(pictures) == len([output for output in outputs if "data" in output])
