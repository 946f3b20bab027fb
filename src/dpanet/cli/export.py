"""`dpanet export`: write a model as a file of another runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter


def export(
    model: Annotated[str, Parameter(name="MODEL")],
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    format: Literal["onnx", "openvino", "torchscript"] = "onnx",
    precision: Literal["float32", "int8"] = "float32",
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Write a model as a file of another runtime: ONNX, OpenVINO or TorchScript.

    The file takes views of any height and width that are multiples of a number; this number, the encoding and all
    else that a program must know are inside, as JSON under the key dpanet. Before the file appears, its outputs are
    compared with those of the model in torch, on noise and on a simulated pair, and the differences are printed.

    Parameters
    ----------
    model
        A model's name, a .safetensors file, or an official checkpoint (.pth).
    output
        The file to write: .onnx, .xml (OpenVINO, with a .bin beside it) or .pt (TorchScript).
    format
        The format of the file.
    precision
        Numbers that the file computes in. int8 (ONNX alone) is about twice as fast on processors with VNNI; its
        ranges are measured on simulated pairs.
    overwrite
        Replace files that exist.
    """
    from dpanet.files.output import prepare_output

    prepare_output(output, overwrite)

    from dpanet.checkpoints.model_file import load_model
    from dpanet.errors import shown
    from dpanet.export.export import export_model

    for check in export_model(load_model(model), output, format, precision, overwrite=overwrite):
        print(check)
    files = [output, output.with_suffix(".bin")] if format == "openvino" else [output]
    size = sum(file.stat().st_size for file in files) / 1e6
    print(f"{' and '.join(map(shown, files))}: {size:.1f} MB, {format}, {precision}")
