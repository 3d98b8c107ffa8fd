"""The command that compares theory with training on random problems."""

import time
from pathlib import Path

import click

from lindmft._internal.optional import optional
from lindmft.analysis.verification import FEWEST_PROBLEMS, Case, Verification, cases, check_count
from lindmft.cli import files, verification_page
from lindmft.cli.options import FORCE, THREADS, WHOLE, folder

USUAL = {"count": 400, "dim": 128, "seeds": 64}
QUICK = {"count": 200, "dim": 64, "seeds": 32}


@click.command("verify", short_help="Theory against training on random problems.")
@click.option("--quick", is_flag=True, help="Fewer problems and smaller networks: a minute or two.")
@click.option("--count", type=WHOLE, help="Random problems.  [default: 400; quick: 200]")
@click.option(
    "--dim",
    type=WHOLE,
    help="D of the smaller networks; the larger have twice that.  [default: 128; quick: 64]",
)
@click.option(
    "--seeds", type=WHOLE, help="Networks for each problem and size.  [default: 64; quick: 32]"
)
@click.option(
    "--seed",
    type=WHOLE,
    default=0,
    show_default=True,
    help="The stream of random problems and networks.",
)
@folder("verification")
@THREADS
@FORCE
def verify_command(
    quick: bool,
    count: int | None,
    dim: int | None,
    seeds: int | None,
    seed: int,
    output: Path,
    threads: int | None,
    force: bool,
) -> None:
    """Solve and train random problems, and compare the z-scores with chance.

    Writes a page (verification.html), its picture (png, svg) and the numbers (csv). Exit code 1
    means that theory and training differ by more than chance. Ctrl-C ends it early, with a page of
    the finished problems if they are ten or more.

    \b
    Examples:
      lindmft verify --quick
      lindmft verify --count 1000 --seed 7 --output campaign
    """
    given = {"count": count, "dim": dim, "seeds": seeds}
    usual = QUICK if quick else USUAL
    size = {name: usual[name] if value is None else value for name, value in given.items()}
    check_count(size["count"])
    drawn = cases(**size, seed=seed, threads=threads, progress=True)
    optional("matplotlib.figure", "plot")
    for path in verification_page.paths(output) if output.is_dir() else [output]:
        files.check_writable(path, force=force)
    start = time.perf_counter()
    done: list[Case] = []
    try:
        for case in drawn:
            done.append(case)  # noqa: PERF402 - kept one by one, for Ctrl-C
    except KeyboardInterrupt:  # or SIGTERM
        click.echo(f"{len(done)} of {size['count']} problems are done.", err=True)
        if len(done) >= FEWEST_PROBLEMS:
            _report(done, size["dim"], seed, output, time.perf_counter() - start)
        raise
    found = _report(done, size["dim"], seed, output, time.perf_counter() - start)
    if not found.passed:
        raise click.exceptions.Exit(1)


def _report(done: list[Case], dim: int, seed: int, output: Path, seconds: float) -> Verification:
    found = Verification(tuple(done), dim, seed)
    click.echo(found.summary())
    output.mkdir(exist_ok=True)
    paths = verification_page.write(found, output, seconds)
    click.echo(f"wrote {', '.join(str(path) for path in paths)} ({seconds:.0f} s)")
    return found
