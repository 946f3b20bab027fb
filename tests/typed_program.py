"""A program of a user, which mypy checks together with the package, and the tests run.

An ignored error that is none is an error to mypy: so the lines with ``type: ignore`` must be refused.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from dpanet import Deblurrer, DualPixelPair, PairError, Picture, psnr, read_pair, write_picture


def count(done: int, total: int) -> None:
    assert 0 <= done <= total


def deblur_each_kind(folder: Path) -> None:
    """Deblur what is in the files left.png and right.png of a folder, as each kind of view."""
    left, right = folder / "left.png", folder / "right.png"
    deblur = Deblurrer("nano", device="cpu", precision="float32", tta=1, progress=count)
    pair = read_pair(left, right)
    assert_type(pair, DualPixelPair)

    picture = deblur(pair, output_encoding="linear")
    assert_type(picture, Picture)
    assert_type(deblur(left, str(right), encoding="srgb"), Picture)
    write_picture(picture, folder / "picture.png")

    array = deblur(pair.left, pair.right, progress=count)
    assert_type(array, NDArray[Any])
    assert_type(psnr(array, pair.left, data_range=1), float)

    tensor = torch.zeros(3, 32, 48)
    assert_type(deblur(tensor, tensor), Tensor)

    image = Image.new("L", (48, 32))
    assert_type(deblur(image, image), Image.Image)
    assert_type(deblur([image], [image]), list[Image.Image])
    assert_type(deblur((tensor, tensor), (tensor, tensor)), list[Tensor])

    compact = Deblurrer("compact", device="cpu", tta=1)
    assert_type(compact.with_defocus_map(pair), tuple[Picture, NDArray[np.float32]])
    assert_type(compact.with_defocus_map(left, right, progress=count), tuple[Picture, NDArray[np.float32]])
    assert_type(compact.with_defocus_map(pair.left, pair.right), tuple[NDArray[Any], NDArray[np.float32]])
    assert_type(compact.with_defocus_map(image, image), tuple[Image.Image, NDArray[np.float32]])
    assert_type(compact.defocus_map(pair), NDArray[np.float32])

    deblur.save_pretrained(folder / "model")
    again = Deblurrer.from_pretrained(folder / "model", device="cpu")
    assert_type(again, Deblurrer)
    assert_type(again.device, str)
    view = np.zeros((32, 48, 3), np.uint8)
    codes: NDArray[np.uint8] = again(view, view)
    assert codes.dtype == np.uint8


def call_wrongly(deblur: Deblurrer) -> None:
    """Call as mypy refuses to, and the package too."""
    view = np.zeros((32, 48, 3), np.uint8)
    with suppress(PairError):
        deblur(view)  # type: ignore[call-overload]
        raise AssertionError("one view was taken")
    pair = DualPixelPair(view.astype(np.float32), view.astype(np.float32))
    with suppress(PairError):
        deblur(pair, view)  # type: ignore[call-overload]
        raise AssertionError("a view was taken beside a pair")
    with suppress(PairError):
        deblur(view, Image.new("L", (48, 32)))  # type: ignore[call-overload]
        raise AssertionError("views of two kinds were taken")
