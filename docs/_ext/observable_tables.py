"""Tables of observables for pages, made from the table of ``lindmft.results.observables``.

A page has the comment ``<!-- observables: SOLUTION -->`` where the table belongs.
"""

import re

from lindmft.results import observables
from lindmft.results.observables import TWO_TIME, Observable, Table

PLACE = re.compile(r"<!-- observables: (\w+) -->")
HEADER = (
    "| variable | dimensions | meaning | unit or scale | asked for with |\n|---|---|---|---|---|"
)


def filled(text: str) -> str:
    """Return the text of a page with a table in each place for one."""
    return PLACE.sub(lambda place: table(getattr(observables, place[1])), text)


def table(of: Table) -> str:
    """Return a table in Markdown with a row for each array that a file has."""
    return "\n".join([HEADER, *(row for one in of.values() for row in _rows(one))])


def _rows(one: Observable) -> list[str]:
    meaning = f"{one.long_name} ({one.undefined})" if one.undefined else one.long_name
    asked = f"`{one.asked}`" if one.asked else "several outputs" if one.by_output else ""
    rows = [_row(one.name, one.dims, meaning, one.units, asked)]
    if one.layer_0:
        rows.append(_row(f"{one.name}0", TWO_TIME, one.layer_0, one.units, asked))
    return rows


def _row(name: str, dims: tuple[str, ...], *texts: str) -> str:
    return f"| {' | '.join([f'`{name}`', ', '.join(dims), *texts])} |"
