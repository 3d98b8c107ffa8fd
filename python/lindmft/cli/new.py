"""The command ``new``: a problem file to start from, with a comment on every value."""

from pathlib import Path

import click

from lindmft._internal.files import write_text
from lindmft.cli import files
from lindmft.cli.options import FORCE

RATIO = """\
width = 1.0         # hidden units per input dimension; a list gives every layer its width"""
COUNT = """\
hidden = 512        # hidden units; a list gives every layer its number"""
DATA = {
    "full_batch": """\
kind = "full_batch" # all samples in every step
alpha = 2.0         # samples per input dimension""",
    "multi_pass": """\
kind = "multi_pass" # the same samples throughout, a random fraction of them in every step
alpha = 2.0         # samples per input dimension
batch_fraction = 0.5 # fraction of the samples in a batch""",
    "epochs": """\
kind = "epochs"     # the same samples throughout, each once in every epoch, in random batches
alpha = 2.0         # samples per input dimension, P / D
batches = 10        # batches, or steps, of an epoch""",
    "one_pass": """\
kind = "one_pass"   # fresh samples in every step
alpha = 1.0         # samples of a batch per input dimension""",
    "population": """\
kind = "population" # infinitely many samples: the gradient of the mean loss""",
    "power_law": """\
kind = "one_pass"   # fresh samples in every step
batch = 512         # samples of a batch""",
}
SPECTRUM = """
[data.spectrum]     # inputs whose variances fall like a power law
kind = "power_law"  # or "discrete" with eigenvalues, target_power and weights
capacity = 1.5      # eigenvalue k is k^-capacity
source = 0.5        # how fast the target's component in mode k falls
modes = 256         # number of modes
"""
COLUMN = 22
"""The column in which comments begin."""
LR = {"power_law": 0.1, "population": 0.02}
PROBLEM = """\
# A problem: a network, its data and its optimizer. All keys: the classes MLP, ResNet, FullBatch,
# MultiPass, Epochs, OnePass, Population and SGD of the Python package.
#
#   lindmft solve {name} --output theory.nc
#   lindmft train {name} --output runs.nc
#   lindmft compare theory.nc runs.nc
#   lindmft tune {name}
#
# A value can be changed without editing the file: --set optimizer.lr=0.1

[network]
kind = "mlp"        # or "resnet": a residual network
depth = 2           # hidden layers
{size}
gamma0 = 1.0        # richness: how far features move; small is lazy

[data]
{data}
noise = 0.3         # standard deviation of the label noise
{spectrum}
[optimizer]
lr = {lr} # learning rate, of order one at every size; a list has the rate of every step
momentum = 0.0      # heavy-ball momentum, from 0 to below 1; or a list

[run]               # used by the commands unless an option overrides it
steps = 100         # of lindmft solve, train and tune
{time}{dim}
seeds = 8           # of lindmft train: number of networks
"""
DIM = "dim = 256           # of lindmft train: input dimension, on which the sizes above depend"
TIME = "time = 10.0 # of lindmft flow: learning rate times steps\n"
FLOWS = ("full_batch", "population")
MODES = "# dim = 256         # of lindmft train: leading modes to keep; without it all"


def starter(name: str, data: str) -> str:
    """Return the text of a file called ``name`` with this kind of data."""
    law = data == "power_law"
    text = PROBLEM.format(
        name=name,
        size=COUNT if law else RATIO,
        data=DATA[data],
        spectrum=SPECTRUM if law else "",
        lr=LR.get(data, 0.05),
        time=TIME if data in FLOWS else "",
        dim=MODES if law else DIM,
    )
    return "\n".join(map(_aligned, text.splitlines())) + "\n"


def _aligned(line: str) -> str:
    """Move the comment of a line to the column of all comments."""
    value, mark, comment = line.partition(" #")
    return f"{value.rstrip():<{COLUMN}}#{comment}" if mark else line


@click.command("new", short_help="Write a commented problem file to start from.")
@click.argument("problem", type=click.Path(path_type=Path))
@click.option(
    "--data",
    type=click.Choice(list(DATA)),
    default="full_batch",
    show_default=True,
    help="The kind of data; power_law: fresh samples of inputs with a power-law spectrum.",
)
@FORCE
def new_command(problem: Path, data: str, force: bool) -> None:
    """Write a problem file that can be solved and trained as it is, with a comment on every value.

    \b
    Examples:
      lindmft new problem.toml
      lindmft new online.toml --data one_pass
    """
    if problem.suffix.lower() != ".toml":
        raise ValueError(f"{problem} must be a file ending in '.toml'")
    files.check_writable(problem, force=force)
    write_text(starter(problem.name, data), problem)
    click.echo(f"wrote {problem}; next: lindmft solve {problem}")
