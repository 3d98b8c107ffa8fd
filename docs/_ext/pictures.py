"""The scraper that finds pictures for the gallery which were made without pyplot."""

from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


def scrape(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any], **_: Any) -> str:
    """Save the figure that a block of code named ``picture``, and remove it from the names."""
    picture = block_vars["example_globals"].pop("picture", None)
    if not isinstance(picture, Figure):
        return ""
    path = next(block_vars["image_path_iterator"])
    picture.savefig(path, dpi=150)
    return str(figure_rst([path], gallery_conf["src_dir"]))


def _get_sg_image_scraper() -> Any:
    """Return the scraper; sphinx-gallery calls this function of modules that it gets by name."""
    return scrape
