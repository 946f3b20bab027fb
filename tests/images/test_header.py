import io
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from dpanet.containers.exif import orientation
from dpanet.containers.header import Header
from dpanet.errors import UnreadableImageError
from dpanet.images.header import read_header
from dpanet.images.reading import read_file

RNG = np.random.default_rng(3)


def codes(kind: type, *shape: int) -> np.ndarray:
    return RNG.integers(0, np.iinfo(kind).max, shape, dtype=kind, endpoint=True)


def write(path: Path, values: np.ndarray) -> Path:
    if path.suffix == ".tif":  # OpenCV does not say in a TIFF that the fourth channel is alpha
        kind = "minisblack" if values.ndim == 2 else "rgb"
        alpha = {"extrasamples": ["unassalpha"]} if values.shape[2:] == (4,) else {}
        tifffile.imwrite(path, values, photometric=kind, **alpha)
    else:
        assert cv2.imwrite(str(path), values)
    return path


def as_decoded(path: Path) -> Header:
    file = read_file(path)
    height, width = file.codes.shape[:2]
    channels = (1 if file.gray else 3) + (file.alpha is not None)
    return Header(width, height, file.bits, channels, orientation(file.exif))


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_size_depth_and_channels(tmp_path: Path, suffix: str, kind: type, channels: int) -> None:
    shape = (24, 40) if channels == 1 else (24, 40, channels)
    path = write(tmp_path / f"a.{suffix}", codes(kind, *shape))
    assert read_header(path) == Header(40, 24, 8 * np.dtype(kind).itemsize, channels) == as_decoded(path)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("transparency", [None, 0])
def test_every_kind_of_png_is_seen_as_it_decodes(tmp_path: Path, mode: str, transparency: int | None) -> None:
    image = Image.new(mode, (40, 24))
    if mode == "P":
        image.putpalette([10, 20, 30, 40, 50, 60])
    colour = (0, 0, 0) if mode == "RGB" else 0
    given = {} if transparency is None or mode in ("LA", "RGBA", "I;16") else {"transparency": colour}
    image.save(tmp_path / "a.png", **given)
    assert read_header(tmp_path / "a.png") == as_decoded(tmp_path / "a.png")


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_float_tiff_counts_as_32_bits(tmp_path: Path, kind: type) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((24, 40, 3), kind), photometric="rgb")
    assert read_header(tmp_path / "a.tif") == Header(40, 24, 32, 3) == as_decoded(tmp_path / "a.tif")


@pytest.mark.parametrize("options", [{"planarconfig": "separate"}, {"bigtiff": True, "byteorder": ">"}])
def test_kinds_of_tiff(tmp_path: Path, options: dict[str, object]) -> None:
    values = codes(np.uint16, 24, 40, 3)
    given = np.moveaxis(values, -1, 0) if "planarconfig" in options else values
    tifffile.imwrite(tmp_path / "a.tif", given, photometric="rgb", **options)
    assert read_header(tmp_path / "a.tif") == Header(40, 24, 16, 3) == as_decoded(tmp_path / "a.tif")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_what_was_cut_short_is_found_without_decoding(tmp_path: Path, suffix: str, share: float) -> None:
    values = codes(np.uint16, 64, 80, 3)
    path = tmp_path / f"a.{suffix}"
    write(path, values) if suffix == "png" else tifffile.imwrite(path, values, photometric="rgb")
    read_header(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UnreadableImageError, match=rf"a\.{suffix} is a truncated"):
        read_header(path)


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError, match=r"absent\.png does not exist"):
        read_header(tmp_path / "absent.png")
    with pytest.raises(UnreadableImageError, match="is a folder"):
        read_header(tmp_path)
    path = tmp_path / "a.png"
    path.write_bytes(b"")
    with pytest.raises(UnreadableImageError, match=r"a\.png is empty"):
        read_header(path)
    path.write_text("a note, not a picture")
    with pytest.raises(UnreadableImageError, match=r"a\.png is a text"):
        read_header(path)
    write(path, codes(np.uint8, 24, 40))
    broken = bytearray(path.read_bytes())
    broken[17] ^= 1  # the width, under its checksum
    path.write_bytes(broken)
    with pytest.raises(UnreadableImageError, match="damaged PNG"):
        read_header(path)
    target = io.BytesIO()
    Image.new("RGB", (40, 24)).save(target, "JPEG")
    path.write_bytes(target.getvalue()[:20])
    with pytest.raises(UnreadableImageError, match="truncated"):
        read_header(path)


def test_no_pixel_is_decoded(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", codes(np.uint16, 24, 40, 3))
    data = bytearray(path.read_bytes())
    at = data.index(b"IDAT")
    length = int.from_bytes(data[at - 4 : at], "big")
    data[at + 4 : at + 4 + length] = b"\0" * length  # sound chunks around nonsense
    data[at + 4 + length : at + 8 + length] = zlib.crc32(data[at : at + 4 + length]).to_bytes(4, "big")
    path.write_bytes(data)
    assert read_header(path) == Header(40, 24, 16, 3)
