"""What the configurations of all networks have in common: they are read back from checkpoints."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from dpanet.errors import ConfigError

Config = TypeVar("Config")


def from_plain(config: type[Config], values: dict[str, Any]) -> Config:
    """The configuration whose plain values (of JSON: lists for tuples) are `values`.

    Raises: ConfigError for an unknown or missing key or a bad value.
    """
    unknown = sorted(set(values) - {f.name for f in fields(config)})  # type: ignore[arg-type]
    if unknown:
        raise ConfigError(
            f"the network's configuration has the unknown key {unknown[0]!r}; use a newer dpanet"
        )
    try:
        return config(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
    except TypeError as error:
        raise ConfigError(
            f"the network's configuration is unusable ({error}); convert or train the checkpoint again"
        ) from error
