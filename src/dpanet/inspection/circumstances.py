"""How the views of an inspection were read, which decides what can be advised."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Circumstances:
    """How two views were read."""

    flat_field: bool = False
    """Whether they were evened out by white sheets."""
    sheets_option: str = ""
    """Options by which white sheets can be given beside those that were given; empty if they cannot."""
    scale: str = ""
    """Sentence on values that seem to have another white or black than they were read with; empty if they do not."""


ORDINARY = Circumstances()
"""Those of views that are no raw values."""
