"""A folder with a small file under each name that the pages use, in which their commands and Python blocks run."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from camera_raw.cr2_by_hand import write_cr2
from camera_raw.dng_by_hand import frames_of
from skimage.data import astronaut, coffee

import dpanet
from dpanet import DualPixelPair, Picture, write_picture
from dpanet.cli import main
from dpanet.images.demo_pair import read_demo_pair
from dpanet.images.encoding import srgb_to_linear

SHIPPED = Path(dpanet.__file__).parent / "checkpoints/shipped"


FILES = (
    "left.png", "right.png", "left.tif", "right.tif", "LEFT.png", "RIGHT.png", "LEFT", "RIGHT", "sharp.png",
    "truth.png", "IMG_1234.CR2", "compact.onnx",
)  # fmt: skip
"""Files that commands may name."""

FOLDERS = ("FOLDER", "PAIRS", "CANON", "PHOTOS", "MAPS", "CALIBRATION", "SCENES")
"""Folders that commands may name."""


def write_example_files(folder: Path) -> None:
    """Write pairs, photographs, kernels and scenes under the names of docs/notation.md; the pictures are small."""
    pair, truth = read_demo_pair()
    rows, columns = slice(180, 276), slice(200, 328)
    cut = DualPixelPair(*(view[rows, columns].copy() for view in (pair.left, pair.right)))
    sharp = truth.pixels[rows, columns].copy()
    for left, right in (("left.png", "right.png"), ("LEFT.png", "RIGHT.png"), ("left.tif", "right.tif")):
        _write_views(folder, cut, left, right)
    for left in ("LEFT", "RIGHT"):
        shutil.copy(folder / f"{left}.png", folder / left)
    _write(folder / "truth.png", sharp)
    _write(folder / "sharp.png", sharp)
    light = [srgb_to_linear(view) * np.float32(0.7) for view in (cut.left, cut.right)]
    write_cr2(folder / "IMG_1234.CR2", frames_of(*light, black=0))
    for name in ("FOLDER", "PAIRS", "CANON"):
        (folder / name).mkdir()
        _write_views(folder / name, cut, "a_left.png", "a_right.png")
        _write(folder / name / "a_sharp.png", sharp)
    _write_photographs(folder / "PHOTOS", folder / "MAPS")
    _write_kernels(folder / "CALIBRATION")
    for suffix in (".onnx", ".safetensors"):
        shutil.copy(SHIPPED / f"compact{suffix}", folder)
    words = ["PHOTOS", "-o", "SCENES", "--count", "3", "--seed", "1", "--size", "64", "--workers", "1"]
    assert main(["simulate", str(folder / words[0]), "-o", str(folder / words[2]), *words[3:]]) == 0


def _write_views(folder: Path, pair: DualPixelPair, left: str, right: str) -> None:
    _write(folder / left, pair.left)
    _write(folder / right, pair.right)


def _write(path: Path, pixels: np.ndarray) -> None:
    write_picture(Picture(pixels, "srgb"), path, bits=16)


def _write_photographs(photographs: Path, maps: Path) -> None:
    photographs.mkdir()
    maps.mkdir()
    for name, codes in (("a", astronaut()), ("b", coffee())):
        _write(photographs / f"{name}.png", (codes[:160, :200] / np.float32(255)).astype(np.float32))
        np.save(maps / f"{name}.npy", np.full((160, 200), 2.5))


def _write_kernels(folder: Path) -> None:
    folder.mkdir()
    x = np.exp(-((np.arange(61) - 28) ** 2) / 60)
    for side, row in (("left", x), ("right", x[::-1])):
        np.save(folder / f"blur_kernels_{side}.npy", (row * x[:, None])[None])
