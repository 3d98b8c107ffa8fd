"""The check of wheels finds what does not belong into them."""

import re
import runpy
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from documents import ROOT

SCRIPT = runpy.run_path(str(ROOT / ".ci" / "check_dist.py"))
PACKAGE = ROOT / "python" / "lindmft"
NEEDS = ("numpy>=1.26", "scipy-openblas32>=0.3.33.112", "click>=8.2; extra == 'cli'")
LINUX = "manylinux_2_28_x86_64"


def wheel(
    folder: Path, *more: str, without: str = "", system: str = LINUX, needs: tuple[str, ...] = NEEDS
) -> Path:
    """Return a wheel of the sources of the package, with empty compiled files."""
    path = folder / f"lindmft-1.0-cp312-cp312-{system}.whl"
    files = [
        file for ending in ("*.py", "*.pyi", "*.typed", "*.html") for file in PACKAGE.rglob(ending)
    ]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for file in files:
            name = str(file.relative_to(PACKAGE.parent))
            if name != without:
                out.write(file, name)
        for name in ("lindmft/_core.so", *more):
            out.writestr(name, "")
        lines = "".join(f"Requires-Dist: {need}\n" for need in needs)
        out.writestr("lindmft-1.0.dist-info/METADATA", f"Name: lindmft\n{lines}")
    return path


@pytest.fixture
def check() -> Callable[[Path], None]:
    return SCRIPT["check_wheel"]


def test_wheels_of_both_systems_pass(tmp_path: Path, check: Callable[[Path], None]) -> None:
    check(wheel(tmp_path, "lindmft.libs/libgomp.so.1"))
    check(wheel(tmp_path, "lindmft/.dylibs/libomp.dylib", system="macosx_15_0_arm64"))


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ("tests/test_problem.py", "tests/test_problem.py"),
        ("lindmft/include/lindmft.h", "lindmft/include/lindmft.h is in the wheel"),
        ("lindmft/explorer/notes.html", "lindmft/explorer/notes.html is in the wheel"),
        ("lindmft/_core.abi3.so", "compiled modules"),
        ("lindmft.libs/libscipy_openblas.so", "a second copy of BLAS"),
        ("lindmft/.dylibs/libscipy_openblas.dylib", "a second copy of BLAS"),
    ],
)
def test_other_files_are_refused(
    more: str, complaint: str, tmp_path: Path, check: Callable[[Path], None]
) -> None:
    with pytest.raises(SystemExit, match=re.escape(complaint)):
        check(wheel(tmp_path, more))


@pytest.mark.parametrize("gone", ["explorer/explorer.html", "py.typed", "sweeps/__init__.py"])
def test_missing_files_are_found(gone: str, tmp_path: Path, check: Callable[[Path], None]) -> None:
    with pytest.raises(SystemExit, match=re.escape(f"lacks ['{gone}']")):
        check(wheel(tmp_path, without=f"lindmft/{gone}"))


def test_wheels_of_one_machine_are_refused(tmp_path: Path, check: Callable[[Path], None]) -> None:
    with pytest.raises(SystemExit, match="is for none of"):
        check(wheel(tmp_path, system="linux_x86_64"))


def test_more_requirements_are_refused(tmp_path: Path, check: Callable[[Path], None]) -> None:
    with pytest.raises(SystemExit, match="requires"):
        check(wheel(tmp_path, needs=(*NEEDS, "scipy>=1.12")))
