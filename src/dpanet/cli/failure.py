"""How a failure is reported: one line on standard error, and an exit code."""

from __future__ import annotations

import sys

DONE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""


class UsageError(Exception):
    """Options that do not go together; the text is one clear sentence."""


def print_error(message: str) -> None:
    """Print a failure as one line on standard error."""
    print("dpanet: error:", " ".join(message.split()), file=sys.stderr)
