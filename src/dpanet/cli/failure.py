"""How a failure is told: one line on standard error, and an exit code."""

from __future__ import annotations

import sys

DONE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130


class UsageError(Exception):
    """The command was given options that do not go together; its text is one clear sentence."""


def tell(message: str) -> None:
    """Print a failure as one line on standard error."""
    print("dpanet: error:", " ".join(message.split()), file=sys.stderr)
