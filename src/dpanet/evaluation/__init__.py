"""Score pictures against truths by stated protocols, and compare methods on whole data sets.

Names are imported when they are first used: `psnr` and `mae` need NumPy alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dpanet.extras import named_extra

if TYPE_CHECKING:
    from dpanet.evaluation.metrics import mae, psnr, ssim
    from dpanet.evaluation.protocol import score_aligned, score_as_published
    from dpanet.evaluation.scores import Score

__all__ = ["Score", "mae", "psnr", "score_aligned", "score_as_published", "ssim"]

_MODULES = {
    "Score": "scores",
    "mae": "metrics",
    "psnr": "metrics",
    "score_aligned": "protocol",
    "score_as_published": "protocol",
    "ssim": "metrics",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'dpanet.evaluation' has no attribute {name!r}")
    with named_extra(f"dpanet.evaluation.{name}"):
        return getattr(import_module(f"dpanet.evaluation.{_MODULES[name]}"), name)
