"""Files of a verification: a page for a browser, its picture, and the numbers."""

import csv
import html
import io
import time
from pathlib import Path

from lindmft import _core, plotting
from lindmft._internal.files import write_picture, write_text
from lindmft.analysis.verification import OBSERVABLES, Verification

__all__ = ["paths", "write"]

NAME = "verification"
WORST = 10
COLUMNS = ("problem", "steps", "network", "data", "observable")
NUMBERS = ("theory", "mean", "error")
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem;
  line-height: 1.5; color: #222; }}
img {{ width: 100%; }}
pre {{ background: #f5f5f5; padding: 0.8rem; overflow-x: auto; line-height: 1.35; }}
.passed {{ color: #00694d; }} .failed {{ color: #a83c00; }}
summary {{ cursor: pointer; padding: 0.2rem 0; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p class="{kind}"><strong>{verdict}</strong></p>
<pre>{summary}</pre>
<img src="{picture}" alt="z-scores against chance, and deviations at both sizes">
<h2>How to read it</h2>
<p>Every problem was drawn at random, solved in the limit of infinite size, and trained at two
sizes. Means of finite networks deviate by order 1 / dim. Twice the deviation of the larger size
minus that of the smaller one removes this. The rest, in units of its standard error, is z:
if theory and training describe the same thing, it is a draw from the standard normal distribution.
<em>Chance</em> is the probability that such draws deviate as much from it, by Kolmogorov's
test.</p>
<h2>The largest z-scores</h2>
{worst}
<p>{origin}</p>
</body>
</html>
"""


def paths(folder: Path) -> list[Path]:
    """Return the files that ``write`` makes in a folder."""
    return [folder / f"{NAME}.{ending}" for ending in ("html", "png", "svg", "csv")]


def write(found: Verification, folder: Path, seconds: float) -> list[Path]:
    """Write the files; ``seconds`` is the time of the verification."""
    page, picture, drawing, numbers = made = paths(folder)
    figure = plotting.verification(found)
    for path in (picture, drawing):
        write_picture(figure, path)
    write_text(_csv(found), numbers)
    write_text(_page(found, picture.name, seconds), page)
    return made


def _page(found: Verification, picture: str, seconds: float) -> str:
    return PAGE.format(
        title="Theory against training on random problems",
        kind="passed" if found.passed else "failed",
        verdict=html.escape(found.verdict),
        summary=html.escape(found.summary()),
        picture=picture,
        worst="\n".join(_details(found, i) for i in found.worst(WORST)),
        origin=f"lindmft {_core.__version__}, {time.strftime('%Y-%m-%d')}, {seconds:.0f} s.",
    )


def _details(found: Verification, i: int) -> str:
    """Return one problem as a section that can be opened."""
    case = found.kept[i]
    scores = ", ".join(f"{name} {z:+.2f}" for name, z in zip(OBSERVABLES, case.z, strict=True))
    problem = html.escape(case.problem.to_toml())
    return (
        f"<details><summary>Problem {case.index}: {scores}</summary>\n"
        f"<pre>{problem}</pre>\n<p>{case.steps} steps.</p></details>"
    )


def _csv(found: Verification) -> str:
    """Return a row for each problem and observable."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    sizes = (found.dim, 2 * found.dim)
    rows.writerow([*COLUMNS, *(f"{name}_{size}" for size in sizes for name in NUMBERS), "z"])
    for case in found.kept:
        start = [case.index, case.steps, case.problem.network.kind, case.problem.data.kind]
        for i, name in enumerate(OBSERVABLES):
            both = zip(case.theory[i], case.mean[i], case.error[i], strict=True)
            numbers = [float(value) for size in both for value in size]
            rows.writerow([*start, name, *numbers, float(case.z[i])])
    return text.getvalue()
