"""The search of the guide: which words find which page.

``.ci/check_search.py`` checks the built guide. The tests here check its ranking with a small index,
and that the pages have the words.
"""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from documents import GUIDE, ROOT

CHECK = runpy.run_path(str(ROOT / ".ci" / "check_search.py"))
SEARCHES: dict[str, str] = CHECK["SEARCHES"]
EXTENSION = (GUIDE / "_ext" / "search_words.py").read_text()
FAQ = (GUIDE / "faq.md").read_text()

INDEX: dict[str, Any] = {
    "docnames": ["faq", "lazy", "solver"],
    "titles": ["Questions", "Lazy training", "Solver"],
    "alltitles": {
        "Questions": [[0, None]],
        "Lazy training": [[1, None]],
        "Solver": [[2, None]],
        "Batches": [[1, "batches"]],
    },
    "indexentries": {"relu": [[0, "relu", True]], "tanh": [[2, "tanh", False]]},
    "objects": {"lindmft": [[2, 0, 1, "", "solve"], [2, 0, 1, "", "batch_size"]]},
    "objnames": {"0": ["py", "function", "Python function"]},
    "terms": {"batch": [1, 2], "relu": 1, "wide": [0, 1, 2], "size": 2},
    "titleterms": {"lazi": 1, "train": 1, "solver": 2, "question": 0, "batch": 1},
}
"""An index as Sphinx writes it, with three pages; the browser ranks it likewise."""


def stem(word: str) -> str:
    """Shorten words a little as Sphinx does."""
    return re.sub(r"y$", "i", re.sub(r"(ing|es|s)$", "", word))


def found(query: str) -> list[tuple[int, str]]:
    results = CHECK["results"](INDEX, query, stem, frozenset({"the", "why"}))
    return [(result.score, result.page) for result in results]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ReLU", [(100, "faq"), (5, "lazy")]),  # an entry of the index, then a word of a text
        ("tanh", []),  # an entry that is not a main one is shown after the others
        ("lazy training", [(16, "lazy")]),  # the title of a page
        ("the lazy", [(15, "lazy")]),  # stopwords do not count
        ("batches", [(15, "lazy"), (15, "lazy"), (5, "solver")]),  # a heading, and stemmed words
        ("solve", [(16, "solver"), (14, "solver")]),  # a function, and a title
        ("batch size", [(11, "solver"), (5, "solver")]),  # part of a name; all words are needed
        ("wide", [(5, "lazy"), (5, "faq"), (5, "solver")]),  # equal ones by their titles
        ("nothing", []),
    ],
)
def test_results_are_ranked_as_in_the_browser(query: str, expected: list[tuple[int, str]]) -> None:
    assert found(query) == expected


def test_a_page_that_is_not_found_is_named() -> None:
    missed = CHECK["missed"]
    searches = {"ReLU": "faq", "lazy": "solver", "nothing": "faq"}
    assert missed(INDEX, searches, stem, frozenset()) == [
        "'lazy' must find solver, but finds lazy",
        "'nothing' must find faq, but finds nothing",
    ]


def test_the_index_of_a_guide_is_read(tmp_path: Path) -> None:
    (tmp_path / "searchindex.js").write_text(f"Search.setIndex({json.dumps(INDEX)})")
    assert CHECK["read_index"](tmp_path) == INDEX


def test_continuous_integration_searches_the_guide() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert 'check_links.py "$work/guide"\npython .ci/check_search.py "$work/guide"\n' in script


def test_searches_name_pages() -> None:
    assert len(SEARCHES) >= 30
    for page in set(SEARCHES.values()):
        assert (GUIDE / f"{page}.md").is_file(), page
    for page in re.findall(r'^    "([\w/]+)": "', EXTENSION, flags=re.MULTILINE):
        assert (GUIDE / f"{page}.md").is_file(), page


@pytest.mark.parametrize("query", SEARCHES)
def test_pages_have_the_words(query: str) -> None:
    """The words of a search stand in the page that it must find."""
    page = SEARCHES[query]
    (of_page,) = re.findall(rf'^    "{page}": "(.*)"', EXTENSION, flags=re.MULTILINE) or [""]
    text = f"{of_page} {(GUIDE / f'{page}.md').read_text()}".lower()
    assert all(word in text for word in query.lower().split()), page


def questions() -> dict[str, str]:
    """Return the text below every question."""
    parts = re.split(r"^### (.*)\n", FAQ, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("question", questions())
def test_answers_can_be_found_and_lead_to_a_page(question: str) -> None:
    answer = questions()[question]
    assert re.match(r"\n<!-- search: [^>\n]+ -->\n", answer)
    assert re.search(r"\]\(\w[\w/]*\.md", answer), "no link to a page"
    assert re.search(r"`[^`\n]*(lm\.|lindmft )|```", answer), "no call"


def test_no_word_leads_to_two_questions() -> None:
    comments = re.findall(r"<!-- search: (.*) -->", FAQ)
    words = [word.strip().lower() for comment in comments for word in comment.split(",")]
    assert sorted(words) == sorted(set(words))
