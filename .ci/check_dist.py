"""Check the contents of wheels and a source distribution, and print their sizes.

usage: check_dist.py WHEEL ... SDIST
"""

import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path, PurePosixPath

REPO = Path(__file__).parent.parent
MOST_PACKED = 3.0  # MB
ALLOWED = {".py", ".pyi", ".typed", ".so", ""}
"""Endings of files in the package; the last one is that of a wheel's description."""
PAGE = "explorer/explorer.html"
"""The only other file: the explorer, which contains its compiled core."""
NEEDED = {"__init__.py", "py.typed", "_core.pyi", "cli/__init__.py", "figures/__init__.py", PAGE}
COPIED = "lindmft/.dylibs/"
"""The folder of the libraries that are copied into wheels for macOS."""
SYSTEMS = ("manylinux", "macosx")
"""Systems of the wheels that can be published."""


def check(holds: bool, complaint: str) -> None:
    """Exit with the message unless the condition is true."""
    if not holds:
        sys.exit(f"check_dist: {complaint}")


def check_wheel(path: Path) -> None:
    """Check that a wheel has the whole package, and no headers, tests or second BLAS."""
    with zipfile.ZipFile(path) as wheel:
        sizes = {entry.filename: entry.file_size for entry in wheel.infolist()}
        (about,) = [name for name in sizes if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(wheel.read(about).decode())
    package = {name.removeprefix("lindmft/") for name in sizes if name.startswith("lindmft/")}
    missing = NEEDED - package
    check(not missing, f"{path.name} lacks {sorted(missing)}")
    compiled = [name for name in package if name.endswith(".so")]
    check(len(compiled) == 1 and compiled[0].startswith("_core"), f"compiled modules: {compiled}")
    sources = {
        str(file.relative_to(REPO / "python" / "lindmft"))
        for file in (REPO / "python" / "lindmft").rglob("*.py")
    }
    check(sources <= package, f"{path.name} lacks {sorted(sources - package)}")
    for name in sizes:
        top, ending = PurePosixPath(name).parts[0], PurePosixPath(name).suffix
        check(top == "lindmft" or re.fullmatch(r"lindmft(-.*\.dist-info|\.libs)", top), name)
        known = ending in ALLOWED or name == f"lindmft/{PAGE}" or name.startswith(COPIED)
        check(top != "lindmft" or known, f"{name} is in the wheel")
        check("openblas" not in name, f"{name}: a second copy of BLAS")
    check(any(s in path.name for s in SYSTEMS), f"{path.name} is for none of {SYSTEMS}")
    needs = [need for need in metadata.get_all("Requires-Dist") or [] if "extra ==" not in need]
    names = sorted(re.split(r"[ (<>=!~;]", need)[0] for need in needs)
    check(names == ["numpy", "scipy-openblas32"], f"the solver alone requires {needs}")
    packed, unpacked = path.stat().st_size / 1e6, sum(sizes.values()) / 1e6
    print(f"{path.name}: {packed:.2f} MB, {unpacked:.2f} MB unpacked, {len(sizes)} files")
    for name in sorted(sizes, key=lambda name: -sizes[name])[:4]:
        print(f"    {sizes[name] / 1e6:.2f} MB  {name}")
    check(packed < MOST_PACKED, f"{path.name} has more than {MOST_PACKED} MB")


def check_sdist(path: Path) -> None:
    """Check that a source distribution has the files under version control and the metadata."""
    with tarfile.open(path) as sdist:
        members = [member for member in sdist if member.isfile()]
    found = {member.name.partition("/")[2] for member in members} - {"PKG-INFO"}
    listed = subprocess.run(
        ["git", "ls-files"], cwd=REPO, text=True, capture_output=True, check=True
    )
    tracked = set(listed.stdout.splitlines())
    check(found == tracked, f"{path.name} differs from the repository in {sorted(found ^ tracked)}")
    unpacked = sum(member.size for member in members) / 1e6
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {unpacked:.2f} MB unpacked")


if __name__ == "__main__":
    *wheels, sdist = map(Path, sys.argv[1:]) if len(sys.argv) > 2 else sys.exit(__doc__)
    for wheel in wheels:
        check_wheel(wheel)
    check_sdist(sdist)
