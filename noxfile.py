"""All tests against the oldest and the newest dependencies that the project promises."""

import nox

nox.options.sessions = ["newest", "oldest"]


@nox.session
def newest(session: nox.Session) -> None:
    """The newest releases of everything."""
    session.install(".[test]")
    session.run("pytest", "-m", "", *session.posargs)


@nox.session
def oldest(session: nox.Session) -> None:
    """The lower bounds of pyproject.toml, in the build as well; CMake and Ninja from the system."""
    bounds = session.run("python", ".ci/lower_bounds.py", silent=True)
    session.install(*str(bounds).split())
    session.install("--no-build-isolation", ".[test]")
    # libraries of then warn of what libraries of today have deprecated since
    session.run("pytest", "-m", "", "-W", "default::DeprecationWarning", *session.posargs)
