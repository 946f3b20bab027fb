"""A network of this package as a row of the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpanet.checkpoints.shipped_models import FINISHED, weights_hash
from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.engines.torch_engine import Network
from dpanet.evaluation.method import Method
from dpanet.evaluation.scores import Computation, Kind, MethodInfo
from dpanet.lenses.known_lenses import identify_lens
from dpanet.lenses.lens import LensChoice
from dpanet.pair import DualPixelPair, Picture


def row_name(source: str | Path) -> str:
    """Return the name of a model's row: its file's name, or its run's name if all runs call the file the same."""
    path = Path(source)
    if path.name not in FINISHED:
        return path.stem
    best = "-best" if path.name == FINISHED[0] else ""
    return f"{path.absolute().parent.name}{best}"


class ModelMethod(Method):
    """A network behind a `Deblurrer`.

    Args:
        model: A torch network, or what `Deblurrer` loads: a shipped name or a file.
        name: Name of the row, safe as a file name.
        weights: SHA-256 of the file of the weights.
        kind: ``model``, or ``baseline`` for a network of others.
        checkpoint: That file or the shipped name, to be shown.
        **config: Options of the `Deblurrer`.

    Raises:
        ConfigError: If an option has an impossible value.
    """

    def __init__(
        self,
        model: Network | str | Path,
        name: str,
        weights: str,
        *,
        kind: Kind = "model",
        checkpoint: str | None = None,
        **config: Any,
    ) -> None:
        self.deblurrer = Deblurrer(model, **config)
        engine = self.deblurrer.engine
        self.device = engine.device
        self.family = engine.family
        lens = config.get("lens")
        values = {**config, "lens": identify_lens(lens)} if "lens" in config else config
        options = " ".join(f"{key}={values[key]}" for key in sorted(values) if key not in _WITHOUT_EFFECT)
        library = f"{engine.name} {engine.version}"
        identity = f"{weights} {options} {library} {self.device.partition(':')[0]} {engine.precision}"
        computation = Computation(
            library,
            self.device,
            engine.precision,
            len(self.deblurrer.mirrors),
            str(self.deblurrer.scale),
            str(self.deblurrer.tile),
            _describe_lens(lens),
        )
        self.info = MethodInfo(name, kind, identity, checkpoint, weights, engine.parameters, computation)

    @classmethod
    def load(
        cls, source: str | Path, name: str | None = None, *, kind: Kind = "model", **config: Any
    ) -> ModelMethod:
        """Load a shipped network by its name, or one from a file.

        Args:
            source: Shipped name or file.
            name: Name of the row; `row_name` of the source by default.
            kind: As of `ModelMethod`.
            **config: Options of the `Deblurrer`.

        Raises:
            WeightsError: If there is no such model.
            ConfigError: If an option has an impossible value.
        """
        weights = weights_hash(source)
        return cls(source, name or row_name(source), weights, kind=kind, checkpoint=str(source), **config)

    def __call__(self, pair: DualPixelPair) -> Picture:
        return self.deblurrer(pair)

    def defocus_map(self, pair: DualPixelPair) -> NDArray[np.float32] | None:
        """Return the signed blur radius in px, (H, W); None if there is no defocus map."""
        return self.deblurrer.defocus_map(pair) if self.deblurrer.has_defocus_map else None


def _describe_lens(lens: LensChoice | None) -> str | None:
    """Return the lens as the report shows it."""
    if lens is None:
        return None
    if lens == "find":
        return "found from each pair, where it explains enough"
    return f"{Path(lens.name).name} ({str(identify_lens(lens))[:8]})"


_WITHOUT_EFFECT = ("device", "engine", "precision", "progress", "reuse_memory", "threads")
"""Options of the `Deblurrer` that do not change its pictures, or are in the identity anyway."""
