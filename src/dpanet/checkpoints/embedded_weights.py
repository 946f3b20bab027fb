"""Weights that an ONNX file reads from the file beside it, put into the file itself. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from mmap import mmap
from pathlib import Path

_GRAPH, _INITIALIZER = 7, 5
"""Numbers of fields, in the file and in its graph; the format is Protocol Buffers."""

_RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION = 9, 13, 14
"""Of a tensor: its numbers; where they are instead; that they are there."""

_KEY, _VALUE = 1, 2
"""Of an entry of external data."""

_SIZED = 2
"""Kind of a field that begins with its length."""


def embed_weights(path: Path) -> bytes:
    """Return the content of an ONNX file with the weights that it reads from files in its folder.

    A file that contains its weights is returned as it is. Programs differ in which files beside an ONNX file they
    read: of links, as in the cache of a model hub, some do not.

    Raises:
        OSError: if one of the files cannot be read.
        ValueError: if the file is damaged.
    """
    content = path.read_bytes()
    files: dict[str, bytes] = {}

    def embed(tensor: bytes) -> bytes:
        external = [inner for number, inner, _ in _fields(tensor) if number == _EXTERNAL_DATA]
        if not external:
            return tensor
        entries = dict(read_entry(entry) for entry in external)
        name = entries["location"]
        if Path(name).name != name:
            raise ValueError(f"it reads {name!r}, which is not in its folder")
        if name not in files:
            files[name] = path.with_name(name).read_bytes()
        weights = files[name]
        offset = int(entries.get("offset", "0"))
        length = int(entries.get("length", str(len(weights) - offset)))
        if not 0 <= offset <= offset + length <= len(weights):
            raise ValueError(f"{name} is shorter than it should be")
        kept = [
            whole for number, _, whole in _fields(tensor) if number not in (_EXTERNAL_DATA, _DATA_LOCATION)
        ]
        return b"".join([*kept, _write_field(_RAW_DATA, weights[offset : offset + length])])

    try:
        return _change(content, _GRAPH, lambda graph: _change(graph, _INITIALIZER, embed))
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise ValueError("it is no ONNX file") from error


def _change(message: bytes, number: int, change: Callable[[bytes], bytes]) -> bytes:
    """Return a message in which each field of a number is changed."""
    parts = []
    for found, inner, whole in _fields(message):
        changed = change(inner) if found == number else inner
        parts.append(whole if changed is inner else _write_field(number, changed))
    return b"".join(parts)


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield each field of a message: its number; what is in it, empty unless it has a length; all of its bytes."""
    position = 0
    while position < len(message):
        start = position
        tag, position = read_number(message, position)
        number, kind = tag >> 3, tag & 7
        inner = b""
        if kind == _SIZED:
            length, position = read_number(message, position)
            inner = message[position : position + length]
            position += length
        elif kind == 0:
            _, position = read_number(message, position)
        elif kind in (1, 5):
            position += 8 if kind == 1 else 4
        else:
            raise ValueError("it is no ONNX file")
        if position > len(message):
            raise ValueError("it ends early")
        yield number, inner, message[start:position]


def read_entry(entry: bytes) -> tuple[str, str]:
    """Return key and value of an entry of external data."""
    parts = {number: inner.decode() for number, inner, _ in _fields(entry)}
    return parts[_KEY], parts[_VALUE]


def read_number(message: bytes | mmap, position: int) -> tuple[int, int]:
    """Return a number of 7 bits a byte, the lowest first, and the position behind it."""
    number = shift = 0
    while True:
        byte = message[position]
        number |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return number, position


def _write_field(number: int, inner: bytes) -> bytes:
    """Return a field with a length."""
    return _write_number(number << 3 | _SIZED) + _write_number(len(inner)) + inner


def _write_number(number: int) -> bytes:
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)
