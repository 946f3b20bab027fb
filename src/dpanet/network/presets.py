"""The named configs of a DPANet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dpanet.errors import ConfigError
from dpanet.network.dpanet_config import DPANetConfig

PAPER = DPANetConfig(
    name="paper",
    widths=(64, 128, 256, 512),
    blocks=(2, 2, 2, 2),
    decoder_blocks=(2, 2, 2, 2),
    bottleneck_blocks=2,
    bottleneck_width=512,
    stem="pyramid",
    pooling="max",
    upsampling="nearest",
    head="sigmoid",
    bottleneck="cropped",
)
"""The published network, exactly: 63,983,859 parameters."""

COMPACT = DPANetConfig(
    name="compact",
    widths=(24, 48, 96, 128),
    decoder_widths=(32, 64, 128, 192),
    blocks=(1, 1, 1, 1),
    decoder_blocks=(1, 2, 2, 2),
    bottleneck_blocks=1,
    bottleneck_width=128,
    stem="unshuffle",
    pooling="stride",
    upsampling="shuffle",
    head="pyramid",
    slope=0.1,
    first_aligned=2,
    radius=(1, 4),
    taps=1,
    groups=8,
    cost_width=32,
    keep_unaligned=True,
)
"""The same four ideas, small enough for a CPU."""

PRESETS: dict[str, DPANetConfig] = {"paper": PAPER, "compact": COMPACT}
"""Configs by name."""


def preset(name: str, /, **changes: Any) -> DPANetConfig:
    """Return the config of a preset, with ablation switches or other fields changed.

    Args:
        name: key of `PRESETS`.
        **changes: new values of fields of `DPANetConfig`.

    Raises:
        ConfigError: if the name or a field is unknown, or a value is not allowed.
    """
    if name not in PRESETS:
        raise ConfigError(f"there is no preset {name!r}; choose one of {', '.join(PRESETS)}")
    try:
        return replace(PRESETS[name], **changes)
    except TypeError as error:
        raise ConfigError(f"a preset cannot be changed that way: {error}") from error
