"""Check, read and make ICC profiles: their color space, their tone curve and their primaries.

Source: ICC.1:2022 (profile version 4.4); v2 profiles have the same tags.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

Curve = float | Literal["srgb", "bt709"]
"""A tone curve: a gamma (1 is linear), or the curve of a standard."""

PROBES = np.linspace(0, 1, 17)
"""Device values at which a tone curve is evaluated."""

D50 = np.array([0.9642, 1.0, 0.8249])
"""XYZ of the white of the profile connection space."""

SRGB_PRIMARIES = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
"""x and y of white, red, green and blue, as a cHRM chunk orders them. IEC 61966-2-1."""

_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

_CLASSES = (b"scnr", b"mntr", b"prtr", b"spac")


@dataclass(frozen=True)
class Profile:
    """The parts of a sound ICC profile that say how values are meant."""

    data: bytes
    """The whole profile."""
    tags: dict[bytes, bytes]
    """Signature and data of each tag."""

    @property
    def gray(self) -> bool:
        """Whether it is for pictures of one channel."""
        return self.data[16:20] == b"GRAY"

    @property
    def transfer(self) -> int | None:
        """The transfer characteristics of its `cicp` tag (ITU-T H.273), if it has one that says it."""
        tag = self.tags.get(b"cicp", b"")
        return tag[9] if len(tag) >= 12 and tag[:4] == b"cicp" and tag[9] != 2 else None

    @property
    def curves(self) -> list[Values] | None:
        """Light at `PROBES` for each channel; None if the profile has tables of colors in place of curves."""
        names = (b"kTRC",) if self.gray else (b"rTRC", b"gTRC", b"bTRC")
        if any(name not in self.tags for name in names):
            return None
        curves = [_evaluate(self.tags[name]) for name in names]
        return None if any(curve is None for curve in curves) else [c for c in curves if c is not None]

    @property
    def colorants(self) -> Values | None:
        """XYZ of red, green and blue under D50, one a row; None without them."""
        rows = [self.tags.get(name, b"") for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        if self.gray or any(len(row) < 20 for row in rows):
            return None
        return np.array([struct.unpack(">3i", row[8:20]) for row in rows]) / 65536


def parse_profile(data: bytes) -> Profile | None:
    """Take a profile apart; None if it is damaged, or not of a gray or RGB device."""
    tags = _parse_tags(data)
    if tags is None or data[12:16] not in _CLASSES or data[16:20] not in (b"RGB ", b"GRAY"):
        return None
    return Profile(data[: int.from_bytes(data[:4], "big")], tags)


def profile_name(data: bytes) -> str:
    """Return the description of a profile of any device, less what cannot be printed; empty if it has none."""
    tag = (_parse_tags(data) or {}).get(b"desc", b"")
    text = ""
    if tag[:4] == b"desc":
        length = int.from_bytes(tag[8:12], "big")
        text = tag[12 : 12 + length].split(b"\0")[0].decode("latin-1")
    elif tag[:4] == b"mluc":
        length, start = (int.from_bytes(tag[at : at + 4], "big") for at in (20, 24))
        text = tag[start : start + length].decode("utf-16-be", "replace")
    return "".join(character for character in text if character.isprintable()).strip()


def make_profile(name: str, tone: Curve, colorants: Values | None) -> bytes:
    """Make a profile of version 2 with one tone curve, which every program reads.

    Args:
        name: that programs show.
        tone: its curve.
        colorants: XYZ of red, green and blue under D50, one a row; None for a gray profile.
    """
    text = name.encode("ascii")
    curve = b"curv" + bytes(4) + _encode_curve(tone)
    tags = {
        b"desc": b"desc" + struct.pack(">II", 0, len(text) + 1) + text + bytes(1 + 8 + 3 + 67),
        b"cprt": b"text" + bytes(4) + b"No copyright, use freely\0",
        b"wtpt": _xyz(D50),
    }
    if colorants is None:
        tags[b"kTRC"] = curve
    else:
        tags |= {name: _xyz(row) for name, row in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants, strict=True)}
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, body, places = b"", b"", dict[bytes, int]()
    start = 132 + 12 * len(tags)
    for signature, data in tags.items():
        if data not in places:  # the three curves are stored once
            places[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", signature, places[data], len(data))
    space = b"GRAY" if colorants is None else b"RGB "
    head = struct.pack(">I4sI4s4s4s", start + len(body), bytes(4), 0x02400000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _xyz(D50)[8:] + bytes(48)
    return head + struct.pack(">I", len(tags)) + table + body


def colorants_of(primaries: tuple[float, ...]) -> Values | None:
    """Convert primaries to XYZ under D50, one a row, so that their sum is D50; None if that is impossible.

    Args:
        primaries: x and y of white, red, green and blue.

    Source:
        ICC.1:2022, annex E (Bradford adaptation).
    """
    points = np.array(primaries, np.float64).reshape(4, 2)
    if (points[:, 1] <= 0).any():
        return None
    xyz = np.array([[x / y, 1, (1 - x - y) / y] for x, y in points])
    white, columns = xyz[0], xyz[1:].T
    if abs(np.linalg.det(columns)) < 1e-6:
        return None
    scaled = columns * np.linalg.solve(columns, white)
    adapt = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ D50 / (_BRADFORD @ white)) @ _BRADFORD
    return np.asarray((adapt @ scaled).T)


def _parse_tags(data: bytes) -> dict[bytes, bytes] | None:
    """Return signature and data of each tag; None if the profile is damaged."""
    if len(data) < 132 or data[36:40] != b"acsp":
        return None
    size, count = int.from_bytes(data[:4], "big"), int.from_bytes(data[128:132], "big")
    if size > len(data) or not 0 < count <= 100 or 132 + 12 * count > size:
        return None
    tags = {}
    for at in range(132, 132 + 12 * count, 12):
        name, start, length = struct.unpack(">4sII", data[at : at + 12])
        if start < 128 or start + length > size:
            return None
        tags[name] = data[start : start + length]
    return tags


def _encode_curve(tone: Curve) -> bytes:
    """Return count and values of a curve: none for linear, one for a gamma, 1024 of a standard.

    Source:
        IEC 61966-2-1; ITU-R BT.709, inverted.
    """
    if not isinstance(tone, str):
        return struct.pack(">I", 0) if tone == 1 else struct.pack(">IH", 1, round(tone * 256))
    x = np.linspace(0, 1, 1024)
    if tone == "srgb":
        y = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    else:
        y = np.where(x < 0.081, x / 4.5, ((x + 0.099) / 1.099) ** (1 / 0.45))
    return struct.pack(">I1024H", len(x), *(round(float(value) * 65535) for value in y))


def _xyz(values: Values) -> bytes:
    return b"XYZ " + struct.pack(">I3i", 0, *(round(float(value) * 65536) for value in values))


def _evaluate(tag: bytes) -> Values | None:
    """Evaluate a tone curve at `PROBES`; None if it is of another kind or damaged."""
    if len(tag) < 12:
        return None
    if tag[:4] == b"curv":
        count = int.from_bytes(tag[8:12], "big")
        if len(tag) < 12 + 2 * count:
            return None
        values = np.frombuffer(tag, ">u2", count, 12).astype(np.float64)
        if count == 0:
            return PROBES
        if count == 1:
            return np.asarray(PROBES ** (values[0] / 256))
        return np.interp(PROBES, np.linspace(0, 1, count), values / 65535)
    kind = int.from_bytes(tag[8:10], "big")
    count = (1, 3, 4, 5, 7)[kind] if kind < 5 else 0
    if tag[:4] != b"para" or not count or len(tag) < 12 + 4 * count:
        return None
    g, *rest = np.frombuffer(tag, ">i4", count, 12) / 65536
    a, b, c, d, e, f = _parameters(kind, rest)
    base = np.maximum(a * PROBES + b, 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        y = np.where(d <= PROBES, base**g + e, c * PROBES + f)
    return y if np.isfinite(y).all() else None


def _parameters(kind: int, rest: list[float]) -> tuple[float, ...]:
    """Return a, b, c, d, e, f of (a x + b) ** g + e from d on, c x + f below it (table 68)."""
    if kind == 0:
        return 1, 0, 0, 0, 0, 0
    a, b, *more = rest
    if kind in (1, 2):
        offset = more[0] if kind == 2 else 0.0
        return a, b, 0, -b / a if a else 0, offset, offset
    c, d, *ends = more
    return a, b, c, d, *(ends or (0, 0))
