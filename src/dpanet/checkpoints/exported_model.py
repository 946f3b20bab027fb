"""What an exported model file says of itself, whatever program wrote or reads it. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dpanet.checkpoints.checksum import NOT_STATED
from dpanet.errors import WeightsError
from dpanet.network.description import Description

KEY = "dpanet"
"""Key of the file's metadata whose value is the JSON of an `ExportedModel`."""

FORMAT = "dpanet-export-1"
"""Value of ``format`` in that JSON."""


def forget_checksum(text: str) -> str:
    """Return the JSON of an `ExportedModel` without the SHA-256 of the file that it was in."""
    return json.dumps({**json.loads(text), "sha256": NOT_STATED}, sort_keys=True)


@dataclass(frozen=True)
class ExportedModel:
    """The description of a network inside an exported file."""

    name: str
    """Of its preset."""
    family: str
    """Kind of network, a key of `dpanet.network.families.FAMILIES`."""
    config: Mapping[str, Any]
    """Plain values of its config."""
    description: Description
    """Needs and capabilities: multiple of px that the sides must be, halo, encoding ..."""
    precision: str
    """Numbers that it computes in: float32, or int8 where convolutions are quantized."""
    weights: str
    """SHA-256 of the weights, in hexadecimal digits."""
    parameters: int
    """Number of them."""
    version: str
    """Version of dpanet that wrote it."""
    license: str = "MIT"
    """License of the weights."""
    inputs: str = "left, right: float32 (1, 3, H, W), RGB, white is 1.0, sides multiples of multiple_of"
    """What it takes, in words."""
    operators: str = "standard"
    """Operators that not every runtime has."""
    sha256: str = NOT_STATED
    """Of the whole file, see `dpanet.checkpoints.checksum.state_checksum`."""

    def to_json(self) -> str:
        """Return the value of the metadata key `KEY`."""
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str | None, file: str) -> ExportedModel:
        """Read the value of the metadata key `KEY`.

        Args:
            text: the value; None if the file has none.
            file: to be named in errors.

        Raises:
            WeightsError: if the file was not written by `dpanet export`, or by a newer one.
        """
        try:
            values = json.loads(text or "")
            if values.pop("format") != FORMAT:
                raise ValueError("another format")
            return cls(**{**values, "description": Description(**values["description"])})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WeightsError(
                f"{file} does not say what network it holds; give a file that `dpanet export` of this version wrote"
            ) from error
