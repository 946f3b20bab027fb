"""Networks by name: every preset of every family, and every family from its saved configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from dpanet.errors import ConfigError
from dpanet.network.dpanet import DPANet
from dpanet.network.dpdnet import DPDNET_PRESETS, DPDNet, DPDNetConfig
from dpanet.network.presets import PRESETS, DPANetConfig
from dpanet.network.unet import UNET_PRESETS, UNet, UNetConfig

AnyNetwork: TypeAlias = DPANet | DPDNet | UNet
"""Called with two views, it returns the picture; it has a `config` and a `description`."""


FAMILIES: dict[str, tuple[Any, Any, Mapping[str, Any]]] = {
    "dpanet": (DPANet, DPANetConfig, PRESETS),
    "dpdnet": (DPDNet, DPDNetConfig, DPDNET_PRESETS),
    "unet": (UNet, UNetConfig, UNET_PRESETS),
}
"""By the word that checkpoints use: the network, its configuration, its presets."""


def build(name: str) -> AnyNetwork:
    """An untrained network of the preset `name`. Raises: ConfigError if no family has it."""
    for network, _, presets in FAMILIES.values():
        if name in presets:
            made: AnyNetwork = network(presets[name])
            return made
    known = [name for _, _, presets in FAMILIES.values() for name in presets]
    raise ConfigError(f"there is no preset {name!r}; choose one of {', '.join(known)}")


def family(network: AnyNetwork) -> str:
    """The word by which checkpoints tell the families apart: ``dpanet``, ``dpdnet`` or ``unet``."""
    return next(word for word, (kind, _, _) in FAMILIES.items() if isinstance(network, kind))


def from_config(family: str, values: dict[str, Any]) -> AnyNetwork:
    """An untrained network of the family and the configuration that a checkpoint names.

    Raises: ConfigError for an unknown family or an unusable configuration.
    """
    if family not in FAMILIES:
        raise ConfigError(
            f"the network is {family!r}; this dpanet knows {', '.join(FAMILIES)}, so use a newer one"
        )
    network, config, _ = FAMILIES[family]
    made: AnyNetwork = network(config.from_dict(values))
    return made
