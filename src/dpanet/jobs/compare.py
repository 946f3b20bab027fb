"""Before and after beside each other: a strip (PNG), or a page with a slider (HTML)."""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpanet.containers.exif import orientation
from dpanet.containers.written_metadata import with_encoding, with_profile
from dpanet.datasets.upright import turn_upright
from dpanet.deblurrer.control import combine_views
from dpanet.errors import ConfigError
from dpanet.formats.jpeg_writing import LARGEST_SIDE, encode_jpeg
from dpanet.formats.png import encode_png
from dpanet.formats.row_stream import RowStream
from dpanet.images.encoding import linear_to_srgb, quantize
from dpanet.images.lettering import HEIGHT, paint_text
from dpanet.images.pixel_rows import PictureRows
from dpanet.images.windows import window_mean
from dpanet.pair import Encoding, Picture, Pixels

if TYPE_CHECKING:
    from dpanet.images.pixel_rows import PairRows
    from dpanet.pair import DualPixelPair

SUFFIXES = (".html", ".png")
"""Of the files that a comparison is written to."""

Shown = NDArray[np.uint8]
"""(H, W, 3), display-encoded, as stored."""

_STRIP = 512
"""Rows that are converted at once."""

_WIDEST = 1200
"""Px of each half of a strip."""

_PAGE = Path(__file__).with_name("compare_page.html")


@dataclass(frozen=True)
class Comparison:
    """A picture before and after."""

    name: str
    """Of the picture."""
    model: str
    """That deblurred it."""
    before: Shown
    """The combined view."""
    after: Shown
    """The deblurred picture."""
    metadata: Mapping[str, Any]
    """Of the picture after; its profile and orientation are used."""
    encoding: Encoding
    """Of that picture."""

    def write(self, path: Path, kind: str) -> None:
        """Write the file.

        Args:
            path: of the file.
            kind: one of `SUFFIXES`.

        Raises:
            ConfigError: if the picture is too large for a page.
        """
        path.write_bytes(self._strip() if kind == ".png" else self._page())

    def _upright(self) -> tuple[Shown, Shown]:
        turn = orientation(self.metadata.get("exif"))
        return turn_upright(self.before, turn), turn_upright(self.after, turn)

    def _profile(self) -> bytes | None:
        """Return the profile of display-encoded RGB; that of a gray picture does not fit."""
        if self.metadata.get("gray"):
            return None
        metadata = dict(self.metadata)
        metadata = with_profile(metadata if self.encoding == "srgb" else with_encoding(metadata, "srgb"))
        return metadata.get("icc")

    def _strip(self) -> bytes:
        return encode_png(draw_strip(*self._upright()), None, {"icc": self._profile()})

    def _page(self) -> bytes:
        before, after = self._upright()
        height, width = before.shape[:2]
        if max(height, width) > LARGEST_SIDE:
            raise ConfigError(
                f"the picture is {width} x {height} px, and a page shows at most {LARGEST_SIDE} a side; "
                "name a .png with --compare"
            )
        name = self.name.encode(errors="backslashreplace").decode()
        values = {
            "NAME": html.escape(name),
            "MODEL": html.escape(self.model),
            "WIDTH": str(width),
            "HEIGHT": str(height),
        }
        for key, picture in (("BEFORE", before), ("AFTER", after)):
            values[key] = base64.b64encode(encode_jpeg(picture, self._profile())).decode()
        template = _PAGE.read_text(encoding="utf-8")
        return re.sub("@([A-Z]+)@", lambda place: values[place[1]], template).encode()


def draw_strip(before: Shown, after: Shown) -> Shown:
    """Draw two pictures beside each other, labeled, each at most 1,200 px wide.

    Where they had to be made smaller, a second row shows a detail of both at 100 %: where they differ most.

    Args:
        before: (H, W, 3), uint8.
        after: the same.
    """
    factor = math.ceil(before.shape[1] / _WIDEST)
    rows = [_label_row([_shrink(before, factor), _shrink(after, factor)], ["before", "after"])]
    if factor > 1:
        width = rows[0].shape[1] // 2
        place = find_detail(before, after, factor, (min(before.shape[0], width // 2), width))
        rows.append(_label_row([before[place], after[place]], ["before, 100 %", "after, 100 %"]))
    widest = max(row.shape[1] for row in rows)
    return np.concatenate(
        [np.pad(row, ((0, 0), (0, widest - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    )


def find_detail(before: Shown, after: Shown, factor: int, size: tuple[int, int]) -> tuple[slice, slice]:
    """Return rows and columns of the window in which two pictures differ most.

    Args:
        before: (H, W, 3), uint8.
        after: the same.
        factor: the place is searched for in steps of so many px.
        size: height and width of the window in px, at most those of the picture.
    """
    changes = np.abs(_shrink(before, factor).astype(np.float32) - _shrink(after, factor)).mean(axis=-1)
    change = window_mean(changes, 2 * (min(size) // factor // 4) + 1)  # half as wide: in the middle
    y, x = np.unravel_index(int(change.argmax()), change.shape)
    starts = (
        min(max(0, int(middle) * factor - length // 2), side - length)
        for middle, length, side in zip((y, x), size, before.shape[:2], strict=True)
    )
    top, left = starts
    return slice(top, top + size[0]), slice(left, left + size[1])


def _shrink(picture: Shown, factor: int) -> Shown:
    """Return the means of factor x factor px; what is left over at the right and at the bottom is cut off."""
    if factor == 1:
        return picture
    height, width = (side // factor for side in picture.shape[:2])
    small = np.empty((height, width, 3), np.uint8)
    for row in range(height):
        block = picture[row * factor : (row + 1) * factor, : width * factor]
        small[row] = np.rint(block.reshape(factor, width, factor, 3).mean(axis=(0, 2), dtype=np.float32))
    return small


def _label_row(pictures: list[Shown], labels: list[str]) -> Shown:
    """Put pictures of one size beside each other, with white between them and a label above each."""
    height, width = pictures[0].shape[:2]
    unit = max(2, round(width / 400))
    gap, top = 4 * unit, (HEIGHT + 6) * unit
    row = np.full((top + height, len(pictures) * (width + gap) - gap, 3), 255, np.uint8)
    for place, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        left = place * (width + gap)
        row[top:, left : left + width] = picture
        paint_text(row[:, left : left + width], label, (4 * unit, 2 * unit), unit, (0, 0, 0))
    return row


def show_combined(pair: DualPixelPair | PairRows) -> Shown:
    """Return the combined view of a pair as it is shown."""
    shown = np.empty(pair.left.shape, np.uint8)
    for top in range(0, len(shown), _STRIP):
        place = slice(top, top + _STRIP), slice(None)
        mean = combine_views(pair.left[place], pair.right[place], pair.encoding, "srgb")
        shown[top : top + _STRIP] = quantize(mean, 8)
    return shown


def copy_shown(picture: Picture | PictureRows) -> tuple[Picture | PictureRows, Shown]:
    """Return a picture as it is shown; if it comes by rows, when all of its rows have been read.

    Returns:
        The picture, to be read instead of the one that was given; how it is shown.
    """
    pixels = picture.pixels
    shown = np.empty(pixels.shape, np.uint8)
    if isinstance(picture, Picture):
        for top in range(0, len(shown), _STRIP):
            shown[top : top + _STRIP] = _show(picture.pixels[top : top + _STRIP], picture.encoding)
        return picture, shown
    stream = picture.pixels

    def run() -> Iterator[Pixels]:
        top = 0
        for rows in stream.run():
            shown[top : top + len(rows)] = _show(rows, picture.encoding)
            top += len(rows)
            yield rows

    copied = PictureRows(RowStream(stream.shape, np.float32, run), picture.encoding, picture.metadata)
    return copied, shown


def _show(pixels: Pixels, encoding: Encoding) -> Shown:
    shown = quantize(linear_to_srgb(pixels) if encoding == "linear" else pixels, 8)
    assert shown.dtype == np.uint8
    return shown  # type: ignore[return-value]
