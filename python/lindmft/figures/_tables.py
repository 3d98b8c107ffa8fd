"""Tables of a figure: its agreement with training as text, its data as comma-separated values."""

from collections.abc import Iterator, Mapping

import numpy as np

from lindmft.figures._panel import Curve, Panel

__all__ = ["agreement_table", "csv_rows"]

HEAD = (
    f"{'figure':<12}{'D':>8}{'networks':>10}{'points':>8}{'largest z':>11}{'rms z':>7}"
    f"{'median error':>14}{'largest error':>15}"
)
COLUMNS = "panel,curve,kind,x,y,standard_error,expected,networks,dim,scored"


def agreement_table(panels: Mapping[str, Panel]) -> str:
    """Return a line for each panel, then the notes.

    z-scores are given for four networks or more; errors are relative.
    """
    lines = [HEAD]
    lines += [_row(name, panel) for name, panel in panels.items()]
    notes = [
        f"{name}: {note}"
        for name, panel in panels.items()
        for note in (*panel.notes, *_left_out(panel))
    ]
    return "\n".join(lines + notes)


def csv_rows(panels: Mapping[str, Panel]) -> Iterator[str]:
    """Yield the heading, then lines of theory and guides, and points of training."""
    yield COLUMNS
    for key, panel in panels.items():
        for curve in panel.curves:
            yield from _curve_rows(key, curve)


def _curve_rows(key: str, curve: Curve) -> Iterator[str]:
    start = f'{key},"{curve.label}{"" if curve.test else " (dashed)"}"'
    kind = "guide" if curve.guide else "theory"
    for x, y in zip(curve.x, curve.y, strict=True):
        yield f"{start},{kind},{x:.10g},{y:.10g},,,,,"
    if curve.points is None:
        return
    p = curve.points
    columns = (p.x, p.mean, p.error, p.expected, p.smooth)
    for x, mean, error, expected, scored in zip(*columns, strict=True):
        known = f"{error:.6g}" if np.isfinite(error) else ""
        values = f"{x:.10g},{mean:.10g},{known},{expected:.10g}"
        yield f"{start},training,{values},{p.networks},{p.dim},{int(scored)}"


def _left_out(panel: Panel) -> list[str]:
    points = [curve.points for curve in panel.curves if curve.points]
    chaotic = sum(int(np.sum(~each.smooth)) for each in points)
    lost = sum(each.left_out for each in points)
    notes = {
        "points beyond the edge of stability (open), where runs are chaotic, not scored": chaotic,
        "points left out, where training diverges or is zero to rounding": lost,
    }
    return [f"{count} {note}" for note, count in notes.items() if count]


def _row(name: str, panel: Panel) -> str:
    trained = [points for points in panel.trained if points.smooth.any()]
    if not trained:
        return f"{name:<12}theory alone"
    agreements = [points.agreement() for points in trained]
    z = np.concatenate([each.z for each in agreements])
    error = np.concatenate([each.relative_error for each in agreements])
    scored = all(points.has_scores for points in trained)
    largest = f"{z[np.argmax(np.abs(z))]:.2f}" if scored else "-"
    rms = f"{np.sqrt(np.mean(z**2)):.2f}" if scored else "-"
    dims = _range(points.dim for points in trained)
    networks = _range(points.networks for points in trained)
    return (
        f"{name:<12}{dims:>8}{networks:>10}{len(z):>8}{largest:>11}{rms:>7}"
        f"{np.median(np.abs(error)):>14.2%}{_percentage(error[np.argmax(np.abs(error))]):>15}"
    )


def _percentage(error: float) -> str:
    """Format a relative error: above 100 % as a multiple of the theory's value."""
    return f"{error:.1%}" if error <= 1 else f"{1 + error:.3g} times"


def _range(numbers: Iterator[int]) -> str:
    values = sorted(set(numbers))
    return str(values[0]) if len(values) == 1 else f"{values[0]}-{values[-1]}"
