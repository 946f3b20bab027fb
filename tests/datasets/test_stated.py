"""What the files of a scene state: encodings and orientations that agree, or are named with both values."""

import struct
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from dpanet.datasets import open_dataset
from dpanet.datasets.captures import read_output, read_picture_capture
from dpanet.errors import DatasetError, ImageWarning, PairError
from dpanet.images.encoding import linear_to_srgb, srgb_to_linear
from dpanet.training.pair_source import Augmentation, PairSource

LINEAR = struct.pack(">I", 100000)
"""gAMA 1.0."""


def write(path: Path, codes: np.ndarray, gamma: bytes | None = None, orientation: int | None = None) -> None:
    """Write a PNG with OpenCV; put chunks after its header."""
    import zlib

    data = cv2.imencode(".png", codes)[1].tobytes()
    chunks = b""
    exif = Image.Exif()
    if orientation is not None:
        exif[274] = orientation
    pairs = ((b"gAMA", gamma), (b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0") if orientation else None))
    for name, content in pairs:
        if content is not None:
            chunks += struct.pack(">I", len(content)) + name + content
            chunks += struct.pack(">I", zlib.crc32(name + content))
    path.write_bytes(data[:33] + chunks + data[33:])


def scene(folder: Path, size: tuple[int, int] = (40, 60), **stated: dict[str, object]) -> list[Path]:
    rng = np.random.default_rng(4)
    paths = []
    for part in ("left", "right", "sharp"):
        codes = rng.integers(0, 65536, (*size, 3)).astype(np.uint16)
        write(folder / f"a_{part}.png", codes, **stated.get(part, {}))  # type: ignore[arg-type]
        paths.append(folder / f"a_{part}.png")
    return paths


ALL_LINEAR = {part: {"gamma": LINEAR} for part in ("left", "right", "sharp")}


def test_linear_captures_are_read_as_linear(tmp_path: Path) -> None:
    left, right, sharp = scene(tmp_path, **ALL_LINEAR)
    capture = read_picture_capture("a", left, right, sharp, False)
    assert capture.pair.encoding == capture.truth.encoding == "linear"
    expected = cv2.imread(str(sharp), cv2.IMREAD_UNCHANGED)[..., ::-1] / 65535
    np.testing.assert_allclose(capture.truth.pixels, expected, atol=1e-6)


def test_a_truth_in_another_encoding_is_named_with_both_values(tmp_path: Path) -> None:
    left, right, sharp = scene(tmp_path, sharp={"gamma": LINEAR})
    with pytest.raises(PairError, match=r"scene a is 60 x 40 px linear, its views are 60 x 40 px srgb"):
        read_picture_capture("a", left, right, sharp, False)
    source = PairSource(tmp_path, batch=1, patch=32)
    with pytest.raises(PairError, match=r"a_left\.png srgb, .*a_sharp\.png linear"):
        source.scenes([[0, 0, 0]], 32)


def test_training_on_linear_pairs_takes_them_as_srgb(tmp_path: Path) -> None:
    sharp = scene(tmp_path, (32, 32), **ALL_LINEAR)[2]
    plain = Augmentation(mirror=False, flip=False)
    truth = PairSource(tmp_path, batch=1, patch=32, augmentation=plain).scenes([[0, 0, 0]], 32).truth[0]
    codes = cv2.imread(str(sharp), cv2.IMREAD_UNCHANGED)[..., ::-1]
    expected = linear_to_srgb((codes / 65535).astype(np.float32))
    np.testing.assert_allclose(truth.numpy(), expected.transpose(2, 0, 1), atol=1e-5)


def test_outputs_are_converted_to_the_captures_encoding(tmp_path: Path) -> None:
    left, right, sharp = scene(tmp_path)
    capture = read_picture_capture("a", left, right, sharp, False)
    codes = np.random.default_rng(5).integers(0, 65536, (40, 60, 3)).astype(np.uint16)
    write(tmp_path / "out.png", codes, LINEAR)
    pixels = (codes[..., ::-1] / 65535).astype(np.float32)
    np.testing.assert_allclose(read_output(tmp_path / "out.png", capture), linear_to_srgb(pixels), atol=1e-5)
    (tmp_path / "linear").mkdir()
    linear = read_picture_capture("a", *scene(tmp_path / "linear", **ALL_LINEAR), False)
    write(tmp_path / "out.png", codes, struct.pack(">I", 45455))
    np.testing.assert_allclose(read_output(tmp_path / "out.png", linear), srgb_to_linear(pixels), atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*differ in their alpha channels")
def test_transparent_pixels_have_no_score(tmp_path: Path) -> None:
    left, right, sharp = scene(tmp_path)
    codes = np.full((40, 60, 4), 65535, np.uint16)
    write(right, codes)
    read_picture_capture("a", left, right, sharp, False)
    codes[3, 4, 3] = 0
    for path in (right, sharp):
        before = path.read_bytes()
        write(path, codes)
        with pytest.raises(PairError, match=rf"{path.name} has transparent pixels"):
            read_picture_capture("a", left, right, sharp, False)
        with pytest.raises(PairError, match=rf"{path.name} has transparent pixels"):
            PairSource(tmp_path, batch=1, patch=32).scenes([[0, 0, 0]], 32)
        path.write_bytes(before)


def problems(folder: Path) -> tuple[str, ...]:
    try:
        open_dataset(folder, "pairs")
    except DatasetError as error:
        return error.problems
    return ()


@pytest.mark.parametrize(
    ("view", "truth", "size", "fit"),
    [
        (3, 3, (40, 60), True),
        (6, 6, (40, 60), True),
        (6, None, (40, 60), True),  # of the size of the stored view, so its pixels lie like the view's
        (None, 8, (40, 60), True),
        (6, None, (40, 40), False),  # it may have been turned
        (3, None, (40, 60), False),
        (2, 1, (40, 60), False),
        (6, 8, (40, 60), False),
    ],
)
def test_the_truth_must_be_turned_like_the_views(
    tmp_path: Path, view: int | None, truth: int | None, size: tuple[int, int], fit: bool
) -> None:
    stated = {"left": {"orientation": view}, "right": {"orientation": view}, "sharp": {"orientation": truth}}
    scene(tmp_path, size, **stated)
    expected = (
        f"a_sharp.png is of EXIF orientation {truth or 1} and a_left.png of EXIF orientation {view or 1}"
    )
    assert problems(tmp_path) == (() if fit else (expected,))


def test_views_of_two_orientations_do_not_belong_together(tmp_path: Path) -> None:
    scene(tmp_path, left={"orientation": 3}, sharp={"orientation": 3})
    assert problems(tmp_path) == (
        "a_left.png is of EXIF orientation 3 and a_right.png of EXIF orientation 1",
    )


def test_a_finished_picture_that_may_be_turned_is_named(tmp_path: Path) -> None:
    codes = np.zeros((40, 60, 3), np.uint8)
    scene(tmp_path, **{part: {"orientation": 3} for part in ("left", "right", "sharp")})
    write(tmp_path / "a_mine.png", codes)
    with pytest.warns(
        ImageWarning, match=r"a_mine\.png has no orientation and a_left\.png is of EXIF orientation 3"
    ):
        assert problems(tmp_path) == ()
    write(tmp_path / "a_mine.png", codes, orientation=6)
    assert problems(tmp_path) == ("a_mine.png is of EXIF orientation 6 and a_left.png of EXIF orientation 3",)
    write(tmp_path / "a_mine.png", codes, orientation=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert problems(tmp_path) == ()
