"""Run exported files where neither torch nor this package is installed, and compare with torch.

python benchmarks/exported_alone.py [MODEL ...]
    for each model (default: compact nano), a name or a file: export it to ONNX and OpenVINO, run the files in fresh
    virtual environments that have only NumPy and that runtime, and print the largest differences from torch on noise
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dpanet import load_model
from dpanet.export.onnx_file import write_onnx
from dpanet.export.openvino_file import write_openvino

PROGRAMS = {
    "onnxruntime": """
import sys, importlib.util, numpy as np, onnxruntime
views = np.load(sys.argv[1])
session = onnxruntime.InferenceSession(sys.argv[2])
outputs = session.run(None, {"left": views["left"], "right": views["right"]})
""",
    "openvino": """
import sys, importlib.util, numpy as np, openvino
views = np.load(sys.argv[1])
network = openvino.Core().compile_model(sys.argv[2], "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
outputs = list(network({"left": views["left"], "right": views["right"]}).values())
""",
}
"""What runs a file, by the only runtime that is there."""

COMPARE = """
assert importlib.util.find_spec("torch") is None and importlib.util.find_spec("dpanet") is None
names = ["picture", "radius"][: len(outputs)]
print(", ".join(f"{name} {np.abs(y - views[name]).max():.1e}" for name, y in zip(names, outputs)))
"""


def main() -> None:
    models = sys.argv[1:] or ["compact", "nano"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pythons = {runtime: create_environment(folder / runtime, runtime) for runtime in PROGRAMS}
        for model in models:
            network = load_model(model)
            views = write_reference(model, folder / "reference.npz")
            write_onnx(network, folder / "model.onnx")
            write_openvino(folder / "model.onnx", folder / "model.xml")
            for runtime, file in (("onnxruntime", "model.onnx"), ("openvino", "model.xml")):
                program = PROGRAMS[runtime] + COMPARE
                command = [str(pythons[runtime]), "-c", program, str(views), str(folder / file)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                print(f"{Path(model).stem:8} {runtime:12} largest difference: {done.stdout.strip()}")


def create_environment(folder: Path, runtime: str) -> Path:
    """Create a virtual environment that has NumPy and one runtime; return its Python."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    packages = [f"{package}=={importlib.metadata.version(package)}" for package in ("numpy", runtime)]
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-warn-conflicts", *packages], check=True)
    return python


def write_reference(model: str, path: Path) -> Path:
    """Write two views of noise and what torch computes from them."""
    network = load_model(model)
    random = np.random.default_rng(5)
    left, right = (random.random((1, 3, 192, 256), dtype=np.float32) for _ in range(2))
    arrays: dict[str, Any] = {"left": left, "right": right}
    with torch.no_grad():
        views = torch.from_numpy(left), torch.from_numpy(right)
        if network.description.has_defocus:
            picture, radius = network.with_defocus(*views)
            arrays |= {"picture": picture.numpy(), "radius": radius.numpy()}
        else:
            arrays["picture"] = network(*views).numpy()
    np.savez(path, **arrays)
    return path


if __name__ == "__main__":
    main()
