"""Only one file of the core asks for the system, the processor or the compiler."""

import re
from pathlib import Path

import pytest
from documents import ROOT

ASKS = re.compile(
    r"\b(?:__linux__|__unix__|__APPLE__|_WIN32|_MSC_VER|__GLIBC__|__GNUC__|__clang__"
    r"|__x86_64__|__aarch64__|__EMSCRIPTEN__|__builtin_cpu_\w+)\b"
    r"|#include <(?:sys/\S+|unistd\.h|sched\.h|pthread\.h|malloc\.h|mach/\S+)>"
    r"|\"/(?:proc|sys)/"
)
"""Macros and headers that differ between systems, and files that only Linux has."""

PLACES = {"platform.cpp", "platform.hpp", "control_groups.hpp"}
"""Files of cpp/src/support that may have them; the last one names the folders of groups."""


def sources() -> list[Path]:
    return [*(ROOT / "cpp" / "src").rglob("*.?pp"), *(ROOT / "cpp" / "bindings").glob("*.?pp")]


def test_other_files_do_not_ask() -> None:
    found = {path.name: ASKS.findall(path.read_text()) for path in sources()}
    assert {name for name, words in found.items() if words} == PLACES


@pytest.mark.parametrize(
    "line",
    ["#ifdef __linux__", "#include <sys/resource.h>", '  std::ifstream file("/proc/meminfo");'],
)
def test_what_belongs_there_is_found(line: str) -> None:
    assert ASKS.search(line)
