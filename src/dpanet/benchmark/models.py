"""The model to measure: its files, and what each engine may compute it in."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dpanet.benchmark.onnx_bytes import read_metadata
from dpanet.checkpoints.exported_model import KEY, ExportedModel
from dpanet.checkpoints.shipped_models import SHIPPED, shipped_file
from dpanet.engines.processor import BFLOAT16, INT8, instruction_sets
from dpanet.errors import WeightsError, shown
from dpanet.extras import install_command
from dpanet.pair import Pixels


def onnx_files(model: str) -> dict[str, Path]:
    """Return the ONNX files of a model by their precision; none for a model in another format."""
    if model not in SHIPPED:
        path = Path(model)
        if path.suffix.lower() != ".onnx":
            return {}
        try:
            metadata = read_metadata(path.read_bytes())
        except (OSError, ValueError, IndexError) as error:
            raise WeightsError(
                f"{shown(path)} cannot be read ({error}); name a file of `dpanet export`"
            ) from error
        return {ExportedModel.from_json(metadata.get(KEY), shown(path)).precision: path}
    suffixes = {"float32": ".onnx", "int8": "-int8.onnx"}
    files = {precision: Path(str(shipped_file(model, suffix))) for precision, suffix in suffixes.items()}
    return {precision: file for precision, file in files.items() if file.is_file()}


def engine_choices(model: str) -> Iterator[tuple[str, str]]:
    """Yield each installed engine that reads a model, with each precision that is worth measuring there."""
    fast = instruction_sets()
    suffix = Path(model).suffix.lower()
    files = onnx_files(model)
    for precision in files:
        if precision == "float32" or INT8 & fast:
            yield "onnxruntime", precision
    if ("float32" in files or suffix == ".xml") and importlib.util.find_spec("openvino"):
        yield "openvino", "float32"
        if BFLOAT16 & fast:
            yield "openvino", "bfloat16"
    if (model in SHIPPED or suffix not in (".onnx", ".xml")) and importlib.util.find_spec("torch"):
        yield "torch", "float32"
        if BFLOAT16 & fast:
            yield "torch", "bfloat16"


def missing_engines() -> list[str]:
    """Return a sentence for each engine that is not installed."""
    return [
        f"{engine}: it is not installed (in the repository's folder: {install_command(engine)})"
        for engine in ("openvino", "torch")
        if not importlib.util.find_spec(engine)
    ]


def make_views(height: int, width: int) -> tuple[Pixels, Pixels]:
    """Return two views of noise, (H, W, 3), 0..1; the time of a network does not depend on what it sees."""
    rng = np.random.default_rng(0)
    left, right = rng.random((2, height, width, 3), np.float32)
    return left, right
