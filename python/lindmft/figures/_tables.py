"""The agreement of a figure as text, and its data as comma-separated values."""

from collections.abc import Iterator, Mapping

import numpy as np

from lindmft.figures._panel import Curve, Panel

__all__ = ["agreement_table", "csv_rows"]

HEAD = f"{'figure':<8}{'D':>5}{'networks':>10}{'points':>8}{'largest z':>11}{'rms z':>7}"
COLUMNS = "panel,curve,kind,x,y,standard_error,expected,networks,dim"


def agreement_table(name: str, panels: Mapping[str, Panel]) -> str:
    """A line a panel, then the notes; z only of four networks or more."""
    lines = [f"{HEAD}{'largest relative error':>24}"]
    lines += [_row(f"{name}{key}", panel) for key, panel in panels.items()]
    notes = [
        f"{name}{key}: {note}" if key else note
        for key, panel in panels.items()
        for note in panel.notes
    ]
    return "\n".join(lines + notes)


def csv_rows(panels: Mapping[str, Panel]) -> Iterator[str]:
    """The heading, then lines of theory and guides, and points of training."""
    yield COLUMNS
    for key, panel in panels.items():
        for curve in panel.curves:
            yield from _curve_rows(key, curve)


def _curve_rows(key: str, curve: Curve) -> Iterator[str]:
    start = f'{key},"{curve.label}{"" if curve.test else " (dashed)"}"'
    kind = "guide" if curve.guide else "theory"
    for x, y in zip(curve.x, curve.y, strict=True):
        yield f"{start},{kind},{x:.10g},{y:.10g},,,,"
    if curve.points is None:
        return
    p = curve.points
    for x, mean, error, expected in zip(p.x, p.mean, p.error, p.expected, strict=True):
        known = f"{error:.6g}" if np.isfinite(error) else ""
        yield f"{start},training,{x:.10g},{mean:.10g},{known},{expected:.10g},{p.networks},{p.dim}"


def _row(name: str, panel: Panel) -> str:
    trained = panel.trained
    if not trained:
        return f"{name:<8}{'-':>5}{'-':>10}{'-':>8}{'-':>11}{'-':>7}{'theory alone':>24}"
    agreements = [points.agreement() for points in trained]
    z = np.concatenate([each.z for each in agreements])
    error = np.concatenate([each.relative_error for each in agreements])
    scored = all(points.has_scores for points in trained)
    largest = f"{z[np.argmax(np.abs(z))]:.2f}" if scored else "-"
    rms = f"{np.sqrt(np.mean(z**2)):.2f}" if scored else "-"
    worst = error[np.argmax(np.abs(error))]
    dims = _range(points.dim for points in trained)
    networks = _range(points.networks for points in trained)
    return (
        f"{name:<8}{dims:>5}{networks:>10}{len(z):>8}{largest:>11}{rms:>7}{f'{worst:.1%}':>24}"
    )


def _range(numbers: Iterator[int]) -> str:
    values = sorted(set(numbers))
    return str(values[0]) if len(values) == 1 else f"{values[0]}-{values[-1]}"
