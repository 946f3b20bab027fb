"""Print a share as percent, the same wherever it stands."""

from __future__ import annotations


def percent(share: float) -> str:
    """Return a share, 0..1, in percent with two digits below 10 %: ``4.8 %``, ``17 %``."""
    if share == 0 or share >= 0.0995:
        return f"{100 * share:.0f} %"
    return f"{100 * share:.2g} %" if share >= 1e-4 else "under 0.01 %"
