"""Citations of the theory, such as "Theory section 12, item 8", as links to its sections.

The reference and the tests use the same rules for citations. Docstrings and comments remain plain
text, and the tests find citations of sections that do not exist.
"""

import re
from collections.abc import Iterator

NUMBERS = r"\d+(?:(?:,\s+and|,|\s+and|\s+to)\s+\d+)*"
CITATION = re.compile(
    rf"(?P<before>[Tt]heory(?:\.md)?\s+|\(\d{{4}}\),\s+|;\s+)?\b[Ss]ections?\s+(?P<sections>{NUMBERS})\b"
    rf"(?:,?\s+items?\s+(?P<items>{NUMBERS})|,\s+(?P<part>replicas)|(?P<dotted>\.\d+))?"
)
"""A citation: numbers of sections, optionally with items, which all belong to the last section."""
OF_A_PAPER = re.compile(r"\(\d{4}\),\s+")
"""Text before a section of a paper, as in "Bordelon and Pehlevan (2025), section 5"."""


def labels(citation: re.Match[str]) -> list[str]:
    """Return the labels of the cited sections; ranges are expanded."""
    sections = _written_out(citation["sections"])
    found = [f"theory-{section}" for section in sections]
    if citation["items"]:
        last = found.pop()
        return found + [f"{last}-{item}" for item in _written_out(citation["items"])]
    if citation["part"]:
        found[-1] += f"-{citation['part']}"
    if citation["dotted"]:
        found[-1] += f"-{citation['dotted'][1:]}"
    return found


def citations(text: str) -> Iterator[re.Match[str]]:
    """Yield the citations of the theory in a text, without those of papers."""
    for found in CITATION.finditer(text):
        if not OF_A_PAPER.fullmatch(found["before"] or ""):
            yield found


def linked(text: str) -> str:
    """Return a docstring in reStructuredText, with links for citations of the theory by name.

    After such a citation and a semicolon the name is optional: "Theory section 10; section 12".
    """
    parts, end, named = [], 0, False
    for found in citations(text):
        start = (found["before"] or "").strip()
        named = start.lower().startswith("theory") or (named and start == ";")
        if named:
            parts += [text[end : found.start("sections")], _links(found)]
            end = found.end()
    return "".join([*parts, text[end:]])


def _links(citation: re.Match[str]) -> str:
    """Return the rest of a citation, from its first number on, with links."""
    sections, items = citation["sections"], citation["items"]
    if items:
        rest = _each(items, f"theory-{_written_out(sections)[-1]}-")
        return f"{_each(sections, 'theory-')}, item{'s' * (items != items.split()[0])} {rest}"
    text = _each(sections, "theory-")
    if citation["part"]:
        last = _written_out(sections)[-1]
        text += f", :ref:`{citation['part']} <theory-{last}-{citation['part']}>`"
    if citation["dotted"]:
        return f":ref:`{sections}{citation['dotted']} <{labels(citation)[-1]}>`"
    return text


def _each(numbers: str, prefix: str) -> str:
    return re.sub(r"\d+", lambda number: f":ref:`{number[0]} <{prefix}{number[0]}>`", numbers)


def _written_out(numbers: str) -> list[int]:
    """Return all numbers of a list; "3 to 5" is expanded to 3, 4, 5."""
    found: list[int] = []
    for to, number in re.findall(r"(to\s+)?(\d+)", numbers):
        found += range(found[-1] + 1 if to else int(number), int(number) + 1)
    return found
