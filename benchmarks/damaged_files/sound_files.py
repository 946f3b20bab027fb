"""Small sound files of every format that is read, by other writers than the package's."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

WIDTH, HEIGHT = 37, 29


def sound_files() -> dict[str, bytes]:
    """Return the contents of each file by its name, such as ``rgb16.png``."""
    files: dict[str, bytes] = {}
    for source in (_png, _tiff, _lossy, _pgm, _dng):
        files |= dict(source())
    return files


def _codes(channels: int, bits: int = 8) -> NDArray[Any]:
    """Return soft waves with some noise, H x W or H x W x channels."""
    y, x, c = np.mgrid[:HEIGHT, :WIDTH, :channels]
    waves = (
        0.5 + 0.3 * np.sin(x / 4 + c) + 0.15 * np.cos(y / 3) + np.random.default_rng(1).random(x.shape) / 40
    )
    codes: NDArray[Any] = (waves * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    return codes[..., 0] if channels == 1 else codes


def _exif() -> bytes:
    exif = Image.Exif()
    exif[271], exif[274], exif[33432], exif[42036] = "Maker", 6, "© Ä".encode(), "Lens"
    exif[0x8769] = {33434: (1, 60), 37500: b"maker note" * 9, 40961: 1, 36867: "2024:01:02 03:04:05"}
    exif[0x8825] = {1: "N", 2: (47.0, 22.0, 1.5), 29: "2024:01:02"}
    return exif.tobytes()


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _by_hand_png(codes: NDArray[Any], color_type: int, extra: bytes = b"") -> bytes:
    """Return a PNG of 8 or 16 bit without filters."""
    bits = 8 * codes.dtype.itemsize
    rows = codes.astype(f">u{codes.dtype.itemsize}").reshape(HEIGHT, -1)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, color_type, 0, 0, 0)
    packed = zlib.compress(data)
    parts = [_chunk(b"IDAT", packed[at : at + 700]) for at in range(0, len(packed), 700)]
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + extra + b"".join(parts) + _chunk(b"IEND", b"")


def _png() -> Iterator[tuple[str, bytes]]:
    xmp = b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    chunks = (
        _chunk(b"cICP", b"\1\x0d\0\1")
        + _chunk(b"gAMA", struct.pack(">I", 45455))
        + _chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
        + _chunk(b"sBIT", b"\x0a\x0a\x0a")
        + _chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(_profile()))
        + _chunk(b"pHYs", struct.pack(">IIB", 11811, 11811, 1))
        + _chunk(b"eXIf", _exif().removeprefix(b"Exif\0\0"))
        + _chunk(b"iTXt", xmp)
        + _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"words " * 30))
    )
    yield "rgb16.png", _by_hand_png(_codes(3, 16), 2, chunks)
    yield "rgba16.png", _by_hand_png(_codes(4, 16), 6)
    yield "gray16.png", _by_hand_png(_codes(1, 16), 0, _chunk(b"tRNS", b"\x12\x34"))
    yield "gray_alpha8.png", _by_hand_png(_codes(2), 4)
    rgb = Image.fromarray(_codes(3))
    yield "palette.png", _save(rgb.quantize(16), "PNG", transparency=3)
    yield "bilevel.png", _save(rgb.convert("1"), "PNG")
    yield "profile8.png", _save(rgb, "PNG", icc_profile=_profile(), exif=_exif(), dpi=(300, 300))
    yield "animated.png", _save(rgb, "PNG", save_all=True, append_images=[rgb.rotate(90)])


def _save(image: Image.Image, format: str, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, format, **options)
    return target.getvalue()


def _tiff() -> Iterator[tuple[str, bytes]]:
    def write(codes: NDArray[Any], **options: Any) -> bytes:
        target = io.BytesIO()
        writer = {key: options.pop(key) for key in ("bigtiff", "byteorder") if key in options}
        with tifffile.TiffWriter(target, **writer) as file:
            file.write(codes, metadata=None, **options)
        return target.getvalue()

    rgb8, rgb16, gray = _codes(3), _codes(3, 16), _codes(1, 16)
    words = [(700, "B", 12, b"<x:xmpmeta/>", True), (33723, "B", 9, b"\x1c\2\x69\0\4name", True)]
    yield (
        "strips.tif",
        write(rgb16, photometric="rgb", rowsperstrip=7, iccprofile=_profile(), extratags=words),
    )
    yield "deflate.tif", write(rgb16, photometric="rgb", compression="deflate", predictor=True, byteorder=">")
    yield "tiles.tif", write(rgb8, photometric="rgb", tile=(16, 16), compression="deflate")
    yield "big.tif", write(rgb16, photometric="rgb", bigtiff=True, rowsperstrip=5)
    yield "planes.tif", write(np.moveaxis(rgb16, -1, 0), photometric="rgb", planarconfig="separate")
    yield "gray.tif", write(gray, photometric="miniswhite", byteorder=">")
    yield "alpha.tif", write(_codes(4, 16), photometric="rgb", extrasamples=["unassalpha"])
    for kind in (np.float16, np.float32, np.float64):
        yield f"{np.dtype(kind)}.tif", write((rgb8 / 200).astype(kind), photometric="rgb")
    yield "float_tiles.tif", write((gray / 9e4).astype(np.float32), tile=(16, 16), compression=8)
    image = Image.fromarray(rgb8)
    for name in ("tiff_lzw", "packbits", "jpeg"):
        yield f"{name}.tif", _save(image, "TIFF", compression=name, dpi=(72, 72))
    yield "exif.tif", _save(image, "TIFF", exif=_exif(), icc_profile=_profile())
    yield "palette.tif", _save(image.quantize(16), "TIFF")
    yield "bilevel.tif", _save(image.convert("1"), "TIFF", compression="group4")
    yield "cmyk.tif", _save(image.convert("CMYK"), "TIFF")
    yield "pages.tif", _save(image, "TIFF", save_all=True, append_images=[image.rotate(180)])


def _lossy() -> Iterator[tuple[str, bytes]]:
    image = Image.fromarray(_codes(3))
    about: dict[str, Any] = {"exif": _exif(), "icc_profile": _profile()}
    yield "plain.jpg", _save(image, "JPEG", quality=90, xmp=b"<x:xmpmeta/>", dpi=(300, 300), **about)
    yield "progressive.jpg", _save(image, "JPEG", quality=70, progressive=True)
    yield "restarts.jpg", _save(image, "JPEG", restart_marker_rows=1, subsampling=0)
    yield "gray.jpg", _save(image.convert("L"), "JPEG")
    yield "cmyk.jpg", _save(image.convert("CMYK"), "JPEG")
    yield "lossy.webp", _save(image, "WEBP", quality=80, xmp=b"<x:xmpmeta/>", **about)
    yield "lossless.webp", _save(Image.fromarray(_codes(4)), "WEBP", lossless=True)
    yield "animated.webp", _save(image, "WEBP", save_all=True, append_images=[image.rotate(180)])
    yield "plain.avif", _save(image, "AVIF", quality=80, **about)
    yield "alpha.avif", _save(Image.fromarray(_codes(4)), "AVIF", quality=90)


def _pgm() -> Iterator[tuple[str, bytes]]:
    head = f"{WIDTH} {HEIGHT}\n".encode()
    yield "gray16.pgm", b"P5\n# raw\n" + head + b"16383\n" + (_codes(1, 16) // 4).astype(">u2").tobytes()
    yield "gray8.pgm", b"P5 " + head + b"255\n" + _codes(1).tobytes()
    yield "words.pgm", b"P2 " + head + b"255\n" + "\n".join(map(str, _codes(1).ravel())).encode() + b"\n"
    yield "rgb.ppm", b"P6 " + head + b"65535\n" + _codes(3, 16).astype(">u2").tobytes()


def _dng() -> Iterator[tuple[str, bytes]]:
    """Raw files with one, two and linear frames, as LibRaw reads them."""
    mosaic = np.repeat(np.repeat(_codes(1, 16), 3, axis=0), 3, axis=1)[:64, :96] // 8 + 600
    pattern: list[tuple[int, Any, int, Any, bool]] = [
        (33421, "H", 2, (2, 2), True),
        (33422, "B", 4, bytes((0, 1, 1, 2)), True),
        (50714, "H", 1, 512, True),
        (50717, "H", 1, 16383, True),
    ]
    camera: list[tuple[int, Any, int, Any, bool]] = [
        (50706, "B", 4, bytes((1, 4, 0, 0)), True),
        (50708, "s", 0, "Canon EOS 5D Mark IV", True),
        (50721, "2i", 9, (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1), True),
        (50728, "2I", 3, (1, 2, 1, 1, 1, 2), True),
        (50778, "H", 1, 21, True),
        (271, "s", 0, "Canon", True),
        (272, "s", 0, "Canon EOS 5D Mark IV", True),
    ]
    for name, frames in (("one.dng", [mosaic]), ("two.dng", [mosaic, mosaic // 2 + 256])):
        target = io.BytesIO()
        with tifffile.TiffWriter(target) as file:
            for frame in frames:
                file.write(frame, photometric=32803, extratags=camera + pattern, metadata=None)
        yield name, target.getvalue()
