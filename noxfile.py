"""All tests against the oldest and the newest dependencies that the project promises."""

import nox

nox.options.sessions = ["newest", "oldest"]

TIERS = (["-m", "not long"], ["-m", "long", "-n", "0"])
"""The long tests run one after the other: many end processes at set moments."""


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
    session.install(*str(bounds).split())
    session.install("--no-build-isolation", ".[test]")
    # libraries of then warn of what libraries of today have deprecated since
    for tier in TIERS:
        session.run("pytest", *tier, "-W", "default::DeprecationWarning", *session.posargs)
