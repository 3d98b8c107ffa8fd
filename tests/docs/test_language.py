"""Texts follow the rules of CONTRIBUTING.md, "Language", that a program can check.

A failure lists the file, the line, the passage, and the words to write instead. For a single folder
``python tests/support/language.py FOLDER`` prints the same list.
"""

from collections import defaultdict
from pathlib import Path

import pytest
from documents import ROOT
from language import Fault, checked_files, faults

TEXTS = ("python", "cpp", "tests", "docs", "bench", "examples", ".ci")
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
ROOMS = (("python", "lindmft"), ("cpp", "src"), ("cpp", "include"), ("tests", "cpp"), ("tests",))
"""Folders whose subfolders are checked one by one."""
BUILT = {"_build", "_gallery", "gallery", "__pycache__"}


def room(file: Path) -> str:
    """Return the folder under which a file is checked."""
    folders = file.parts[:-1]
    for parents in ROOMS:
        if folders[: len(parents)] == parents:
            return "/".join(folders[: len(parents) + 1])
    return folders[0] if folders else file.name


def rooms() -> dict[str, list[Path]]:
    """Return the checked files, relative to the repository, by room."""
    found = defaultdict(list)
    for name in (*TEXTS, *PAGES):
        for file in checked_files(ROOT / name):
            inside = file.relative_to(ROOT)
            if BUILT.isdisjoint(inside.parts) and inside.parts[:2] != ("docs", "notebooks"):
                found[room(inside)].append(inside)
    return found


FILES = rooms()


@pytest.mark.parametrize("name", FILES)
def test_texts_follow_the_rules(name: str) -> None:
    found = [fault for file in FILES[name] for fault in faults(ROOT / file, str(file))]
    assert not found, "\n".join(map(str, found))


def test_every_folder_with_texts_is_checked() -> None:
    assert {"python/lindmft/plotting", "cpp/src/theory", "tests/docs", "docs", ".ci"} <= set(FILES)
    assert set(PAGES) <= set(FILES)
    assert sum(map(len, FILES.values())) > 400


def planted(folder: Path, name: str, text: str) -> list[Fault]:
    """Return the faults of a file with this text; bars keep this file free of the words."""
    (folder / name).write_text(text.replace("|", ""))
    return faults(folder / name, name)


@pytest.mark.parametrize(
    ("name", "text", "line", "passage"),
    [
        ("a.py", 'def f():\n    """Of the mean over axis 0."""\n', 2, "Of the mean over axis 0."),
        ("a.py", 'SHARE = 0.8\n"""Into which it goes."""\n', 2, "Into which it goes."),
        ("a.py", 'class A:\n    """What is drawn."""\n', 2, "What is drawn."),
        (
            "a.py",
            'def f():\n    """Solve.\n\n    It goes\n    on.\n    """\n',
            4,
            "goes |on",
        ),
        ("a.py", "x = 1  # a thread of |its own\n", 1, "of |its own"),
        ("a.py", "x = 1\nraise ValueError('steps must be |given, got nothing')\n", 2, ""),
        ("a.cpp", "int a;\n// A thread that some|body sets.\n", 2, "some|body"),
        ("a.hpp", 'throw BadInput("save must be |left out, got it");\n', 1, "must be |left out"),
        ("a.md", "# Title\n\nAccurate: right |to 1e-6.\n", 3, "right |to 1"),
    ],
)
def test_planted_faults_are_found(
    name: str, text: str, line: int, passage: str, tmp_path: Path
) -> None:
    (found,) = planted(tmp_path, name, text)
    assert (found.file, found.line) == (name, line)
    assert passage.replace("|", "") in found.passage
    assert found.instead
    assert str(found) == f"{name}:{line}: {found.passage!r}: {found.instead}"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", 'def f():\n    """Offset of the first row."""\n'),
        ("a.py", 'def f():\n    """Information on the machine."""\n'),
        ("a.py", 'def f():\n    """Format a number."""\n'),
        ("a.py", 'def f():\n    """Overlap of features.\n\n    Of these, one is drawn.\n    """\n'),
        ("a.py", "g|ate = of_its_own(lent)  # strides, overrides, a stretched axis\n"),
        ("a.py", "# An equivalent gateway: what it goes through, from right to left.\n"),
        ("a.py", "# Every network with its own data, so much faster than some networks.\n"),
        ("a.py", "# Values that are missing are left out of the mean.\n"),
        ("a.cpp", "const int st|retch = g|ate(rid|es);\n"),
        ("a.md", "The rows go one by one; nobodies and lenticular shapes.\n"),
    ],
)
def test_similar_words_pass(name: str, text: str, tmp_path: Path) -> None:
    assert planted(tmp_path, name, text) == []
