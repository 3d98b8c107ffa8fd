"""``explore``: the page of a problem, in a notebook or a browser."""

import tempfile
import webbrowser
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from lindmft._internal.files import write_text
from lindmft._internal.validation import file_path, integer, refuse
from lindmft.explorer.settings import link
from lindmft.problem.problem import Problem, as_problem

__all__ = ["Explorer", "explore"]

MARK = '<meta name="settings" content="">'
"""The place in the page for the settings with which it opens."""
FRAME = (
    '<iframe title="lindmft explorer" style="width: 100%; height: {height}px; border: 0" '
    'srcdoc="{page}"></iframe>'
)


@cache
def _page() -> str:
    """Return the page, which is one file with the compiled core, its style and its scripts."""
    return (files("lindmft.explorer") / "explorer.html").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Explorer:
    """Result of ``explore``: a page that opens with the settings of a problem.

    A notebook shows the page as the value of a cell. The page needs no server and no network: the
    compiled core runs in the browser, and nothing that is entered leaves the machine.

    Attributes
    ----------
    settings
        The settings as a part of a link, after "#" in the address of any copy of the page.
    height
        The height of the page in a notebook, in pixels.

    Notes
    -----
    The page has the theory of docs/theory.md: isotropic, discrete and power-law spectra of
    Theory section 8, optimizers and schedules of Theory section 6.

    Examples
    --------
    >>> import tempfile
    >>> import lindmft as lm
    >>> page = lm.explore()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page.save(f"{folder}/explorer.html")
    >>> "<html" in page.html()
    True
    >>> path = page.open()  # doctest: +SKIP
    """

    settings: str
    height: int = 900

    def html(self) -> str:
        """Return the page as the text of one HTML file."""
        content = escape(self.settings, quote=True)
        return _page().replace(MARK, f'<meta name="settings" content="{content}">', 1)

    def save(self, path: Path | str) -> None:
        """Write the page to ``path``. It opens from a disk and from any server of static files."""
        write_text(self.html(), file_path(path, "path"))

    def open(self) -> Path:
        """Open the page in the browser, and return the file, which stays in a temporary folder."""
        folder = Path(tempfile.mkdtemp(prefix="lindmft-explorer-"))
        path = folder / "explorer.html"
        self.save(path)
        webbrowser.open(path.as_uri())
        return path

    def __repr__(self) -> str:
        return f"Explorer(settings={self.settings!r}, height={self.height})"

    def _repr_html_(self) -> str:
        return FRAME.format(height=self.height, page=escape(self.html(), quote=True))


def explore(
    problem: Problem | dict[str, Any] | None = None, steps: int = 100, *, height: int = 900
) -> Explorer:
    """Return a page on which the theory moves with its sliders, with the settings of a problem.

    Parameters
    ----------
    problem
        The problem with which the page opens; None: the page's own.
    steps
        The number of steps with which the page opens.
    height
        The height of the page in a notebook, in pixels.

    Returns
    -------
    Explorer
        A notebook shows it; ``open()`` opens it in the browser, and ``save(path)`` writes one HTML
        file that works without a server.

    Raises
    ------
    ValueError
        If an argument is out of range, or if the problem has something for which the page has no
        control: random batches of the same samples, several outputs, a trace-class spectrum,
        different widths of layers, momentum that changes, centered networks.

    Notes
    -----
    The page solves the equations of Theory section 3 with the same core, compiled to WebAssembly.
    Problems of PyTorch loops (``from_pytorch``) with the default initialization open with the
    parameterization "PyTorch".

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=3), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.05))
    >>> page = lm.explore(problem, steps=150)
    >>> page.settings
    'v=1&T=150&net=mlp&L=3&nu=1.0&g=1.0&D=200&p=mup&d=full_batch&s=0.0&a=2.0&m=0.0&wd=0.0&lr=0.05'
    """
    number_of_steps, pixels = _count(steps, "steps", 1), _count(height, "height", 100)
    settings = "" if problem is None else link(as_problem(problem), number_of_steps)
    return Explorer(settings or f"v=1&T={number_of_steps}", pixels)


def _count(value: int, field: str, least: int) -> int:
    count = integer(value, field)
    if count < least:
        refuse(field, f"at least {least}", value)
    return count
