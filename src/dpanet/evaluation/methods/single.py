"""What the second view is worth: a network that gets one picture twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from dpanet.evaluation.method import Method
from dpanet.evaluation.methods.model import ModelMethod
from dpanet.pair import DualPixelPair, Picture


class SingleView(Method):
    """A network whose left and right view are both the mean of the views.

    Args:
        model: The network.
    """

    def __init__(self, model: ModelMethod) -> None:
        self.model = model
        self.device = model.device
        self.info = replace(model.info, kind="baseline", identity=f"single {model.info.identity}")

    @classmethod
    def load(cls, source: str | Path, name: str = "single", **config: Any) -> SingleView:
        """Load a network by its shipped name or from a file; see `ModelMethod.load`."""
        return cls(ModelMethod.load(source, name, **config))

    def __call__(self, pair: DualPixelPair) -> Picture:
        return self.model(single_view(pair))


def single_view(pair: DualPixelPair) -> DualPixelPair:
    """Return a pair whose views are both the mean of the views, the same array."""
    mean = pair.combined.pixels
    return DualPixelPair(mean, mean, pair.encoding, pair.metadata)
