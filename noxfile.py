"""The tests against the oldest and the newest dependencies that the project promises."""

import nox

nox.options.sessions = ["newest", "oldest"]
OLDEST = [
    "numpy==1.26.*",
    "xarray==2025.1.2.*",
    "h5netcdf==1.3.*",
    "h5py==3.10.*",
    "matplotlib==3.8.*",
    "click==8.1.*",
    "tqdm==4.65.*",
    "zarr==3.1.3.*",
    "distributed==2024.8.*",
    "scipy==1.12.*",
]


@nox.session
def newest(session: nox.Session) -> None:
    """The newest releases of everything."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def oldest(session: nox.Session) -> None:
    """The lower bounds of pyproject.toml."""
    session.install(".[test]", *OLDEST)
    session.run("pytest", *session.posargs)
