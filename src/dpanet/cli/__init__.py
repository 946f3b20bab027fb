"""The command line: one file per command, imports inside the command."""

from dpanet.cli.program import main

__all__ = ["main"]
