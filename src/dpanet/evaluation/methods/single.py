"""What the second view is worth: a network of ours that is shown one picture twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dpanet.deblurrer.deblurrer import Network
from dpanet.evaluation.method import Kind
from dpanet.evaluation.methods.model import ModelMethod
from dpanet.pair import DualPixelPair, Picture


class Single:
    """A network fed the mean of the views as left and as right, so that nothing tells them apart.

    Args: as of `ModelMethod`.
    """

    kind: Kind = "baseline"

    def __init__(self, network: Network, weights: str, name: str = "single", **settings: Any) -> None:
        self._take(ModelMethod(network, name, weights, **settings))

    @classmethod
    def load(cls, source: str | Path, name: str = "single", **settings: Any) -> Single:
        """From a shipped name or a file. Raises: as `ModelMethod.load`."""
        single = cls.__new__(cls)
        single._take(ModelMethod.load(source, name, **settings))
        return single

    def _take(self, model: ModelMethod) -> None:
        self.model = model
        self.name = model.name
        self.identity = f"single {model.identity}"
        self.checkpoint, self.checkpoint_sha256 = model.checkpoint, model.checkpoint_sha256
        self.parameters, self.device = model.parameters, model.device

    def __call__(self, pair: DualPixelPair) -> Picture:
        mean = pair.combined.pixels
        return self.model(DualPixelPair(mean, mean, pair.encoding, pair.metadata))
