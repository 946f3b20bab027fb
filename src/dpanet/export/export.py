"""Export a network: write the file, verify it, then rename it to its place."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from dpanet.checkpoints.checksum import state_checksum
from dpanet.errors import ConfigError
from dpanet.export.verification import Check, verify
from dpanet.files.output import atomic_output, prepare_output
from dpanet.network.base import Network

Format = Literal["onnx", "openvino", "torchscript"]

SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "openvino": ".xml", "torchscript": ".pt"}
"""Of the file of each format; OpenVINO writes a .bin file beside it."""


def export_model(
    network: Network,
    path: Path,
    format: Format = "onnx",
    precision: Literal["float32", "int8"] = "float32",
    *,
    overwrite: bool = False,
) -> list[Check]:
    """Write a network as a file of another runtime, after its outputs were compared with the network's.

    Args:
        network: in evaluation mode, on the CPU.
        path: of the file, with the suffix of `SUFFIXES`.
        format: of the file.
        precision: what it computes in; int8 only with ``onnx``.
        overwrite: replace an existing file.

    Returns:
        the differences that were found, see `verify`.

    Raises:
        ConfigError: if the suffix is another, or the format cannot have the precision.
        OutputError: if the file exists or cannot be written.
        WeightsError: if the file does not compute what the network computes.
    """
    if precision == "int8" and format != "onnx":
        raise ConfigError(f"precision is 'int8' and format {format!r}; only the format onnx has int8")
    files = [path, path.with_suffix(".bin")] if format == "openvino" else [path]
    for file in files:
        prepare_output(file, overwrite, (SUFFIXES[format], ".bin"))
    if path.suffix.lower() != SUFFIXES[format]:
        raise ConfigError(
            f"{path} does not end in {SUFFIXES[format]}, as files of the format {format} do; rename it"
        )
    with tempfile.TemporaryDirectory(prefix="dpanet-export-") as name:
        written = Path(name) / f"model{SUFFIXES[format]}"
        checks = _write(network, written, format, precision, shown=str(path))
        with ExitStack() as stack:
            for file in files:
                unfinished = stack.enter_context(atomic_output(file, overwrite))
                shutil.copyfile(written.with_suffix(file.suffix.lower()), unfinished)
    return checks


def _write(network: Network, path: Path, format: Format, precision: str, shown: str) -> list[Check]:
    """Write and verify the file at `path`, which errors call `shown`."""
    defocus = network.description.has_defocus
    if format == "torchscript":
        from dpanet.export.torchscript_file import run_torchscript, write_torchscript

        write_torchscript(network, path)
        return verify(lambda left, right: run_torchscript(path, left, right), network, shown)

    from dpanet.engines.onnx_engine import OnnxEngine
    from dpanet.export.onnx_file import write_onnx

    onnx_file = path.with_suffix(".onnx")
    write_onnx(network, onnx_file)
    if format == "openvino":
        from dpanet.engines.openvino_engine import OpenVinoEngine
        from dpanet.export.openvino_file import write_openvino

        write_openvino(onnx_file, path)
        state_checksum(path)
        openvino = OpenVinoEngine(path, precision="float32")
        return verify(lambda left, right: openvino(left, right, defocus=defocus), network, shown)
    if precision == "int8":
        from dpanet.export.int8 import quantize

        onnx_file = onnx_file.rename(path.with_name("float32.onnx"))
        quantize(onnx_file, path)
    state_checksum(path)
    engine = OnnxEngine(path)
    return verify(lambda left, right: engine(left, right, defocus=defocus), network, shown, precision)
