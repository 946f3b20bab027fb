"""A written file states the encoding of its values, in PNG and in TIFF."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import png
import pytest
import tifffile
from formats import png_by_hand as hand
from formats.tiff_by_hand import Page, tiff
from PIL import Image, ImageCms

from dpanet.containers.icc_profile import SRGB_PRIMARIES, colorants_of, make_profile, parse_profile
from dpanet.containers.written_metadata import with_encoding
from dpanet.errors import PairError
from dpanet.images.reading import read_file
from dpanet.images.writing import not_carried, write_picture
from dpanet.pair import Encoding, Picture

RNG = np.random.default_rng(3)
PIXELS = RNG.random((20, 24, 3)).astype(np.float32)
SRGB_CHUNK = (b"sRGB", b"\0")
CHROMATICITIES = (
    b"cHRM",
    struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000),
)  # Display P3
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

STATEMENTS: dict[str, tuple[dict[str, Any], Encoding | None]] = {
    "nothing": ({}, None),
    "gama-linear": ({"png": (hand.gamma(1),)}, "linear"),
    "gama-display": ({"png": (hand.gamma(0.45455),)}, "srgb"),
    "gama-chrm": ({"png": (hand.gamma(1), CHROMATICITIES)}, "linear"),
    "chrm": ({"png": (CHROMATICITIES,)}, None),
    "srgb": ({"png": (SRGB_CHUNK, hand.gamma(0.45455))}, "srgb"),
    "cicp-linear-bt2020": ({"png": (hand.cicp(8, primaries=9),)}, "linear"),
    "cicp-bt709": ({"png": (hand.cicp(1),)}, "srgb"),
    "cicp-over-icc": ({"png": (hand.cicp(8),), "icc": ICC}, "linear"),
    "icc-srgb": ({"icc": ICC}, "srgb"),
    "icc-linear": ({"icc": hand.profile(hand.curv())}, "linear"),
    "icc-and-gama": ({"icc": ICC, "png": (hand.gamma(1),)}, "srgb"),
}


def chunks(path: Path) -> dict[bytes, bytes]:
    return dict(hand.split(path.read_bytes()))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("encoding", ["srgb", "linear"])
@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_written_file_states_its_encoding(
    tmp_path: Path, suffix: str, bits: int, encoding: Encoding, statement: str
) -> None:
    metadata, stated = STATEMENTS[statement]
    path = tmp_path / f"a{suffix}"
    write_picture(Picture(PIXELS, encoding, metadata | {"bits": bits}), path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_file(path).encoding
    if stated is None and encoding == "srgb" and bits < 32:
        assert found is None  # as it was
    else:
        assert found == encoding
    if stated == encoding and suffix == ".png":  # then nothing is changed
        assert all(chunks(path)[name] == data for name, data in metadata.get("png", ()))
        if "icc" in metadata:
            assert zlib.decompress(chunks(path)[b"iCCP"].partition(b"\0")[2][1:]) == metadata["icc"]


def test_pypng_sees_the_gamma_of_a_linear_picture(tmp_path: Path) -> None:
    write_picture(Picture(PIXELS, "linear"), tmp_path / "a.png")
    assert png.Reader(bytes=(tmp_path / "a.png").read_bytes()).read()[3]["gamma"] == 1


@pytest.mark.parametrize("encoding", ["srgb", "linear"])
def test_a_conversion_keeps_the_colors(encoding: Encoding) -> None:
    other: Encoding = "linear" if encoding == "srgb" else "srgb"
    converted = with_encoding({"icc": make_profile("x", 1.0 if other == "linear" else "srgb", P3)}, encoding)
    profile = parse_profile(converted["icc"])
    assert profile is not None and profile.colorants is not None
    np.testing.assert_allclose(profile.colorants, P3, atol=1 / 65536)
    found = dict(with_encoding({"png": (hand.gamma(0.5), CHROMATICITIES)}, encoding)["png"])
    assert found[b"cHRM"] == CHROMATICITIES[1] and b"sRGB" not in found
    assert found[b"gAMA"] == struct.pack(">I", 100000 if encoding == "linear" else 45455)
    found = dict(with_encoding({"png": (hand.cicp(1, primaries=9),)}, encoding)["png"])
    assert found[b"cICP"] == bytes([9, 8 if encoding == "linear" else 13, 0, 1])


P3 = np.asarray(colorants_of((0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)))


def test_from_srgb_to_linear_and_back() -> None:
    there = with_encoding({"png": (SRGB_CHUNK, (b"sBIT", b"\x08\x08\x08"))}, "linear")
    assert b"sRGB" not in dict(there["png"])
    back = dict(with_encoding(there, "srgb")["png"])
    assert back[b"sRGB"] == b"\0" and back[b"sBIT"] == b"\x08\x08\x08"


def test_exif_does_not_call_linear_values_srgb() -> None:
    for order in "<>":
        entry = struct.pack(order + "HHIHH", 40961, 3, 1, 1, 0)
        exif = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, 1) + entry + bytes(4)
        changed = with_encoding({"exif": exif}, "linear")["exif"]
        assert len(changed) == len(exif)
        assert struct.unpack(order + "HHIHH", changed[10:22]) == (40961, 3, 1, 65535, 0)
        assert with_encoding({"exif": exif}, "srgb")["exif"] == exif


@pytest.mark.parametrize(
    ("parts", "red", "midtone"),
    [
        ((hand.gamma(1),), (0.64, 0.33), 0.5),
        ((hand.gamma(1), CHROMATICITIES), (0.68, 0.32), 0.5),
        ((hand.gamma(1 / 1.8),), (0.64, 0.33), 0.5**1.8),
        ((SRGB_CHUNK,), (0.64, 0.33), 0.2140),
        ((hand.cicp(8, primaries=9),), (0.708, 0.292), 0.5),
        ((hand.cicp(1, primaries=12),), (0.68, 0.32), 0.2597),
        ((hand.cicp(4),), (0.64, 0.33), 0.5**2.2),
    ],
)
def test_a_tiff_says_by_a_profile_what_the_png_said(
    tmp_path: Path, parts: tuple[hand.Chunk, ...], red: tuple[float, float], midtone: float
) -> None:
    """LittleCMS converts with the profile as the chunks say."""
    source = hand.insert(hand.encode(RNG.integers(0, 256, (16, 16, 3)), bitdepth=8, greyscale=False), parts)
    (tmp_path / "a.png").write_bytes(source)
    image = read_file(tmp_path / "a.png")
    write_picture(Picture(PIXELS, image.encoding or "srgb", image.metadata), tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        profile = file.pages.first.iccprofile
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
    x, y, z = opened.red_colorant[0]
    mix = np.array([opened.red_colorant[0], opened.green_colorant[0], opened.blue_colorant[0]])
    np.testing.assert_allclose(mix.sum(axis=0), (0.9642, 1, 0.8249), atol=2e-4)
    white = np.array([0.95047, 1, 1.08883])  # D65, adapted back by Bradford
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    scale = np.diag(bradford @ white / (bradford @ [0.9642, 1, 0.8249]))
    xyz = np.linalg.inv(bradford) @ scale @ bradford @ [x, y, z]
    np.testing.assert_allclose(xyz[:2] / xyz.sum(), red, atol=1e-3)
    lab = ImageCms.createProfile("LAB", colorTemp=5000)
    transform = ImageCms.buildTransform(ImageCms.ImageCmsProfile(io.BytesIO(profile)), lab, "RGB", "LAB")
    from PIL import Image

    gray = Image.new("RGB", (1, 1), (128, 128, 128))
    lightness = ImageCms.applyTransform(gray, transform).getpixel((0, 0))[0] / 2.55
    light = midtone ** (np.log(128 / 255) / np.log(0.5))
    assert lightness == pytest.approx(116 * np.cbrt(light) - 16, abs=0.8)
    assert read_file(tmp_path / "a.tif").encoding == image.encoding


def test_a_gray_png_becomes_a_tiff_with_a_gray_profile(tmp_path: Path) -> None:
    write_picture(Picture(PIXELS, "linear", {"gray": True, "png": (hand.gamma(1),)}), tmp_path / "a.tif")
    image = read_file(tmp_path / "a.tif")
    assert image.encoding == "linear" and image.icc is not None and image.icc[16:20] == b"GRAY"


@pytest.mark.parametrize("gray", [True, False])
@pytest.mark.parametrize("bits", [16, 32])
def test_a_linear_tiff_says_so(tmp_path: Path, bits: int, gray: bool) -> None:
    """As from the raw views of a camera, and from files that state nothing: LittleCMS reads the profile."""
    path = tmp_path / "a.tif"
    write_picture(Picture(PIXELS, "linear", {"gray": gray}), path, bits=bits)
    with tifffile.TiffFile(path) as file:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(file.pages.first.iccprofile)).profile
    assert profile.profile_description == ("Linear gray" if gray else "Linear sRGB")
    if not gray:
        standard = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).profile
        for name in ("red_colorant", "green_colorant", "blue_colorant"):
            np.testing.assert_allclose(getattr(profile, name)[0], getattr(standard, name)[0], atol=2e-3)
    assert read_file(path).encoding == "linear"


@pytest.mark.parametrize("gray", [True, False])
def test_a_float_tiff_of_srgb_says_so(tmp_path: Path, gray: bool) -> None:
    write_picture(Picture(PIXELS, "srgb", {"gray": gray}), tmp_path / "a.tif", bits=32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_file(tmp_path / "a.tif").encoding == "srgb"
    write_picture(Picture(PIXELS, "srgb", {"gray": gray}), tmp_path / "b.tif", bits=16)
    assert read_file(tmp_path / "b.tif").icc is None  # everybody takes it as sRGB


def test_what_a_format_cannot_hold_is_named() -> None:
    kept = (
        (b"tEXt", b"Author\0J\xfcrgen"),
        (b"sBIT", b"\x0c\x0c\x0c"),
        hand.gamma(1),
        (b"zTXt", b"Title\0\0" + zlib.compress(b"a")),
    )
    assert not_carried({"png": kept}, ".png") == []
    lost = not_carried({"png": kept}, ".TIF")
    assert lost == ["the PNG chunk sBIT", "the text Author", "the text Title"]
    assert not_carried({"png": (hand.cicp(1, primaries=22),)}, ".tif") == ["the PNG chunk cICP"]
    assert not_carried({"icc": ICC, "exif": b"II", "resolution": (72, 72)}, ".tif") == []


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(
    ("suffix", "bits"), [(".png", 8), (".png", 16), (".tif", 8), (".tif", 16), (".tif", 32)]
)
@pytest.mark.parametrize("gray", [True, False])
def test_alpha_is_carried_at_the_written_depth(
    tmp_path: Path, kind: type, suffix: str, bits: int, gray: bool
) -> None:
    values = np.linspace(0, 1, 20 * 24).reshape(20, 24)
    most = 1.0 if kind is np.float32 else np.iinfo(kind).max
    alpha = (values * most).astype(kind) if kind is np.float32 else np.rint(values * most).astype(kind)
    path = tmp_path / f"a{suffix}"
    write_picture(Picture(PIXELS, "srgb", {"alpha": alpha, "gray": gray}), path, bits=bits)
    image = read_file(path)
    assert image.alpha is not None and image.bits == bits and image.gray == gray
    scale = 1.0 if bits == 32 else 2**bits - 1
    wanted = alpha.astype(np.float64) / most * scale
    np.testing.assert_allclose(image.alpha, wanted, atol=1e-6 if bits == 32 else 0.501)
    if kind is not np.float32 and np.iinfo(kind).bits == bits:
        np.testing.assert_array_equal(image.alpha, alpha)


def test_alpha_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PairError, match=r"shape \(3, 4\)"):
        write_picture(Picture(PIXELS, "srgb", {"alpha": np.zeros((3, 4), np.uint8)}), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_srgb_colorants_are_those_of_the_standard_profile() -> None:
    profile = parse_profile(ICC)
    assert profile is not None
    np.testing.assert_allclose(colorants_of(SRGB_PRIMARIES), profile.colorants, atol=2e-5)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", [3, 4])
def test_exif_states_the_size_that_is_written(tmp_path: Path, suffix: str, order: str, kind: int) -> None:
    """The picture from a raw file is smaller than its EXIF says, that of the Pixel app has twice as many rows."""
    sizes = [(tag, kind, [value]) for tag, value in ((40962, 4000), (40963, 3000))]
    page = Page(np.zeros((20, 24, 3), np.uint8), exif=[*sizes, (37500, 7, b"a maker note")])
    (tmp_path / "a.tif").write_bytes(tiff(page, order=order))
    metadata = read_file(tmp_path / "a.tif").metadata
    write_picture(Picture(PIXELS[:18], "srgb", metadata), tmp_path / f"b{suffix}")
    exif = Image.Exif()
    exif.load(read_file(tmp_path / f"b{suffix}").exif or b"")
    photo = exif.get_ifd(34665)
    assert (photo[40962], photo[40963], photo[37500]) == (24, 18, b"a maker note")
