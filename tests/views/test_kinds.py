"""Pillow images, files and lists as views: the same kind comes back, with the pixels that arrays have."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor, nn

from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.errors import ConfigError, PairError, UnreadableImageError
from dpanet.images.reading import read_pair
from dpanet.images.writing import write_picture
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair, Picture

RNG = np.random.default_rng(23)


class Weighted(nn.Module):
    """Three parts of the left view and one of the right."""

    description = Description(multiple_of=8, halo=8)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return left * 0.75 + right * 0.25


deblur = Deblurrer(Weighted(), device="cpu", precision="float32")

ARRAYS = {
    "L": RNG.integers(0, 256, (2, 20, 30), np.uint8),
    "RGB": RNG.integers(0, 256, (2, 20, 30, 3), np.uint8),
    "I;16": RNG.integers(0, 65536, (2, 20, 30), np.uint16),
    "F": RNG.random((2, 20, 30), np.float32),
}


def images(mode: str) -> list[Image.Image]:
    return [Image.fromarray(view) for view in ARRAYS[mode]]


@pytest.mark.parametrize("mode", ARRAYS)
def test_pillow_images(mode: str) -> None:
    left, right = images(mode)
    assert left.mode == mode
    picture = deblur(left, right)
    assert (type(picture), picture.mode, picture.size) == (Image.Image, mode, (30, 20))
    np.testing.assert_array_equal(np.asarray(picture), deblur(*ARRAYS[mode]))
    wanted = (
        ARRAYS[mode][0] * 0.75 + ARRAYS[mode][1] * 0.25
    )  # whole numbers, of which one is half a step away
    np.testing.assert_allclose(np.asarray(picture, float), wanted, atol=1e-6 if mode == "F" else 0.51)
    np.testing.assert_array_equal(np.asarray(left), ARRAYS[mode][0])


def test_a_pillow_image_keeps_its_profile_and_not_its_transparent_color(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "a barn")
    for name, image in zip(("left", "right"), images("RGB"), strict=True):
        image.save(tmp_path / f"{name}.png", icc_profile=b"colors", transparency=(1, 2, 3), pnginfo=text)
    with Image.open(tmp_path / "left.png") as left, Image.open(tmp_path / "right.png") as right:
        picture = deblur(left, right)
        assert left.info["transparency"] == (1, 2, 3)
    picture.save(tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as written:
        assert written.info["icc_profile"] == b"colors" and "transparency" not in written.info
    assert picture.info["Title"] == "a barn"


def test_two_files(tmp_path: Path) -> None:
    names = [tmp_path / "left.png", tmp_path / "right.png"]
    for name, view in zip(names, ARRAYS["RGB"], strict=True):
        write_picture(Picture(view / np.float32(255), metadata={"resolution": (300.0, 300.0)}), name, 16)
    picture = deblur(names[0], str(names[1]))
    assert isinstance(picture, Picture)
    wanted = deblur(read_pair(*names))
    np.testing.assert_array_equal(picture.pixels, wanted.pixels)
    assert picture.metadata["bits"] == 16
    assert picture.metadata["resolution"] == pytest.approx((300, 300), rel=1e-3)
    linear = deblur(*names, encoding="linear", output_encoding="srgb")
    assert linear.encoding == "srgb" and linear.pixels.mean() > picture.pixels.mean() + 0.1


def test_lists_of_pictures_of_several_sizes() -> None:
    small = [view[..., :16, :24, :] for view in ARRAYS["RGB"]]
    arrays = deblur([ARRAYS["RGB"][0], small[0]], [ARRAYS["RGB"][1], small[1]])
    assert [array.shape for array in arrays] == [(20, 30, 3), (16, 24, 3)]
    np.testing.assert_array_equal(arrays[1], deblur(*small))
    left, right = images("L")
    assert [image.mode for image in deblur((left, left), (right, right))] == ["L", "L"]
    views = torch.zeros(3, 20, 30)
    assert [tuple(tensor.shape) for tensor in deblur([views], [views])] == [(3, 20, 30)]
    assert deblur([], []) == []


VIEW = ARRAYS["RGB"][0]
RGBA = Image.new("RGBA", (30, 20))


@pytest.mark.parametrize(
    ("left", "right", "says"),
    [
        (RGBA, RGBA, "the views are Pillow images of mode RGBA; convert them to one of L, RGB, I;16, F"),
        (Image.new("RGB", (30, 20)), Image.new("L", (30, 20)), "give two views of one shape and type"),
        (Image.new("RGB", (30, 20)), VIEW, "the views are Image and ndarray; give one DualPixelPair"),
        (Image.new("RGB", (30, 8)), Image.new("RGB", (30, 8)), "at least 16 px a side"),
        ([VIEW, VIEW], [VIEW], "there are 2 left and 1 right views"),
        ("left.png", VIEW, "the views are str and ndarray"),
        ([VIEW], VIEW, "the views are list and ndarray"),
    ],
)  # fmt: skip
def test_unusable_views(left: Any, right: Any, says: str) -> None:
    with pytest.raises(PairError, match=says):
        deblur(left, right)


def test_a_damaged_file_that_pillow_reads_late(tmp_path: Path) -> None:
    file = tmp_path / "left.png"
    images("RGB")[0].save(file)
    file.write_bytes(file.read_bytes()[:-200])
    with Image.open(file) as left, pytest.raises(UnreadableImageError, match="cannot be decoded"):
        deblur(left, left)
    with pytest.raises(UnreadableImageError, match=r"left\.png"):
        deblur(file, file.with_name("right.png"))


def test_the_encoding_of_a_picture_is_for_pairs() -> None:
    pair = DualPixelPair(*(view / np.float32(255) for view in ARRAYS["RGB"]))
    assert deblur(pair, output_encoding="linear").encoding == "linear"
    with pytest.raises(ConfigError, match="output_encoding is 'linear'"):
        deblur(VIEW, VIEW, output_encoding="linear")  # type: ignore[call-overload]
    with pytest.raises(ConfigError, match="encoding is 'linear'"):
        deblur(pair, encoding="linear")  # type: ignore[call-overload]


class WithMap(Weighted):
    """The defocus map is the difference of the views."""

    description = Description(multiple_of=8, halo=8, has_defocus=True)

    def with_defocus(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        return self(left, right), (left - right).mean(dim=1, keepdim=True)


mapped = Deblurrer(WithMap(), device="cpu", precision="float32", tta=1, scale=1)


def test_a_defocus_map_of_views_of_each_kind(tmp_path: Path) -> None:
    left, right = ARRAYS["RGB"]
    straight = (left.astype(float) - right).mean(axis=-1) / 255
    tensors = [torch.from_numpy(view).movedim(-1, 0) for view in (left, right)]
    for name, view in (("l.png", left), ("r.png", right)):
        Image.fromarray(view).save(tmp_path / name)
    pair = read_pair(tmp_path / "l.png", tmp_path / "r.png")
    for views in ((left, right), tensors, images("RGB"), (tmp_path / "l.png", tmp_path / "r.png"), (pair,)):
        picture, radius = mapped.with_defocus_map(*views)
        assert type(picture) is type(mapped(*views))
        assert (radius.shape, radius.dtype) == ((20, 30), np.float32)
        np.testing.assert_allclose(radius, straight, atol=1e-6)
        np.testing.assert_array_equal(mapped.defocus_map(*views), radius)
    picture, radius = mapped.with_defocus_map(np.stack([left, right]), np.stack([right, left]))
    assert picture.shape == (2, 20, 30, 3)
    np.testing.assert_allclose(radius, [straight, -straight], atol=1e-6)
    listed = mapped.with_defocus_map([left, left[:16]], [right, right[:16]])
    assert [(picture.shape, radius.shape) for picture, radius in listed] == [
        ((20, 30, 3), (20, 30)),
        ((16, 30, 3), (16, 30)),
    ]
    assert mapped.with_defocus_map(left[:0, None], right[:0, None])[1].shape == (0, 1, 30)


def test_a_defocus_map_has_progress() -> None:
    counts: list[tuple[int, int]] = []
    mapped.with_defocus_map(*ARRAYS["RGB"], progress=lambda done, total: counts.append((done, total)))
    assert counts[-1] == (1, 1)


def test_nothing_stands_beside_a_pair() -> None:
    pair = DualPixelPair(*(view / np.float32(255) for view in ARRAYS["RGB"]))
    for beside in (pair.right, pair, "linear"):
        with pytest.raises(
            PairError, match=f"beside a pair there is {type(beside).__name__}; give the pair alone"
        ):
            deblur(pair, beside)  # type: ignore[call-overload]
        with pytest.raises(PairError, match="beside a pair"):
            mapped.with_defocus_map(pair, beside)  # type: ignore[call-overload]


def test_a_deblurrer_is_shown_by_what_runs_it() -> None:
    shown = "Deblurrer('nano', engine='onnxruntime', device='cpu', precision='float32')"
    assert repr(Deblurrer("nano", engine="onnxruntime", device="cpu", precision="float32")) == shown
    assert repr(deblur) == "Deblurrer('Weighted', engine='torch', device='cpu', precision='float32')"
