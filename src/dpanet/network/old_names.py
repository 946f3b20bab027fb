"""Earlier names of config keys and parameters, under which saved models are still read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")

_KEYS = {"bottom": "bottleneck", "bottom_width": "bottleneck_width", "bottom_blocks": "bottleneck_blocks"}

_PARAMETERS = (
    (re.compile(r"^bottom(?=\.|_right\.)"), "bottleneck"),
    (re.compile(r"(?<=\.)guide_(?=left\.|right\.)"), "offset_mask_"),
)


def rename_keys(config: Mapping[str, Value]) -> dict[str, Value]:
    """Return the plain values of a network's config under today's keys."""
    return {_KEYS.get(key, key): value for key, value in config.items()}


def rename_parameters(tensors: Mapping[str, Value]) -> dict[str, Value]:
    """Return the parameters of a network under today's names."""
    renamed = {}
    for name, tensor in tensors.items():
        for pattern, replacement in _PARAMETERS:
            name = pattern.sub(replacement, name)
        renamed[name] = tensor
    return renamed
