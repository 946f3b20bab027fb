"""The command line: one file per command; heavy imports stand inside the command."""

from dpanet.cli.program import main

__all__ = ["main"]
