"""Notebooks: run by a separate kernel, with outputs of text and small pictures."""

import base64
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from documents import ROOT
from nbclient import NotebookClient
from PIL import Image

NOTEBOOKS = ROOT / "examples" / "notebooks"
PATIENCE = 900
"""Seconds after which a cell counts as hung."""


def execute(notebook: Any, folder: Path, **environment: str) -> None:
    """Run a notebook in a folder, by a kernel that communicates by files in the present folder."""
    inherited = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    client = NotebookClient(notebook, timeout=PATIENCE, kernel_name="python3")
    client.create_kernel_manager().transport = "ipc"
    here = Path.cwd()
    os.chdir(folder)  # the folder of the sockets, whose names are relative
    try:
        ipython = {"IPYTHONDIR": str(folder / "ipython")}
        client.execute(cwd=str(folder), env={**inherited, **ipython, **environment})
    finally:
        os.chdir(here)


def outputs(notebook: Any) -> Iterator[Any]:
    """All outputs of all cells."""
    for cell in notebook.cells:
        yield from cell.get("outputs", [])


def printed(cell: Any) -> str:
    """Return what a cell prints."""
    return "".join(out.text for out in cell.get("outputs", []) if out.output_type == "stream")


def drawn(cell: Any) -> list[str]:
    """Return the pictures of a cell, as text in base 64."""
    return [out.data["image/png"] for out in cell.get("outputs", []) if "data" in out]


def small(picture: str) -> str:
    """Return a picture with few colours, as text in base 64."""
    saved = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        few = image.convert("RGB").quantize(48, dither=Image.Dither.NONE)
        few.save(saved, "PNG", optimize=True)
    return base64.b64encode(saved.getvalue()).decode()


def tidy(notebook: Any, clean: Callable[[str], str]) -> None:
    """Keep only printed text, which ``clean`` changes, and small pictures; and no times."""
    new = nbformat.v4.new_output
    for cell in notebook.cells:
        if cell.cell_type == "code":
            text = clean(printed(cell))
            stream = [new("stream", name="stdout", text=text)] if text else []
            pictures = [new("display_data", {"image/png": small(one)}) for one in drawn(cell)]
            cell.outputs = [*stream, *pictures]
            cell.metadata.pop("execution", None)
