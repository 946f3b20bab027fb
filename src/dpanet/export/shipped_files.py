"""Write the ONNX files that come with the package.

python -m dpanet.export.shipped_files [NAME ...]
    remake them from the shipped .safetensors files, and the file of their checksums
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

import onnx
from onnx import TensorProto

from dpanet.checkpoints.checksum import write_sums
from dpanet.checkpoints.exported_model import KEY, forget_checksum
from dpanet.checkpoints.model_file import load_model
from dpanet.checkpoints.shipped_models import SHIPPED, shipped_file
from dpanet.export.export import export_model


def main() -> None:
    """Remake the files of the named models, of all by default."""
    folder = Path(str(shipped_file(SHIPPED[0]))).parent
    write_sums(folder)  # of weights that are new
    for name in sys.argv[1:] or SHIPPED:
        weights = Path(str(shipped_file(name)))
        with tempfile.TemporaryDirectory() as temporary:
            written = Path(temporary) / f"{name}.onnx"
            for check in export_model(load_model(name), written):
                print(f"{name}: {check}")
            quantized = Path(temporary) / f"{name}-int8.onnx"
            for check in export_model(load_model(name), quantized, precision="int8"):
                print(f"{name}, int8: {check}")
            share_weights(written, weights)
            share_weights(quantized, weights)
            for file in (written, quantized):
                shutil.copyfile(file, weights.with_name(file.name))
                print(f"{file.name}: {file.stat().st_size / 1e6:.2f} MB beside {weights.name}")
    write_sums(folder)


def share_weights(file: Path, weights: Path) -> None:
    """Let an ONNX file read its weights from the .safetensors file beside it, so that they ship once.

    Both formats store plain little-endian numbers; ONNX calls those of another file external data.

    Args:
        file: of `write_onnx`; it is changed.
        weights: the file of the same weights, in half precision; it must stay in the folder of the ONNX file.
    """
    content = weights.read_bytes()
    begin = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:begin])
    places = {
        content[begin + first : begin + end]: (begin + first, end - first)
        for first, end in (entry["data_offsets"] for name, entry in header.items() if name != "__metadata__")
    }
    model = onnx.load(file)
    del model.graph.value_info[:]  # sizes of what is computed, which every runtime infers
    for node in model.graph.node:
        del node.metadata_props[:]  # where in the source a node comes from
    for tensor in model.graph.initializer:
        place = places.get(tensor.raw_data)
        if tensor.data_type != TensorProto.FLOAT16 or place is None:
            continue
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        del tensor.external_data[:]
        for key, value in (("location", weights.name), ("offset", place[0]), ("length", place[1])):
            tensor.external_data.add(key=key, value=str(value))
    for entry in model.metadata_props:
        if entry.key == KEY:
            entry.value = forget_checksum(entry.value)
    onnx.save(model, file)


if __name__ == "__main__":
    main()
