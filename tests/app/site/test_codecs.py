"""What the site reads and writes, against libraries that read and write the same files."""

import base64
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import png
import pytest
import pyvips
import tifffile
from app.site.site_page import as_picture, call, open_site, read, to_base64
from PIL import Image, ImageCms, TiffImagePlugin

from dpanet import Picture, write_picture
from dpanet.images.reading import read_file

GENERATOR = np.random.default_rng(23)


@pytest.fixture(scope="module")
def page(chromium: Any, site: Path, serve: Callable[[Path], str]) -> Iterator[Any]:
    context = chromium.new_context()
    yield open_site(context, serve(site))
    context.close()


def noise(*shape: int, bits: int = 16) -> Any:
    """Codes of a file that compresses, with some noise."""
    ramp = np.linspace(0, 2**bits - 1, int(np.prod(shape))).reshape(shape)
    noisy = ramp + GENERATOR.normal(0, 2 ** (bits - 6), shape)
    return np.clip(noisy, 0, 2**bits - 1).astype(np.uint16 if bits > 8 else np.uint8)


def write_pypng(path: Path, codes: Any, **options: Any) -> None:
    height, width = codes.shape[:2]
    with path.open("wb") as file:
        png.Writer(width, height, **options).write(file, codes.reshape(height, -1).tolist())


PNGS = {
    "gray16": ((19, 23), 16, {"greyscale": True}),
    "gray8": ((19, 23), 8, {"greyscale": True}),
    "gray4": ((19, 23), 4, {"greyscale": True}),
    "gray1": ((19, 23), 1, {"greyscale": True}),
    "rgb16": ((17, 29, 3), 16, {"greyscale": False}),
    "rgb8": ((17, 29, 3), 8, {"greyscale": False}),
    "rgb16-interlaced": ((17, 29, 3), 16, {"greyscale": False, "interlace": True}),
    "gray2-interlaced": ((19, 23), 2, {"greyscale": True, "interlace": True}),
    "rgba8": ((17, 29, 4), 8, {"greyscale": False, "alpha": True}),
    "gray-alpha16": ((17, 29, 2), 16, {"greyscale": True, "alpha": True}),
    "transparent-color": ((17, 29, 3), 8, {"greyscale": False, "transparent": (0, 0, 0)}),
    "palette": ((17, 29), 2, {"palette": [(200, 100, 50, 128), (9, 8, 7), (1, 2, 3), (255, 255, 255)]}),
}


@pytest.mark.parametrize("kind", PNGS)
def test_png_of_every_kind(page: Any, tmp_path: Path, kind: str) -> None:
    shape, bits, options = PNGS[kind]
    file = tmp_path / f"{kind}.png"
    write_pypng(file, noise(*shape, bits=bits), bitdepth=bits, **options)
    check_reading(page, file)


@pytest.mark.parametrize("filters", ["none", "sub", "up", "avg", "paeth"])
def test_png_with_every_filter(page: Any, tmp_path: Path, filters: str) -> None:
    codes = noise(33, 41, 3)
    image = pyvips.Image.new_from_array(codes).copy(interpretation="rgb16")
    image.pngsave(str(tmp_path / "view.png"), filter=filters)
    check_reading(page, tmp_path / "view.png")


TIFFS: dict[str, dict[str, Any]] = {
    "plain": {},
    "deflate": {"compression": "deflate"},
    "deflate-predictor": {"compression": "deflate", "predictor": "horizontal"},
    "lzw": {"compression": "lzw"},
    "lzw-predictor": {"compression": "lzw", "predictor": "horizontal"},
    "packbits": {"compression": "packbits"},
    "tiles": {
        "compression": "lzw",
        "predictor": "horizontal",
        "tile": True,
        "tile_width": 32,
        "tile_height": 16,
    },
}


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", TIFFS)
def test_tiff_of_every_kind(page: Any, tmp_path: Path, kind: str, channels: int, bits: int) -> None:
    codes = noise(75, 90, channels, bits=bits)
    space = {(1, 8): "b-w", (1, 16): "grey16", (3, 8): "srgb", (3, 16): "rgb16"}[channels, bits]
    image = pyvips.Image.new_from_array(codes).copy(interpretation=space)
    image.tiffsave(str(tmp_path / "view.tif"), **TIFFS[kind])
    assert np.array_equal(check_reading(page, tmp_path / "view.tif")["codes"], codes)


def test_lzw_of_a_picture_that_fills_the_table(page: Any, tmp_path: Path) -> None:
    codes = GENERATOR.integers(0, 65536, (120, 160, 3), np.uint16)
    pyvips.Image.new_from_array(codes).copy(interpretation="rgb16").tiffsave(
        str(tmp_path / "view.tif"), compression="lzw"
    )
    check_reading(page, tmp_path / "view.tif")


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_of_both_byte_orders_with_alpha(page: Any, tmp_path: Path, order: str) -> None:
    codes = noise(20, 30, 4)
    file = tmp_path / "view.tif"
    tifffile.imwrite(file, codes, byteorder=order, photometric="rgb", extrasamples=["unassalpha"])
    check_reading(page, file)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_as_it_is_stored(page: Any, tmp_path: Path, mode: str) -> None:
    shape = (48, 64) if mode == "L" else (48, 64, 3)
    exif = Image.Exif()
    exif[274] = 6  # a quarter turn, which is not applied
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() if mode == "RGB" else None
    smooth = np.asarray(Image.fromarray(noise(*shape, bits=8)).resize((64, 48)))
    Image.fromarray(smooth).save(tmp_path / "view.jpg", quality=95, exif=exif, icc_profile=profile)
    result = check_reading(page, tmp_path / "view.jpg", tolerance=1)
    assert result["icc"] == profile


def test_webp_without_loss(page: Any, tmp_path: Path) -> None:
    Image.fromarray(noise(40, 60, 3, bits=8)).save(tmp_path / "view.webp", lossless=True)
    check_reading(page, tmp_path / "view.webp")


def check_reading(page: Any, file: Path, tolerance: int = 0) -> dict[str, Any]:
    """Compare what the site reads with what the package reads by libvips, libspng and its own parsers."""
    result, expected = read(page, file.name, file.read_bytes()), read_file(file)
    assert "error" not in result, result
    codes = expected.stored_codes
    difference = np.abs(result["codes"].astype(int) - codes.reshape(result["codes"].shape).astype(int))
    assert result["codes"].dtype == codes.dtype and difference.max() <= tolerance
    assert (result["channels"] == 1) == expected.gray
    assert (result["alpha"] is None) == (expected.alpha is None)
    if expected.alpha is not None:
        assert np.array_equal(result["alpha"], expected.alpha)
    return result


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def png_with(*chunks: bytes) -> bytes:
    buffer = io.BytesIO()
    png.Writer(20, 20, greyscale=False, bitdepth=16).write(buffer, noise(20, 20, 3).reshape(20, -1).tolist())
    data = buffer.getvalue()
    return data[:33] + b"".join(chunks) + data[33:]


@pytest.mark.parametrize(
    ("chunks", "encoding"),
    [
        ((), None),
        ((chunk(b"sRGB", b"\0"),), "srgb"),
        ((chunk(b"gAMA", (45455).to_bytes(4, "big")),), "srgb"),
        ((chunk(b"gAMA", (100000).to_bytes(4, "big")),), "linear"),
        ((chunk(b"cICP", b"\x01\x08\0\1"), chunk(b"sRGB", b"\0")), "linear"),
    ],
)
def test_the_encoding_that_a_png_states(page: Any, chunks: tuple[bytes, ...], encoding: str | None) -> None:
    assert read(page, "view.png", png_with(*chunks))["encoding"] == encoding


@pytest.mark.parametrize("encoding", ["srgb", "linear"])
@pytest.mark.parametrize("gray", [True, False])
def test_the_encoding_that_a_profile_states(page: Any, tmp_path: Path, encoding: Any, gray: bool) -> None:
    pixels = np.repeat(np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20, 1), 3, axis=2)
    write_picture(Picture(pixels, encoding, {"gray": gray, "bits": 16}), tmp_path / "view.tif")
    result = check_reading(page, tmp_path / "view.tif")
    expected = read_file(tmp_path / "view.tif")
    assert (result["encoding"], result["icc"]) == (expected.encoding, expected.icc)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"II*\0" + bytes(40), "is damaged"),
        (png_with()[:-40], "is damaged"),
        (png_with().replace(b"IDAT", b"IDAU"), "is damaged"),
        (png_with(chunk(b"gAMA", (200000).to_bytes(4, "big"))), "states a gamma of 0.500"),
        (png_with(chunk(b"cICP", b"\x09\x10\0\1")), "the transfer function 16"),
        (b"II*\0\x10\0\0\0CR\x02\0" + bytes(40), "is a camera's raw file"),
    ],
)
def test_what_cannot_be_read_right_is_refused_in_a_sentence(page: Any, data: bytes, says: str) -> None:
    error = read(page, "view.dat", data)["error"]
    assert error.startswith("view.dat ") and says in error


@pytest.mark.parametrize("kind", ["float", "palette", "cmyk"])
def test_tiff_and_jpeg_that_are_refused(page: Any, tmp_path: Path, kind: str) -> None:
    file = tmp_path / ("view.jpg" if kind == "cmyk" else "view.tif")
    if kind == "float":
        tifffile.imwrite(file, np.ones((20, 20, 3), np.float32), photometric="rgb")
    else:
        mode = {"palette": "P", "cmyk": "CMYK"}[kind]
        Image.fromarray(noise(20, 20, 3, bits=8)).convert(mode).save(file)
    words = {"float": "floating-point", "palette": "neither gray", "cmyk": "CMYK"}[kind]
    assert words in read(page, file.name, file.read_bytes())["error"]


def test_a_damaged_byte_is_noticed(page: Any) -> None:
    data = bytearray(png_with())
    data[100] ^= 1
    assert "is damaged" in read(page, "view.png", bytes(data))["error"]


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("gray", [True, False])
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_written_files_have_the_same_codes(page: Any, kind: str, gray: bool, bits: int) -> None:
    codes = noise(300, 400, bits=bits) if gray else noise(300, 400, 3, bits=bits)
    module, name = {"png": ("png_write.js", "writePng"), "tiff": ("tiff_write.js", "writeTiff")}[kind]
    data = decode(call(page, module, name, as_picture(codes)))
    if kind == "tiff":
        pixels = tifffile.imread(io.BytesIO(data))
    else:
        width, height, rows, info = png.Reader(bytes=data).read()
        pixels = np.array([list(row) for row in rows]).reshape(codes.shape)
        assert (width, height, info["bitdepth"]) == (400, 300, bits)
    assert np.array_equal(pixels, codes)
    again = pyvips.Image.new_from_buffer(data, "").numpy()
    assert np.array_equal(again.reshape(codes.shape), codes)


@pytest.mark.parametrize("order", ["<", ">"])
def test_profile_and_exif_reach_both_formats(page: Any, tmp_path: Path, order: str) -> None:
    exif = Image.Exif()
    exif[271], exif[272], exif[274] = "Maker", "Model of a camera", 6
    photo = exif.get_ifd(0x8769)
    photo[33434], photo[0x9003] = TiffImagePlugin.IFDRational(1, 250), "2026:11:26 10:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    exif.endian = order
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(noise(40, 60, 3, bits=8)).save(tmp_path / "view.jpg", exif=exif, icc_profile=profile)
    source = read(page, "view.jpg", (tmp_path / "view.jpg").read_bytes())
    fields = {"icc": to_base64(source["icc"]), "exif": to_base64(source["exif"])}
    picture = as_picture(noise(40, 60, 3), **fields)
    for module, name in (("png_write.js", "writePng"), ("tiff_write.js", "writeTiff")):
        data = decode(call(page, module, name, picture))
        with Image.open(io.BytesIO(data)) as image:
            found = image.getexif()
            assert (found[271], found[272], found[274]) == ("Maker", "Model of a camera", 6)
            assert float(found.get_ifd(0x8769)[33434]) == pytest.approx(1 / 250)
            assert found.get_ifd(0x8769)[0x9003] == "2026:11:26 10:00:00"
            assert found.get_ifd(0x8825)[1] == "N"
            assert image.info["icc_profile"] == profile
    # and from a TIFF to a PNG
    described = read(page, "view.tif", data)
    data = decode(
        call(
            page, "png_write.js", "writePng", as_picture(noise(40, 60, 3), exif=to_base64(described["exif"]))
        )
    )
    with Image.open(io.BytesIO(data)) as image:
        assert image.getexif()[272] == "Model of a camera"


def decode(text: str) -> bytes:
    return base64.b64decode(text)
