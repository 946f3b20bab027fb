"""Quantize an exported network: convolutions in 8 bits, about twice as fast on a processor that has VNNI."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dpanet.checkpoints.checksum import NOT_STATED
from dpanet.checkpoints.exported_model import KEY
from dpanet.export.calibration import Views, calibration_pairs, count_values, largest_by_channel
from dpanet.export.equalization import equalize
from dpanet.export.quantized_graph import (
    choose_convolutions,
    choose_tensors,
    insert_quantization,
    share_ranges,
    unpack_weights,
)


@dataclass(frozen=True)
class Recipe:
    """How a network is quantized; the names in it are those of the network's modules."""

    keep_float: tuple[str, ...]
    """Patterns of modules whose convolutions stay in float32."""
    equalization: float = 0.7
    """How far the ranges of channels are made equal, see `equalize`."""


_SENSITIVE = ("features*", "encoder.0.*", "head.coarse.*", "defocus.*")
"""Modules with few codes to spare: the first level has the widest range of values, the head is added as it is."""

RECIPES: Mapping[str, Recipe] = {
    "unet": Recipe(_SENSITIVE),
    "dpanet": Recipe((*_SENSITIVE, "encoder.1.*")),
}
"""By family of networks."""


def quantize(
    float_file: Path, output: Path, recipe: Recipe | None = None, pairs: Iterable[Views] | None = None
) -> None:
    """Write an exported network with convolutions in 8 bits: activations uint8, weights int8 for each channel.

    The metadata of the file are kept, with the precision int8. The same weights, recipe and pairs give the same file.

    Args:
        float_file: an ONNX file of a network in float32, as `write_onnx` writes it.
        output: the file to write; an older one is replaced.
        recipe: by default that of the network's family in `RECIPES`.
        pairs: to measure ranges on; by default `calibration_pairs`.
    """
    import onnx

    model = onnx.load(float_file)
    said = {entry.key: entry for entry in model.metadata_props}
    described = json.loads(said[KEY].value) if KEY in said else {}
    recipe = recipe or RECIPES.get(str(described.get("family")), Recipe(_SENSITIVE))
    views = list(calibration_pairs() if pairs is None else pairs)

    unpack_weights(model)
    equalize(model, largest_by_channel(model, views), recipe.equalization)
    convolutions = choose_convolutions(model.graph, recipe.keep_float)
    histograms = count_values(model, choose_tensors(model.graph, convolutions), views)
    ranges = {name: histogram.best_range() for name, histogram in histograms.items()}
    insert_quantization(model, convolutions, share_ranges(model.graph, ranges))

    if KEY in said:
        described |= {"precision": "int8", "sha256": NOT_STATED}
        said[KEY].value = json.dumps(described, sort_keys=True)
    onnx.checker.check_model(model)
    onnx.save(model, output)
