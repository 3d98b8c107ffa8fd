"""Pictures of the gallery: those of figures that pyplot does not know of."""

from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


def scrape(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any], **_: Any) -> str:
    """The figure that a block of code called ``picture``, taken out once it is saved."""
    picture = block_vars["example_globals"].pop("picture", None)
    if not isinstance(picture, Figure):
        return ""
    path = next(block_vars["image_path_iterator"])
    picture.savefig(path, dpi=150)
    return str(figure_rst([path], gallery_conf["src_dir"]))


def _get_sg_image_scraper() -> Any:
    """Sphinx-gallery asks modules that it knows by name for their scraper."""
    return scrape
