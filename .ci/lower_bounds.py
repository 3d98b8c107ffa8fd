"""Print the oldest releases that pyproject.toml allows, of all packages that users and tests need.

pip install $(python .ci/lower_bounds.py)

The bound of zarr is 3: stores of sweeps have format 3, which zarr 2 cannot read.
"""

import tomllib
from pathlib import Path

EXTRAS = ("cli", "io", "plot", "sweep", "dask", "test")


def lower_bounds() -> list[str]:
    """Return requirements for pip: exactly the bounds, not the newest releases of their series."""
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text()
    tables = tomllib.loads(text)
    extras = tables["project"]["optional-dependencies"]
    requirements = {
        *tables["build-system"]["requires"],
        *tables["project"]["dependencies"],
        *(requirement for extra in EXTRAS for requirement in extras[extra]),
    }
    others = {requirement for requirement in requirements if not requirement.startswith("lindmft[")}
    return sorted(requirement.replace(">=", "==") for requirement in others)


if __name__ == "__main__":
    print(*lower_bounds())
