"""Write an ONNX file of this package in OpenVINO's own form."""

from __future__ import annotations

from pathlib import Path

import openvino

from dpanet.checkpoints.exported_model import KEY, forget_checksum
from dpanet.engines.openvino_engine import read_network


def write_openvino(onnx_file: Path, path: Path) -> None:
    """Convert an ONNX file of `write_onnx` to OpenVINO's form, an .xml file with a .bin file beside it.

    Weights are stored in half precision where that loses nothing, as in the ONNX file. The metadata are at
    ``rt_info/dpanet``. Deformable convolutions become OpenVINO's own operation.

    Args:
        onnx_file: to convert.
        path: of the .xml file; older files are replaced.
    """
    network, metadata = read_network(onnx_file)
    network.set_rt_info(metadata and forget_checksum(metadata), KEY)
    openvino.save_model(network, str(path), compress_to_fp16=False)
