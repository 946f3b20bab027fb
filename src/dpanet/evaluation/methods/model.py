"""A trained network as a row of the table."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from dpanet.checkpoints.model_file import FINISHED, SHIPPED, load_model
from dpanet.deblurrer.deblurrer import Deblurrer, Network
from dpanet.errors import WeightsError
from dpanet.evaluation.method import Kind
from dpanet.pair import DualPixelPair, Picture


def row_name(source: str | Path) -> str:
    """Of a model's row: its file's name, or that of its run where all runs call it the same."""
    path = Path(source)
    if path.name not in FINISHED:
        return path.stem
    best = "-best" if path.name == FINISHED[0] else ""
    return f"{path.absolute().parent.name}{best}"


class ModelMethod:
    """A network behind a `Deblurrer`.

    Args:   name: of the row, safe as a file name. weights: SHA-256 of the file the weights came from.
            checkpoint: that file or the shipped name, to be shown. settings: of the `Deblurrer`.
    Raises: ConfigError for an impossible setting.
    """

    def __init__(
        self,
        network: Network,
        name: str,
        weights: str,
        *,
        kind: Kind = "model",
        checkpoint: str | None = None,
        **settings: Any,
    ) -> None:
        self.name = name
        self.kind = kind
        self.checkpoint = checkpoint
        self.checkpoint_sha256 = weights
        self.network = network
        self.deblurrer = Deblurrer(network, **settings)
        self.device = self.deblurrer.device
        self.identity = f"{weights} {_told(settings)} {self.device.type} {self.deblurrer.precision}"

    @classmethod
    def load(
        cls, source: str | Path, name: str | None = None, *, kind: Kind = "model", **settings: Any
    ) -> ModelMethod:
        """From a shipped name or a file; the row has its name unless told otherwise.

        Raises: WeightsError if there is no such model; ConfigError for an impossible setting.
        """
        network = load_model(source)
        return cls(
            network,
            name or row_name(source),
            weights_hash(source),
            kind=kind,
            checkpoint=str(source),
            **settings,
        )

    @property
    def parameters(self) -> int | None:
        """Numbers that were learned."""
        net = self.network
        return sum(p.numel() for p in net.parameters()) if isinstance(net, nn.Module) else None

    def __call__(self, pair: DualPixelPair) -> Picture:
        return self.deblurrer(pair)

    def defocus_map(self, pair: DualPixelPair) -> NDArray[np.float32] | None:
        """(H, W), signed blur radius in px, or None of a network that tells none."""
        if getattr(self.network, "defocus", None) is None:
            return None
        return self.deblurrer.defocus_map(pair)


def weights_hash(source: str | Path) -> str:
    """SHA-256, in hexadecimal, of a file of weights or of the one of a shipped name.

    Raises: WeightsError if it cannot be read.
    """
    try:
        if str(source) in SHIPPED:
            file = resources.files("dpanet.checkpoints") / "shipped" / f"{source}.safetensors"
            return hashlib.sha256(file.read_bytes()).hexdigest()
        with Path(source).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(
            f"{source} cannot be read ({error}); name a file of weights, or a shipped model ({', '.join(SHIPPED)})"
        ) from error


def _told(settings: dict[str, Any]) -> str:
    return " ".join(f"{key}={settings[key]}" for key in sorted(settings) if key not in ("device", "progress"))
