"""Doing nothing: what every method must beat."""

from __future__ import annotations

from dataclasses import dataclass

from dpanet.evaluation.method import Kind
from dpanet.pair import DualPixelPair, Picture


@dataclass(frozen=True)
class Nothing:
    """The ordinary photograph: the mean of the views in their own encoding."""

    name: str = "none"
    kind: Kind = "baseline"
    identity: str = "none"

    def __call__(self, pair: DualPixelPair) -> Picture:
        return pair.combined
