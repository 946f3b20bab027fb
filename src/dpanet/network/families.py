"""Build any network by the name of its preset, or from the config in a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dpanet.errors import ConfigError
from dpanet.network.base import Network
from dpanet.network.config import ModelConfig
from dpanet.network.dpanet import DPANet
from dpanet.network.dpanet_config import DPANetConfig
from dpanet.network.dpdnet import DPDNET_PRESETS, DPDNet, DPDNetConfig
from dpanet.network.presets import PRESETS
from dpanet.network.unet import UNET_PRESETS, UNet, UNetConfig


@dataclass(frozen=True)
class Family:
    """One kind of network."""

    network: type[Network]
    """Its class, called with a config."""
    config: type[ModelConfig]
    """The class of its configs."""
    presets: Mapping[str, ModelConfig]
    """Its named configs."""


FAMILIES: dict[str, Family] = {
    DPANet.family: Family(DPANet, DPANetConfig, PRESETS),
    DPDNet.family: Family(DPDNet, DPDNetConfig, DPDNET_PRESETS),
    UNet.family: Family(UNet, UNetConfig, UNET_PRESETS),
}
"""All kinds of networks, by their name in checkpoints."""


def build(name: str) -> Network:
    """Return an untrained network of a preset.

    Raises:
        ConfigError: if no family has a preset of that name.
    """
    for family in FAMILIES.values():
        if name in family.presets:
            return family.network(family.presets[name])
    names = [name for family in FAMILIES.values() for name in family.presets]
    raise ConfigError(f"there is no preset {name!r}; choose one of {', '.join(names)}")


def from_config(family: str, values: Mapping[str, Any]) -> Network:
    """Return an untrained network of the family and the config that a checkpoint names.

    Args:
        family: key of `FAMILIES`.
        values: plain values of the config.

    Raises:
        ConfigError: if the family is unknown or the config not usable.
    """
    if family not in FAMILIES:
        raise ConfigError(
            f"the network is {family!r}; this dpanet has {', '.join(FAMILIES)}, so use a newer one"
        )
    return FAMILIES[family].network(FAMILIES[family].config.from_dict(values))
