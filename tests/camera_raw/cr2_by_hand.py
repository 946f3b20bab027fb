"""A CR2 as LibRaw opens it: a preview, a thumbnail, and frames in lossless JPEG (ITU T.81, process 14)."""

import struct
from pathlib import Path

import numpy as np

_START = 4096
"""Offset of the first frame; the directories lie before it."""


def lossless_jpeg(codes: np.ndarray, bits: int = 14) -> bytes:
    """Encode codes as two interleaved components, each predicted by its left neighbor."""
    height, width = codes.shape
    values = codes.astype(np.int64).reshape(height, width // 2, 2)
    predicted = np.empty_like(values)
    predicted[:, 1:] = values[:, :-1]
    predicted[1:, 0] = values[:-1, 0]
    predicted[0, 0] = 1 << (bits - 1)
    stream = []
    for difference in (values - predicted).ravel().tolist():
        size = abs(difference).bit_length()
        stream.append(f"{size:04b}")  # the table below gives each size its own four bits
        if size:
            stream.append(f"{difference if difference > 0 else difference + (1 << size) - 1:0{size}b}")
    text = "".join(stream)
    text += "1" * (-len(text) % 8)
    data = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")
    table = struct.pack(">HB16B", 34, 0, 0, 0, 0, 15, *[0] * 12) + bytes(range(15))
    frame = struct.pack(">HBHHB", 14, bits, height, width // 2, 2) + bytes([1, 0x11, 0, 2, 0x11, 0])
    scan = struct.pack(">HB", 10, 2) + bytes([1, 0, 2, 0, 1, 0, 0])
    return b"\xff\xd8\xff\xc4" + table + b"\xff\xc3" + frame + b"\xff\xda" + scan + data + b"\xff\xd9"


def short(number: int, *values: int) -> tuple[int, int, int, bytes]:
    return number, 3, len(values), struct.pack(f"<{len(values)}H", *values)


def long(number: int, value: int) -> tuple[int, int, int, bytes]:
    return number, 4, 1, struct.pack("<I", value)


def text(number: int, value: bytes) -> tuple[int, int, int, bytes]:
    return number, 2, len(value) + 1, value + b"\0"


def write_cr2(path: Path, frames: list[np.ndarray], orientation: int = 1) -> Path:
    height, width = frames[0].shape
    strips = [lossless_jpeg(frame) for frame in frames]
    camera = [text(271, b"Canon"), text(272, b"Canon EOS 5D Mark IV"), text(306, b"2026:11:26 04:00:00")]
    preview = [
        long(256, width),
        long(257, height),
        short(258, 8, 8, 8),
        short(259, 6),
        long(273, 4000),
        long(279, 20),
    ]
    directories = [
        [*preview, *camera, short(274, orientation)],
        [long(513, 4000), long(514, 20)],
        [long(256, 64), long(257, 64), short(259, 6), long(273, 4000), long(279, 20)],
    ]
    place = _START
    for strip in strips:
        directories.append(
            [short(259, 6), long(273, place), long(279, len(strip)), short(50752, 0, width, width)]
        )
        place += len(strip)
    out = bytearray(b"II*\0\x10\0\0\0CR\2\0" + bytes(4))
    for index, tags in enumerate(directories):
        if index == 3:
            out[12:16] = struct.pack("<I", len(out))
        values = b""
        start = len(out) + 2 + 12 * len(tags) + 4
        out += struct.pack("<H", len(tags))
        for number, kind, count, value in sorted(tags):
            out += struct.pack("<HHI", number, kind, count)
            if len(value) <= 4:
                out += value.ljust(4, b"\0")
            else:
                out += struct.pack("<I", start + len(values))
                values += value + bytes(len(value) % 2)
        last = index + 1 == len(directories)
        out += struct.pack("<I", 0 if last else start + len(values)) + values
    path.write_bytes(bytes(out).ljust(_START, b"\0") + b"".join(strips))
    return path
