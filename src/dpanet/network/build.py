"""Networks by name: every preset of either family, and either family from its saved configuration."""

from __future__ import annotations

from typing import Any, TypeAlias

from dpanet.errors import SettingsError
from dpanet.network.dpanet import DPANet
from dpanet.network.dpdnet import DPDNET_PRESETS, DPDNet, DPDNetConfig
from dpanet.network.presets import PRESETS, DPANetConfig

AnyNetwork: TypeAlias = DPANet | DPDNet
"""Called with two views, it returns the picture; it has a `config` and a `description`."""


def build(name: str) -> AnyNetwork:
    """An untrained network of the preset `name`. Raises: SettingsError if neither family has it."""
    if name in PRESETS:
        return DPANet(PRESETS[name])
    if name in DPDNET_PRESETS:
        return DPDNet(DPDNET_PRESETS[name])
    raise SettingsError(
        f"there is no preset {name!r}; choose one of {', '.join((*PRESETS, *DPDNET_PRESETS))}"
    )


def family(network: AnyNetwork) -> str:
    """The word by which checkpoints tell the families apart: ``dpanet`` or ``dpdnet``."""
    return "dpdnet" if isinstance(network, DPDNet) else "dpanet"


def from_config(family: str, values: dict[str, Any]) -> AnyNetwork:
    """An untrained network of the family and the configuration that a checkpoint names.

    Raises: SettingsError for an unknown family or an unusable configuration.
    """
    if family == "dpanet":
        return DPANet(DPANetConfig.from_dict(values))
    if family == "dpdnet":
        return DPDNet(DPDNetConfig.from_dict(values))
    raise SettingsError(f"the network is {family!r}; this dpanet knows dpanet and dpdnet, so use a newer one")
