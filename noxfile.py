"""All tests against the oldest and the newest dependencies that the project promises."""

import nox

nox.options.sessions = ["newest", "oldest"]

TIERS = (["-m", "not long"], ["-m", "long", "-n", "0"])
"""The long tests run one after the other: many end processes at set moments."""

BEFORE_WARNINGS = ("pyparsing<3.3", "numcodecs<0.16.4")
"""Later releases warn of the calls of the oldest matplotlib and zarr; tests allow no warnings."""

OUTPUTS = (
    "tests/docs/test_guide.py::test_pages_run_and_print_what_they_show",
    "tests/docs/test_notebooks.py::test_notebooks_print_and_draw_what_they_show",
)
"""Tests of shown outputs: older libraries print numbers and tables differently."""


@nox.session
def newest(session: nox.Session) -> None:
    """The newest releases of everything."""
    session.install(".[test]")
    for tier in TIERS:
        session.run("pytest", *tier, *session.posargs)


@nox.session
def oldest(session: nox.Session) -> None:
    """The lower bounds of pyproject.toml, in the build as well; CMake and Ninja from the system."""
    bounds = session.run("python", ".ci/lower_bounds.py", silent=True)
    session.install(*str(bounds).split(), *BEFORE_WARNINGS)
    session.install("--no-build-isolation", ".[test]")
    # libraries of then warn of what libraries of today have deprecated since
    options = ["-W", "default::DeprecationWarning", *(f"--deselect={test}" for test in OUTPUTS)]
    for tier in TIERS:
        session.run("pytest", *tier, *options, *session.posargs)
