"""Formats that are not read: each file is written by another writer, or begins with the first bytes of its format."""

import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from formats.format_table import Case, judge, table
from PIL import Image

from dpanet.errors import UnreadableImageError
from dpanet.images.header import read_header

CODES = np.random.default_rng(8).integers(0, 256, (24, 40, 3), dtype=np.uint8)


def pillow(kind: str) -> bytes:
    target = io.BytesIO()
    Image.fromarray(CODES).save(target, kind)
    return target.getvalue()


def opencv(suffix: str, codes: np.ndarray) -> bytes:
    done, data = cv2.imencode(suffix, codes)
    assert done
    return data.tobytes()


def archive() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        file.writestr("a.png", pillow("PNG"))
    return target.getvalue()


def array() -> bytes:
    target = io.BytesIO()
    np.save(target, CODES)
    return target.getvalue()


def dng() -> bytes:
    """Write a thumbnail as IFD0 and sensor values in a SubIFD, as cameras do."""
    target = io.BytesIO()
    with tifffile.TiffWriter(target) as file:
        version = (50706, 1, 4, b"\1\4\0\0", True)
        file.write(CODES, photometric="rgb", subifds=1, extratags=[version])
        file.write(np.zeros((48, 80), np.uint16), photometric=32803)
    return target.getvalue()


def nef() -> bytes:
    target = io.BytesIO()
    with tifffile.TiffWriter(target) as file:
        file.write(CODES, photometric="rgb", subifds=1)
        file.write(np.zeros((48, 80), np.uint16), photometric=32803)
    return target.getvalue()


@table("formats that are not read")
def cases() -> Iterator[Case]:
    tail = bytes(range(256)) * 4
    for name, data, words in (
        ("gif", pillow("GIF"), "a GIF"),
        ("bmp", pillow("BMP"), "a BMP"),
        ("jpeg-2000", pillow("JPEG2000"), "a JPEG 2000, whose codec is missing"),
        ("jpeg-2000-stream", b"\xff\x4f\xff\x51" + tail, "a JPEG 2000, whose codec is missing"),
        ("jpeg-xl", b"\xff\x0a" + tail, "a JPEG XL, whose codec is missing"),
        ("jpeg-xl-box", b"\0\0\0\x0cJXL \r\n\x87\n" + tail, "a JPEG XL, whose codec is missing"),
        ("jpeg-ls", b"\xff\xd8\xff\xf7" + tail, "a JPEG-LS, whose codec is missing"),
        ("jpeg-xr", b"II\xbc\x01" + tail, "a JPEG XR, whose codec is missing"),
        ("psd", b"8BPS\0\1" + tail, "Photoshop"),
        ("psb", b"8BPS\0\2" + tail, "Photoshop"),
        ("exr", b"\x76\x2f\x31\x01" + tail, "an OpenEXR"),
        ("hdr", opencv(".hdr", CODES.astype(np.float32)), "a Radiance HDR"),
        ("pfm", opencv(".pfm", CODES.astype(np.float32)), "a PFM"),
        ("pdf", pillow("PDF"), "a PDF"),
        ("eps", pillow("EPS"), "a PostScript"),
        ("ico", pillow("ICO"), "an icon"),
        ("dds", pillow("DDS"), "a DDS"),
        ("svg", b"<svg xmlns='http://www.w3.org/2000/svg' width='40' height='24'/>", "an SVG"),
        ("svg-xml", b"<?xml version='1.0'?>\n<!-- drawn -->\n<svg/>", "an SVG"),
        ("html", b"\n<!doctype HTML><html>404</html>", "a web page"),
        ("text", b"left.png right.png\n", "a text"),
        ("text-utf8", "caf\xe9\n".encode() * 300, "a text"),
        ("csv", b"0,1,2\n3,4,5\n", "a text"),
        ("lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        ("zip", archive(), "a ZIP archive"),
        ("gzip", gzip.compress(pillow("PNG")), "an archive"),
        ("numpy", array(), "a NumPy array"),
        ("fits", b"SIMPLE  =                    T" + tail, "a FITS"),
        ("xcf", b"gimp xcf v011" + tail, "a GIMP"),
        ("tga", pillow("TGA"), "not a picture that is read"),
        ("zeros", bytes(5000), "begins with zeros"),
        ("noise", np.random.default_rng(1).bytes(5000), "not a picture that is read"),
        ("one-byte", b"\x89", "not a picture that is read"),
        ("half-a-signature", b"\x89PNG\r\n", "not a picture that is read"),
        ("raw-dng", dng(), "a raw file of a camera"),
        ("raw-tiff", nef(), "a raw file of a camera"),
        ("raw-cr2", b"II*\0\x10\0\0\0CR\2\0" + tail, "a raw file of a camera"),
        ("raw-cr3", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + tail, "a raw file of a camera"),
        ("raw-raf", b"FUJIFILMCCD-RAW 0201" + tail, "a raw file of a camera"),
        ("raw-orf", b"IIRO\x08\0\0\0" + tail, "a raw file of a camera"),
        ("raw-rw2", b"IIU\0\x18\0\0\0" + tail, "a raw file of a camera"),
    ):
        for suffix in (".png", ".bin"):
            yield Case(f"{name}{suffix}", lambda path, data=data: path.write_bytes(data), words, suffix)


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_table(case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = judge(case, tmp_path)
    assert result.outcome == "refused", result.reason
    path = tmp_path / "a.png"
    case.write(path)
    with pytest.raises(UnreadableImageError, match=str(case.expected)):
        read_header(path)
    assert capfd.readouterr() == ("", "")
