"""The few parts of the ONNX format that a benchmark needs: writing small models, reading names. No package `onnx`.

ONNX files are protocol buffers: a sequence of fields, each a number, a wire type and a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_TYPES = {np.dtype(np.float32): 1, np.dtype(np.uint8): 2, np.dtype(np.int8): 3, np.dtype(np.int32): 6}
"""ONNX's numbers of data types."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Wire types."""


def field(number: int, value: int | bytes | str) -> bytes:
    """Return a field with its value: a whole number of at least 0, or text, bytes or an encoded message."""
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | _BYTES) + _varint(len(data)) + data


def tensor(name: str, values: NDArray[np.generic]) -> bytes:
    """Return a TensorProto: an initializer of a graph."""
    dims = b"".join(field(1, side) for side in values.shape)
    return dims + field(2, _TYPES[values.dtype]) + field(8, name) + field(9, values.tobytes())


def integers(name: str, values: Sequence[int]) -> bytes:
    """Return an AttributeProto: a list of whole numbers."""
    return field(1, name) + b"".join(field(8, value) for value in values) + field(20, 7)


def node(operator: str, inputs: Sequence[str], output: str, attributes: Sequence[bytes] = ()) -> bytes:
    """Return a NodeProto with one output."""
    names = b"".join(field(1, name) for name in inputs)
    settings = b"".join(field(5, attribute) for attribute in attributes)
    return names + field(2, output) + field(3, output) + field(4, operator) + settings


def model(
    nodes: Sequence[bytes],
    initializers: Sequence[bytes],
    shape: Sequence[int],
    dtype: np.dtype[np.generic],
) -> bytes:
    """Return a file of a model: input ``x`` and output ``y`` of one shape and type, opset 13."""
    dims = b"".join(field(1, field(1, side)) for side in shape)
    kind = field(1, field(1, _TYPES[dtype]) + field(2, dims))
    graph = b"".join(field(1, one) for one in nodes) + field(2, "g")
    graph += b"".join(field(5, one) for one in initializers)
    graph += field(11, field(1, "x") + field(2, kind)) + field(12, field(1, "y") + field(2, kind))
    return field(1, 8) + field(7, graph) + field(8, field(2, 13))


@dataclass(frozen=True)
class Node:
    """A node of a graph, without its attributes."""

    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def read_nodes(data: bytes) -> list[Node]:
    """Return all nodes of an ONNX file, in its order."""
    graph = next((value for number, value in _fields(data) if number == 7), b"")
    return [_read_node(value) for number, value in _fields(graph) if number == 1]


def read_metadata(data: bytes) -> dict[str, str]:
    """Return the metadata of an ONNX file."""
    return _entries(value for number, value in _fields(data) if number == 14)


def _read_node(data: bytes) -> Node:
    texts: dict[int, list[str]] = {1: [], 2: [], 3: [], 4: []}
    for number, value in _fields(data):
        if number in texts:
            texts[number].append(value.decode())
    return Node("".join(texts[3]), "".join(texts[4]), tuple(texts[1]), tuple(texts[2]))


def _entries(messages: Iterable[bytes]) -> dict[str, str]:
    """Return keys and values of StringStringEntryProto messages."""
    entries = [dict(_fields(message)) for message in messages]
    return {entry.get(1, b"").decode(): entry.get(2, b"").decode() for entry in entries}


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the fields of a message whose values are bytes; others are skipped."""
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            _, at = _read_varint(data, at)
        elif wire == _BYTES:
            length, at = _read_varint(data, at)
            yield number, data[at : at + length]
            at += length
        elif wire in (_FIXED64, _FIXED32):
            at += 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire} is not used in ONNX files")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
