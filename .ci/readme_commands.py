"""Print the two set-up commands of the README: the block after each of two marker comments.

Continuous integration runs exactly these commands.
"""

import re
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
MARKERS = ("run", "test")


def command(marker: str) -> str:
    """Return the block that follows ``<!-- command: marker -->``."""
    pattern = rf"<!-- command: {marker} -->\s*```sh\n(.*?)```"
    found = re.findall(pattern, README.read_text(), flags=re.DOTALL)
    if len(found) != 1:
        sys.exit(
            f"README.md must have one block after <!-- command: {marker} -->, found {len(found)}"
        )
    return str(found[0]).strip()


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in MARKERS:
        sys.exit(f"usage: readme_commands.py {'|'.join(MARKERS)}")
    print(command(sys.argv[1]))
