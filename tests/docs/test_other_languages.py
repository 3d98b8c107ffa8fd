"""The examples in C and Fortran agree with the header of the C interface and with the package.

tests/cpp/consumer/run.sh builds and runs them with the installed library.
"""

import re

from documents import ROOT

import lindmft as lm

HEADER = (ROOT / "cpp" / "include" / "lindmft" / "lindmft.h").read_text()
MODULE = (ROOT / "examples" / "fortran" / "lindmft.f90").read_text()
DECLARED = re.compile(r"^LINDMFT_EXPORT [^(]*?(lindmft_\w+)\(([^)]*)\);", flags=re.MULTILINE)
INTERFACE = re.compile(
    r"^ +(function|subroutine) (lindmft_\w+)\((.*?)\) bind\(c\)"
    r"(.*?)^ +end (?:function|subroutine)$",
    flags=re.MULTILINE | re.DOTALL,
)
TYPES = {
    "c_ptr": r"(const )?(lindmft_\w+|void|char)\*",
    "c_funptr": "lindmft_progress",
    "c_double": "double",
    "c_int": "int",
    "c_size_t": "size_t",
}
"""Fortran's types of values, and patterns of their types in C."""


def parameters(text: str) -> list[str]:
    """Return the types of the parameters of a declaration in C, with one space between words."""
    found = (" ".join(part.split()) for part in text.split(",") if part.strip() != "void")
    return [re.sub(r" \w+(\[3\])?$", r"\1", part) for part in found]


def by_value(body: str, name: str) -> str | None:
    """Return the type of an argument that Fortran passes by value."""
    found = re.search(rf"^ +(?:type|real|integer)\((\w+)\), value :: {name}$", body, re.MULTILINE)
    return found[1] if found else None


def test_the_module_in_fortran_declares_every_function() -> None:
    in_c = {name: parameters(text) for name, text in DECLARED.findall(HEADER)}
    in_fortran = {
        name: ([part.strip() for part in arguments.split(",") if part.strip()], body, kind)
        for kind, name, arguments, body in INTERFACE.findall(MODULE)
    }
    assert in_fortran.keys() == in_c.keys()
    assert len(in_c) > 20
    for name, types in in_c.items():
        arguments, body, kind = in_fortran[name]
        assert len(arguments) == len(types), name
        assert (kind == "subroutine") == name.endswith("_free")
        for argument, type_in_c in zip(arguments, types, strict=True):
            type_in_fortran = by_value(body, argument)
            # Texts, arrays and pointers to results are passed by reference.
            reference = r"const char\*|(const )?double\*|const uint64_t\*|size_t(\*|\[3\])|.*\*\*"
            pattern = TYPES[type_in_fortran] if type_in_fortran else reference
            assert re.fullmatch(pattern, type_in_c), (name, argument, type_in_c)


def test_statuses_are_those_of_the_header() -> None:
    in_c = re.findall(r"^  (LINDMFT_\w+) = (\d)", HEADER, flags=re.MULTILINE)
    assert in_c == re.findall(r"enumerator :: (\w+) = (\d)", MODULE)
    assert len(in_c) == 6


def test_the_first_program_prints_the_losses_of_the_package() -> None:
    shown = (ROOT / "examples" / "c" / "first_curve.txt").read_text()
    problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
    losses = lm.solve(problem, 50).test_loss
    lines = [f"step {t:2d}  test loss {losses[t]:.4f}\n" for t in range(0, 50, 10)]
    assert shown == "".join(lines)
