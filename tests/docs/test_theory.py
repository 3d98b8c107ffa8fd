"""Sections of the theory page have the numbers by which they are cited, and all citations exist."""

import re
import sys
from pathlib import Path

import pytest
from documents import GUIDE, ROOT

sys.path.insert(0, str(GUIDE / "_ext"))
from citations import citations, labels, linked

PAGE = (GUIDE / "theory.md").read_text(encoding="utf-8")
TARGET = re.compile(r"^\((theory-[\w-]+)\)=\n+#+ (\S+) ", flags=re.MULTILINE)
TARGETS = dict(TARGET.findall(PAGE))
"""Labels of the sections, and the first word of their headings, which is the number."""
FOLDERS = ("python", "cpp", "tests", "docs", "bench", "examples", "cmake")
BUILT = {"_build", "_gallery", "gallery", "__pycache__"}
ENDINGS = {".py", ".pyi", ".cpp", ".hpp", ".h", ".c", ".in"}


def sources() -> list[Path]:
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    return [path for path in found if path.suffix in ENDINGS and BUILT.isdisjoint(path.parts)]


def joined(text: str) -> str:
    """Return a text without the marks at the starts of comment lines: citations may cross them."""
    return re.sub(r"\n[ \t]*(?:///?<?|\*|#)[ \t]+", "\n", text)


def dangling(text: str) -> list[str]:
    return [
        label
        for found in citations(joined(text))
        for label in labels(found)
        if label not in TARGETS
    ]


def test_sections_have_the_numbers_by_which_they_are_cited() -> None:
    sections = [label for label in TARGETS if re.fullmatch(r"theory-\d+", label)]
    assert sections == [f"theory-{number}" for number in range(1, len(sections) + 1)]
    for label, word in TARGETS.items():
        if label[-1].isdigit():
            assert word == label.removeprefix("theory-").replace("-", ".")


def test_every_cited_section_exists() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in sources()}
    del texts[Path(__file__)]  # cites sections that do not exist
    assert {path: found for path, text in texts.items() if (found := dangling(text))} == {}
    assert sum(1 for text in texts.values() for _ in citations(text)) > 200


def test_public_headers_cite_the_theory() -> None:
    """Readers of installed headers have no other way to the meaning of symbols."""
    cited = {}
    for path in sorted((ROOT / "cpp" / "include" / "lindmft").glob("*.h*")):
        text = joined(path.read_text(encoding="utf-8"))
        cited[path.name] = sorted({label for found in citations(text) for label in labels(found)})
    assert [label for found in cited.values() for label in found if label not in TARGETS] == []
    for name in ("problem.hpp", "solve.hpp", "train.hpp", "sharpness.hpp"):
        assert cited[name]
    assert {"theory-1", "theory-2", "theory-6", "theory-7"} <= set(cited["problem.hpp"])
    assert {"theory-3", "theory-4", "theory-5"} <= set(cited["solve.hpp"])


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("(theory.md section 99)", ["theory-99"]),
        ("theory section 12, item 13.", ["theory-12-13"]),
        ("Theory sections 3, 98 and\n99", ["theory-98", "theory-99"]),
        ("Theory section 4, replicas.", ["theory-4-replicas"]),
        ("sections 96 to 97", ["theory-96", "theory-97"]),
        ("section 12.8, section 12 item 12; section 12, items 1 and 2", []),
        ("Bordelon and Pehlevan (2025), section 99", []),
        ("1 / (gamma0^2 nu_L), section 99", ["theory-99"]),
        ("// theory.md sections 3 to\n// 5, and theory.md\n/// section 99", ["theory-99"]),
        ("/* theory.md sections 1\n * and 99 */", ["theory-99"]),
        ("  # theory.md section\n  # 99", ["theory-99"]),
    ],
)
def test_citations_of_sections_that_do_not_exist_are_found(text: str, missing: list[str]) -> None:
    assert dangling(text) == missing


def test_citations_in_docstrings_become_links() -> None:
    assert linked("Theory sections 2 and\n11.") == (
        "Theory sections :ref:`2 <theory-2>` and\n:ref:`11 <theory-11>`."
    )
    assert linked("Theory section 9 for grids; section 12, item 8.") == (
        "Theory section :ref:`9 <theory-9>` for grids; "
        "section :ref:`12 <theory-12>`, item :ref:`8 <theory-12-8>`."
    )
    assert linked("theory section 3, replicas") == (
        "theory section :ref:`3 <theory-3>`, :ref:`replicas <theory-3-replicas>`"
    )
    assert linked("theory section 12.8") == "theory section :ref:`12.8 <theory-12-8>`"
    paper = "Bordelon and Pehlevan (2025), section 5; a section 3 of something else"
    assert linked(paper) == paper
