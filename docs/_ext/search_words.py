"""Words by which the search finds a section, written as a comment below its heading.

A page has, for example, ``<!-- search: ReLU, activation -->``. The words become entries of the
index that lead to the section, and the search ranks such entries above words in the text. Words of
whole pages stand here.
"""

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

COMMENT = re.compile(r"<!-- search: ([^>]+?) -->")

OF_PAGES = {
    "accuracy": "limits, limitations, accuracy, not covered, error",
    "clusters": "Slurm, Dask, cluster, HPC",
    "concepts/richness": "lazy, rich, richness, kernel regime",
    "howto/averages": "EMA, weight averaging, stochastic weight averaging, SWA, model soup",
    "howto/batches": "shuffling, shuffled, epochs, minibatches",
    "howto/command_line": "command line, shell, terminal, CLI",
    "howto/edge": "edge of stability, sharpness, Hessian, progressive sharpening",
    "howto/explorer": "explorer, interactive, browser, sliders, without code, demo",
    "howto/fine_tuning": "fine-tuning, finetuning, transfer learning, pretraining, forgetting",
    "howto/own_spectrum": "own data, my data, real data, from_data, covariance",
    "howto/pytorch": "PyTorch, torch, my code, convert",
    "howto/results": "save, load, NetCDF, xarray, files",
    "observables": "ensembles, bias and variance, infinite depth, kernel, several outputs",
    "performance": "speed, how fast, performance, benchmark, benchmarks, time",
    "start": "install, installation, pip, first steps, getting started",
    "time": "long training, million steps, gradient flow, checkpoint",
    "tour": "power law, examples, overview",
    "transfer": "learning rate transfer, best learning rate, compute-optimal, coordinate check",
}
"""Words by page."""


def words(text: str) -> list[str]:
    """Return the words of a comment; none if it is another comment."""
    found = COMMENT.fullmatch(text.strip())
    return [word.strip() for word in found[1].split(",")] if found else []


class SearchWords(SphinxTransform):
    """Change the comments of a page into entries of the index."""

    default_priority = 400  # before Sphinx collects the entries of a page

    def apply(self, **kwargs: Any) -> None:
        """Put the entries into the sections that contain the comments, and into the page."""
        for comment in list(self.document.findall(nodes.raw)):
            if found := words(comment.astext()):
                comment.replace_self(entries(section_of(comment), found))
        page = next(iter(self.document.findall(nodes.section)), None)
        if page is not None and (of_page := OF_PAGES.get(self.env.docname)):
            page.insert(1, entries(page, of_page.split(", ")))


def section_of(node: nodes.Node) -> nodes.Element:
    """Return the section that contains a node."""
    above = node.parent
    while not isinstance(above, nodes.section):
        above = above.parent
    return above


def entries(section: nodes.Element, found: list[str]) -> nodes.Element:
    """Return main entries of the index that lead to a section."""
    label = section["ids"][0]
    return addnodes.index(entries=[("single", word, label, "main", None) for word in found])
