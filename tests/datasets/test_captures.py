import dataclasses
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from dpanet.containers.icc_profile import SRGB_PRIMARIES, colorants_of, make_profile
from dpanet.datasets.captures import Capture, read_output, read_picture_capture
from dpanet.datasets.pixel4 import read_pixel4_capture, read_sheets_flat_field
from dpanet.errors import PairError, UnreadableImageError
from dpanet.images.raw import RawFormat
from dpanet.pair import DualPixelPair, Picture

SMALL = RawFormat("small", size=(120, 140), black_level=1024, white_level=17407, crop=(20, 100, 30, 110))


def write(path: Path, codes: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), codes)


@pytest.fixture
def pixel4(tmp_path) -> Path:
    """Two scenes whose right view is shaded to one half, as its white sheet is."""
    rng = np.random.default_rng(0)
    for name in ("007", "001"):
        light = rng.integers(1000, 5000, SMALL.size) * 2
        write(tmp_path / f"{name}_left.png", (1024 + light).astype(np.uint16))
        write(tmp_path / f"{name}_right.png", (1024 + light // 2).astype(np.uint16))
        truth = np.rint(light[20:100, 30:110] / 16383 * 65535)
        write(tmp_path / "gt_all_in_focus_im" / f"{name}_gt.png", truth.astype(np.uint16))
    for side, level in (("left", 8000), ("right", 4000)):
        sheet = np.full(SMALL.size, 1024 + level, np.uint16)
        write(tmp_path / "calibration" / f"white_sheet_{side}.png", sheet)
    return tmp_path


@pytest.fixture
def display(tmp_path) -> Path:
    rng = np.random.default_rng(1)
    for part in ("left", "right", "sharp", "dpdnet"):
        write(tmp_path / f"05_{part}.png", rng.integers(0, 256, (80, 90, 3)).astype(np.uint8))
    return tmp_path


def load_raw(folder: Path) -> Capture:
    return read_pixel4_capture("001", folder, read_sheets_flat_field(folder / "calibration", SMALL), SMALL)


def load_srgb(folder: Path) -> Capture:
    left, right, sharp = (folder / f"05_{part}.png" for part in ("left", "right", "sharp"))
    return read_picture_capture("05", left, right, sharp, match_color=True)


def test_pixel4_views_and_truth_share_one_scale(pixel4) -> None:
    first = load_raw(pixel4)
    assert first.name == "001"
    assert first.pair.encoding == first.truth.encoding == "linear"
    np.testing.assert_allclose(first.pair.left, first.truth.pixels, atol=1e-5)
    np.testing.assert_allclose(first.pair.right, first.truth.pixels, atol=1e-5)  # the flat field is applied
    assert first.white == first.pair.left.max() > 0.5
    assert not first.match_color


def test_display_pictures_are_rgb(display) -> None:
    capture = load_srgb(display)
    assert (capture.name, capture.white, capture.match_color) == ("05", 1.0, True)
    assert capture.pair.encoding == capture.truth.encoding == "srgb"
    blue_first = cv2.imread(str(display / "05_left.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_allclose(capture.pair.left, blue_first[..., ::-1] / 255, atol=1e-6)


def test_outputs_are_read_at_their_own_depth(pixel4, tmp_path) -> None:
    capture = load_raw(pixel4)
    codes = np.arange(80 * 80, dtype=np.uint16).reshape(80, 80) * 10
    write(tmp_path / "gray.png", codes)
    write(tmp_path / "color.png", np.repeat(codes[..., None], 3, 2))
    for name in ("gray", "color"):
        output = read_output(tmp_path / f"{name}.png", capture)
        np.testing.assert_allclose(output[..., 1], codes / 65535, atol=1e-7)
    write(tmp_path / "bytes.png", codes.astype(np.uint8))
    with pytest.raises(PairError, match=r"bytes.png is of type uint8; linear pictures need 16 bits"):
        read_output(tmp_path / "bytes.png", capture)
    write(tmp_path / "small.png", codes[1:])
    with pytest.raises(PairError, match=r"small.png is 80 x 79 px, the truth of scene 001 80 x 80 px"):
        read_output(tmp_path / "small.png", capture)


def test_display_outputs_may_have_16_bits(display, tmp_path) -> None:
    capture = load_srgb(display)
    codes = np.random.default_rng(2).integers(0, 65536, (80, 90, 3)).astype(np.uint16)
    write(tmp_path / "deep.png", codes)
    np.testing.assert_allclose(
        read_output(tmp_path / "deep.png", capture), codes[..., ::-1] / 65535, atol=1e-7
    )


def test_what_is_missing_is_named(pixel4) -> None:
    (pixel4 / "001_right.png").unlink()
    with pytest.raises(UnreadableImageError, match=r"001_right.png does not exist"):
        load_raw(pixel4)
    (pixel4 / "001_right.png").write_bytes(b"no picture")
    with pytest.raises(UnreadableImageError, match=r"001_right.png is a text, which is not read"):
        load_raw(pixel4)


def test_useless_captures_are_refused(display) -> None:
    write(display / "05_sharp.png", np.zeros((80, 91, 3), np.uint8))
    with pytest.raises(
        PairError, match=r"truth of scene 05 is 91 x 80 px srgb, its views are 90 x 80 px srgb"
    ):
        load_srgb(display)
    write(display / "05_sharp.png", np.zeros((80, 90, 4), np.uint8))
    with pytest.raises(PairError, match="transparent"):
        load_srgb(display)


def test_black_captures_are_refused(pixel4) -> None:
    for side in ("left", "right"):
        write(pixel4 / f"001_{side}.png", np.full(SMALL.size, 1000, np.uint16))
    with pytest.raises(PairError, match="both views are black"):
        load_raw(pixel4)


def test_encodings_must_agree() -> None:
    pixels = np.zeros((20, 20, 3), np.float32)
    capture = Capture("a", DualPixelPair(pixels, pixels), Picture(pixels))
    with pytest.raises(PairError, match="20 x 20 px linear"):
        dataclasses.replace(capture, truth=Picture(pixels, "linear"))


def test_a_truth_of_other_colors_is_named(display) -> None:
    """Adobe RGB has a greener green; sRGB is what pictures without a profile have."""
    adobe = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
    sharp = display / "05_sharp.png"
    codes = cv2.imread(str(sharp))[..., ::-1]
    for primaries, curve, said in ((adobe, 2.2, True), (SRGB_PRIMARIES, "srgb", False)):
        icc = make_profile("a profile", curve, colorants_of(primaries))
        tifffile.imwrite(sharp, codes, photometric="rgb", iccprofile=icc)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            load_srgb(display)
        texts = [str(one.message) for one in caught]
        assert len(texts) == said and all(
            "05_sharp.png has an ICC profile of other colors than" in t for t in texts
        )
