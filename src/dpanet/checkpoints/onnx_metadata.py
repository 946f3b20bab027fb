"""The metadata of an ONNX file, read without its network. Standard library only."""

from __future__ import annotations

import mmap
from pathlib import Path

from dpanet.checkpoints.embedded_weights import read_entry, read_number

_METADATA = 14
"""Number of the field; the format is Protocol Buffers."""

_SIZED = 2
"""Kind of a field that begins with its length."""


def read_metadata(path: Path, key: str) -> str | None:
    """Return the value of a key of an ONNX file's metadata, or None if it has none or is damaged.

    Raises:
        OSError: if the file cannot be read.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _find_entry(content, key)
    except (IndexError, KeyError, ValueError):  # also of an empty file
        return None


def _find_entry(content: mmap.mmap, key: str) -> str | None:
    position = 0
    while position < len(content):
        tag, position = read_number(content, position)
        number, position = read_number(content, position)  # the length, or all that the field contains
        if tag & 7 not in (0, _SIZED):
            break  # no field of an ONNX file is of another kind
        end = position + number if tag & 7 else position
        if end > len(content):
            break
        if tag >> 3 == _METADATA:
            name, value = read_entry(content[position:end])
            if name == key:
                return value
        position = end
    return None
