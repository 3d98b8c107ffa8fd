"""The figures of the paper and some new ones: theory as lines, finite networks as points.

``NAMES`` lists them, ``get`` finds one, and ``Figure.make`` computes it. The result draws the
picture, saves picture and data, and reports how well training agrees with the theory. Each figure
has a module with its parameters in a table at the top. The command is ``lindmft figure``.

Examples
--------
>>> import lindmft as lm
>>> result = lm.figures.get("2").make("b", quick=True, mup_widths=(1.0,), points=5, seeds=4)
>>> picture = result.draw()
"""

from importlib import import_module

from lindmft._internal.validation import choice, text
from lindmft.figures._figure import Figure, Result
from lindmft.figures._panel import Curve, Panel, Points

__all__ = ["NAMES", "Curve", "Figure", "Panel", "Points", "Result", "get", "parse"]

_MODULES = {
    "1": "paper.figure_01",
    "2": "paper.figure_02",
    "3": "paper.figure_03",
    "4": "paper.figure_04",
    "5": "paper.figure_05",
    "6": "paper.figure_06",
    "7": "paper.figure_07",
    "8": "paper.figure_08",
    "9": "paper.figure_09",
    "10": "paper.figure_10",
    "table1": "paper.table_1",
    "depth": "infinite_depth",
    "edge": "edge",
    "horizon": "horizon",
    "million": "million_steps",
    "multi-pass": "multi_pass",
    "optimizers": "optimizers",
    "scaling-laws": "scaling_laws",
    "variances": "variances",
    "ensembling": "ensembling",
}
NAMES = tuple(_MODULES)
"""Names of all figures: first ten figures and a table of the paper, then the new ones."""


def get(name: str) -> Figure:
    """Return the figure with this name.

    Parameters
    ----------
    name
        One of ``NAMES``.

    Raises
    ------
    ValueError
        If there is no such figure.

    Notes
    -----
    Theory section 13; Bordelon and Pehlevan (2025).

    Examples
    --------
    >>> import lindmft as lm
    >>> lm.figures.get("8").title
    'The largest stable learning rate'
    """
    module = _MODULES[choice(*NAMES)(name, "the figure")]
    figure: Figure = import_module(f"lindmft.figures.{module}").FIGURE
    return figure


def parse(name: str) -> tuple[Figure, tuple[str, ...]]:
    """Return the figure and the panels that a name stands for.

    Parameters
    ----------
    name
        The name of a figure, as in ``NAMES``, or of one panel: "2b", "variances-a".

    Raises
    ------
    ValueError
        If there is no such figure or panel.

    Notes
    -----
    Theory section 13; Bordelon and Pehlevan (2025).

    Examples
    --------
    >>> import lindmft as lm
    >>> figure, panels = lm.figures.parse("2b")
    >>> figure.name, panels
    ('2', ('b',))
    """
    stem = text(name, "the figure")[:-1].removesuffix("-")
    if name not in _MODULES and stem in _MODULES:
        figure = get(stem)
        for panel in figure.panels:
            if name == figure.label(panel):
                return figure, (panel,)
    return get(name), ()
