"""Pages of the guide that show the notebooks of examples/notebooks with their outputs."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

INDEX = """# Notebooks

Longer examples, with what they print and draw. The notebooks are in the folder
`examples/notebooks`, which also has them as Python scripts. Set `LINDMFT_QUICK=1` in the
environment to run them with smaller networks.

```{{toctree}}
:maxdepth: 1

{names}
```
"""

LINK = "{{download}}`Download the notebook <{path}>` to run it with your numbers.\n"


def written(cell: dict[str, Any]) -> str:
    """Return the source of a cell."""
    return "".join(cell["source"])


def shown(output: dict[str, Any], name: str, pictures: dict[str, bytes]) -> str:
    """Return an output of a cell as Markdown, and add its picture to the others."""
    if "text" in output:
        return f"```text\n{''.join(output['text']).rstrip()}\n```\n"
    file = f"{name}_{len(pictures) + 1}.png"
    pictures[file] = base64.b64decode("".join(output["data"]["image/png"]))
    return f"![picture {len(pictures)} of this notebook]({file})\n"


def as_page(notebook: dict[str, Any], name: str, path: str) -> tuple[str, dict[str, bytes]]:
    """Return a notebook as a page in Markdown, and its pictures by their file names."""
    pictures: dict[str, bytes] = {}

    def parts() -> Iterator[str]:
        for number, cell in enumerate(notebook["cells"]):
            if cell["cell_type"] == "markdown":
                yield written(cell) + "\n"
            else:
                yield f"```python\n{written(cell)}\n```\n"
                yield from (shown(output, name, pictures) for output in cell["outputs"])
            if number == 0:
                yield LINK.format(path=path)

    return "\n".join(parts()), pictures


def write_if_new(path: Path, content: bytes) -> None:
    """Write a file only if its content is new: Sphinx then reads only changed pages again."""
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)


def write_notebooks(source: Path, target: Path) -> None:
    """Write a page for each notebook of a folder, and a page that lists them."""
    target.mkdir(exist_ok=True)
    files: dict[str, bytes] = {}
    names = []
    for path in sorted(source.glob("*.ipynb")):
        link = f"../../{path.relative_to(source.parents[1]).as_posix()}"
        page, pictures = as_page(json.loads(path.read_text(encoding="utf-8")), path.stem, link)
        files |= {f"{path.stem}.md": page.encode(), **pictures}
        names.append(path.stem)
    files["index.md"] = INDEX.format(names="\n".join(names)).encode()
    for name, content in files.items():
        write_if_new(target / name, content)
    for path in target.iterdir():
        if path.name not in files:
            path.unlink()
