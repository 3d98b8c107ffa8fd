"""Check that words which readers type into the search of the built guide find the right page.

The page must be among the first results. Results are ranked as by Sphinx's search in the browser:
by headings, by entries of the index, by names of functions and classes, and by stemmed words. The
guide must be built in a new folder: where Sphinx only renews pages, it drops entries of the others.
"""

import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

FIRST = 5
"""The number of results that a reader looks at."""

SEARCHES = {
    # subjects that the theory covers
    "ReLU": "faq",
    "activation function": "faq",
    "transformer": "faq",
    "attention": "faq",
    "convolution": "faq",
    "Adam": "faq",
    "AdamW": "faq",
    "gradient clipping": "faq",
    "cross-entropy": "faq",
    "classification": "faq",
    "accuracy of a classifier": "faq",
    "dropout": "faq",
    "bias": "faq",
    "why linear": "faq",
    "limits": "accuracy",
    # my loop
    "shuffling": "howto/batches",
    "DataLoader": "faq",
    "PyTorch": "howto/pytorch",
    "MSELoss": "faq",
    "default initialization": "faq",
    "standard parameterization": "faq",
    "Kaiming": "howto/pytorch",
    "gamma0": "faq",
    "which D": "faq",
    "network size": "faq",
    "finite width": "faq",
    # training
    "early stopping": "faq",
    "epochs": "howto/batches",
    "batch size": "faq",
    "minibatch": "faq",
    "warmup": "faq",
    "warm-up": "faq",
    "wsd": "faq",
    "cosine": "faq",
    "learning rate schedule": "faq",
    "weight decay": "faq",
    "momentum": "faq",
    "best learning rate": "transfer",
    "learning rate transfer": "transfer",
    "EMA": "howto/averages",
    "stochastic weight averaging": "howto/averages",
    "fine-tuning": "howto/fine_tuning",
    "divergence": "faq",
    # machines
    "GPU": "faq",
    "CUDA": "faq",
    "speed": "performance",
    "how fast": "performance",
    "memory": "faq",
    # data
    "MNIST": "faq",
    "CIFAR": "faq",
    "own data": "howto/own_spectrum",
    "power law": "tour",
    "label noise": "glossary",
    # ideas of the field
    "muP": "glossary",
    "maximal update": "glossary",
    "mean-field": "glossary",
    "NTK": "glossary",
    "neural tangent kernel": "observables",
    "lazy": "concepts/richness",
    "rich": "concepts/richness",
    "feature learning": "glossary",
    "sharpness": "howto/edge",
    "edge of stability": "howto/edge",
    "progressive sharpening": "howto/edge",
    "catapult": "faq",
    "double descent": "faq",
    "grokking": "faq",
    "overfitting": "faq",
    "scaling law": "faq",
    "compute-optimal": "transfer",
    "Chinchilla": "faq",
    "ensembles": "observables",
    "random features": "concepts/richness",
    "infinite depth": "observables",
    "dynamical mean-field theory": "glossary",
    "DMFT": "glossary",
    # the package
    "cite": "faq",
    "explorer": "howto/explorer",
    "command line": "howto/command_line",
    "Slurm": "clusters",
}
"""Searches of readers, each with the page that must be among the first results."""

Index = Mapping[str, Any]
Stem = Callable[[str], str]


class Result(NamedTuple):
    """A line of the list of results."""

    score: int
    name: str
    page: str
    anchor: str


def read_index(folder: Path) -> Index:
    """Read the index of a built guide, which is a call in JavaScript with one JSON argument."""
    text = (folder / "searchindex.js").read_text(encoding="utf-8")
    index: Index = json.loads(text.removeprefix("Search.setIndex(").rstrip(";\n").removesuffix(")"))
    return index


def rounded(number: float) -> int:
    """Round as JavaScript does."""
    return math.floor(number + 0.5)


def by_headings(index: Index, query: str) -> Iterator[Result]:
    """Yield the headings that contain the query and are at most twice as long."""
    for heading, places in index["alltitles"].items():
        if query in heading.lower().strip() and len(query) >= len(heading) / 2:
            for file, anchor in places:
                page, title = index["docnames"][file], index["titles"][file]
                score = rounded(15 * len(query) / len(heading)) + (heading == title)
                name = title if heading == title else f"{title} > {heading}"
                yield Result(score, name, page, anchor or "")


def by_entries(index: Index, query: str) -> Iterator[Result]:
    """Yield the main entries of the index that contain the query and are at most twice as long."""
    for entry, places in index["indexentries"].items():
        if query in entry and len(query) >= len(entry) / 2:
            score = rounded(100 * len(query) / len(entry))
            for file, anchor, main in places:
                if main:
                    yield Result(score, index["titles"][file], index["docnames"][file], anchor)


def by_objects(index: Index, words: set[str]) -> Iterator[Result]:
    """Yield the functions, classes and attributes whose names contain one of the words."""
    for word in words:
        for prefix, found in index["objects"].items():
            for file, kind, priority, _, name in found:
                full = f"{prefix}.{name}" if prefix else name
                if word not in full.lower():
                    continue
                title = index["titles"][file]
                around = f"{prefix} {name} {index['objnames'][str(kind)][2]} {title}".lower()
                if all(other in around for other in words - {word}):
                    last = full.lower().split(".")[-1]
                    score = 11 if word in {last, full.lower()} else 6 if word in last else 0
                    score += {0: 15, 1: 5, 2: -5}.get(priority, 0)
                    yield Result(score, full, index["docnames"][file], full)


def files_with(index: Index, word: str) -> dict[int, int]:
    """Return the score of every file that contains a stemmed word, or a part of a word."""
    found: dict[int, int] = {}
    whole: list[tuple[Any, int]] = []
    parts: list[tuple[Any, int]] = []
    for kind, score, partial in (("terms", 5, 2), ("titleterms", 15, 7)):
        words = index[kind]
        if word in words:
            whole.append((words[word], score))
        elif len(word) > 2:
            parts += [(files, partial) for term, files in words.items() if word in term]
    for files, score in whole + parts:  # later scores replace earlier ones, as in the browser
        found.update(dict.fromkeys(files if isinstance(files, list) else [files], score))
    return found


def by_words(index: Index, words: set[str]) -> Iterator[Result]:
    """Yield the pages that contain all words; those of two letters may be missing."""
    scores = {word: files_with(index, word) for word in words}
    long = [word for word in words if len(word) > 2]
    for file in set().union(*scores.values()):
        there = [word for word in words if file in scores[word]]
        if len(there) in {len(words), len(long)}:
            score = max(scores[word][file] for word in there)
            yield Result(score, index["titles"][file], index["docnames"][file], "")


def results(index: Index, query: str, stem: Stem, stopwords: frozenset[str]) -> list[Result]:
    """Return the results of a search, the best first."""
    text = query.lower().strip()
    spoken = set(re.findall(r"\w+", text))
    words = {stem(word) for word in spoken - stopwords if not word.isdigit()}
    found = [
        *by_headings(index, text),
        *by_entries(index, text),
        *by_objects(index, spoken),
        *by_words(index, words),
    ]
    found.reverse()  # the browser sorts the best to the end and reads from there
    best = sorted(found, key=lambda result: (-result.score, result.name.lower()))
    places: dict[tuple[str, ...], Result] = {}
    for result in best:
        places.setdefault(result[1:], result)
    return list(places.values())


def missed(
    index: Index, searches: Mapping[str, str], stem: Stem, stopwords: frozenset[str]
) -> list[str]:
    """Return a sentence for every search whose page is not among the first results."""
    faults = []
    for query, page in searches.items():
        first = results(index, query, stem, stopwords)[:FIRST]
        if page not in {result.page for result in first}:
            pages = ", ".join(result.page for result in first) or "nothing"
            faults.append(f"{query!r} must find {page}, but finds {pages}")
    return faults


def main(folder: str) -> None:
    """Search the guide for all the words."""
    from sphinx.search.en import SearchEnglish

    english = SearchEnglish({})
    index = read_index(Path(folder))
    faults = missed(index, SEARCHES, english.stem, frozenset(english.stopwords))
    print(f"{len(SEARCHES)} searches, {len(SEARCHES) - len(faults)} find their page")
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: check_search.py FOLDER")
    main(sys.argv[1])
