"""The part that the configs of all networks share: they are saved in checkpoints as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from dpanet.errors import ConfigError
from dpanet.network.old_names import rename_keys


@dataclass(frozen=True)
class ModelConfig:
    """Everything that decides the shape of a network. Each network has its own subclass."""

    @property
    def multiple_of(self) -> int:
        """Number of px that both sides of the picture are padded to a multiple of."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the config whose plain values are `values`: those of `to_dict`, or of JSON (lists for tuples).

        Raises:
            ConfigError: if a key is unknown or missing, or a value is not allowed.
        """
        if not isinstance(values, Mapping):
            raise ConfigError(
                "the network's config is no table of keys and values; convert the checkpoint again"
            )
        values = rename_keys(values)
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ConfigError(f"the network's config has the unknown key {unknown[0]!r}; use a newer dpanet")
        try:
            return cls(**{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})
        except TypeError as error:
            raise ConfigError(
                f"the network's config is not usable ({error}); convert or train the checkpoint again"
            ) from error
