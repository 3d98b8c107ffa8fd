"""The command ``demo``: two problems, theory against training, one picture."""

from pathlib import Path

import click

from lindmft._internal.files import write_picture
from lindmft.cli import demo, files


@click.command("demo", short_help="Two problems, theory against training, one picture.")
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("demo.png"), show_default=True
)
def demo_command(output: Path) -> None:
    """Solve and train two problems at three widths each, print their agreement, draw a picture.

    This takes about ten seconds. A picture of an earlier demonstration is replaced.
    """
    files.check_outputs(None, output, force=True)
    done = demo.cases(progress=True)
    click.echo(demo.table(done))
    write_picture(demo.draw(done), output, dpi=150)
    click.echo(f"wrote {output}")
