"""The command ``lindmft``: its entry point, which needs click only once it runs."""

import sys


def main() -> None:
    """Run the command line; without click, say how to get it."""
    try:
        from lindmft.cli.commands import commands
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        print("Error: the command lindmft needs click: pip install 'lindmft[cli]'", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
    commands(prog_name="lindmft")
