"""The networks: two views in, the deblurred picture out. Tensors only; files are read and written elsewhere.

Names are imported when they are first used: what a network describes of itself is known without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dpanet.network.base import Network
    from dpanet.network.description import Description
    from dpanet.network.dpanet import DPANet
    from dpanet.network.dpanet_config import DPANetConfig
    from dpanet.network.families import build
    from dpanet.network.presets import PRESETS, preset

__all__ = ["PRESETS", "DPANet", "DPANetConfig", "Description", "Network", "build", "preset"]

_MODULES = {
    "PRESETS": "presets",
    "DPANet": "dpanet",
    "DPANetConfig": "dpanet_config",
    "Description": "description",
    "Network": "base",
    "build": "families",
    "preset": "presets",
}
"""Where each name is defined."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'dpanet.network' has no attribute {name!r}")
    return getattr(import_module(f"dpanet.network.{_MODULES[name]}"), name)
