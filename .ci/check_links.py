"""Check that every link of the built guide leads to an existing file and anchor.

Links to other sites are not checked.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors = {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the links and anchors of a tag."""
        for name, value in attrs:
            if name == "id" or (name, tag) == ("name", "a"):
                self.anchors.add(value or "")
            elif name in {"href", "src"}:
                self.links.append(value or "")


def broken(pages: dict[Path, Page]) -> list[str]:
    """Return the links that lead nowhere, with their pages."""
    found = []
    for path, page in pages.items():
        for link in dict.fromkeys(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                found.append(f"{path}: {link}: no such file")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{path}: {link}: no such anchor")
    return found


def main(folder: str) -> None:
    """Read the pages, and print the broken links."""
    paths = sorted(Path(folder).resolve().rglob("*.html"))
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in paths}
    links = sum(len(page.links) for page in pages.values())
    print(f"{len(pages)} pages, {links} links")
    if found := broken(pages):
        sys.exit("\n".join(found))
    if not links:
        sys.exit(f"no links in {folder}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: check_links.py FOLDER")
    main(sys.argv[1])
