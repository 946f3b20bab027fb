"""How much of the network's output a picture gets, overall and by how far out of focus a pixel is. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpanet.deblurrer.keep_background import (
    CELL,
    FILL_CONTEXT,
    fill_flat_places,
    find_reach,
    follow_edges,
    weight_of_radius,
)
from dpanet.errors import ConfigError, ShapeError
from dpanet.images.encoding import linear_to_srgb, srgb_to_linear
from dpanet.pair import Encoding, Pixels

_STRIP = 256
"""Rows that are worked on at once."""

Rows = tuple[Pixels, Pixels | None, NDArray[np.float32] | None]
"""Rows of the output and of the combined view, both (n, W, 3), and of the defocus map, (n, W); as far as needed."""


@dataclass(frozen=True)
class Control:
    """How a picture is mixed from the output of a network and the combined view, the mean of the views.

    The values are mixed as a display takes them (sRGB), whatever the encoding of the pair, so that one strength looks
    alike in dark and bright places, and for a raw file and its developed picture.

    Raises:
        ConfigError: for a strength outside 0..1, or a radius below 0.

    >>> import numpy as np
    >>> from dpanet.deblurrer.control import Control
    >>> output, combined = np.full((16, 24, 3), 0.8, np.float32), np.full((16, 24, 3), 0.4, np.float32)
    >>> picture = Control(strength=0.25).apply(output, combined)
    >>> print(f"{picture[0, 0, 0]:.2f}")
    0.50
    """

    strength: float = 1.0
    """0 gives the combined view, 1 the output of the network, both exactly."""
    keep_background: float | None = None
    """Blur radius in px up to which is sharpened what lies behind the focal plane; None for all of it."""
    keep_foreground: float | None = None
    """Likewise in front of it. With the views swapped, background and foreground are swapped too."""

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ConfigError(
                f"strength is {self.strength}; give 0 (the combined view) to 1 (the network's output)"
            )
        for name in ("keep_background", "keep_foreground"):
            limit = getattr(self, name)
            if limit is not None and not (limit >= 0 and math.isfinite(limit)):
                raise ConfigError(f"{name} is {limit}; give a blur radius in px, 0 or more")

    @property
    def needs_defocus_map(self) -> bool:
        """Whether `apply` takes a defocus map."""
        return self.keep_background is not None or self.keep_foreground is not None

    @property
    def is_plain(self) -> bool:
        """Whether the picture is just the output of the network."""
        return self.strength == 1 and not self.needs_defocus_map

    def apply(
        self,
        output: Pixels,
        combined: Pixels,
        radius: NDArray[np.float32] | None = None,
        encoding: Encoding = "srgb",
    ) -> Pixels:
        """Mix a picture, without another run of the network.

        Args:
            output: (H, W, 3), float32, of a Deblurrer without control.
            combined: (H, W, 3), float32, in the same encoding: `DualPixelPair.combined`.
            radius: H x W, float32, the defocus map, px, positive behind the focal plane; needed to keep background
                or foreground.
            encoding: of output, combined view and picture.

        Returns:
            (H, W, 3), float32; the arguments are not changed.

        Raises:
            ShapeError: if the shapes differ.
            ConfigError: if the defocus map is missing.
        """
        if output.shape != combined.shape or (radius is not None and radius.shape != output.shape[:2]):
            sizes = f"{output.shape}, {combined.shape}" + ("" if radius is None else f" and {radius.shape}")
            raise ShapeError(
                f"output, combined view and defocus map are {sizes}; give (H, W, 3) twice and (H, W)"
            )
        if self.is_plain:
            return output
        strips = [(slice(top, top + _STRIP)) for top in range(0, len(output), _STRIP)]
        rows = ((output[s], combined[s], None if radius is None else radius[s]) for s in strips)
        return np.concatenate([picture for picture, _ in self.apply_to_rows(rows, encoding)])

    def apply_to_rows(
        self, strips: Iterator[Rows], encoding: Encoding
    ) -> Iterator[tuple[Pixels, NDArray[np.float32] | None]]:
        """Mix a picture whose rows come from the top down, as `apply` does; yield its rows and those of the map.

        If background or foreground is kept, a row waits for up to 280 rows below it.

        Raises:
            ConfigError: if the defocus map is needed and missing.
        """
        if not self.needs_defocus_map:
            for output, combined, radius in strips:
                assert combined is not None
                yield mix(output, combined, self.strength, encoding), radius
            return
        context = 2 * find_reach(self.keep_background, self.keep_foreground) + FILL_CONTEXT
        done = 0  # rows at the top of the arrays that were yielded and are context alone
        held: tuple[Pixels, Pixels, NDArray[np.float32]] | None = None
        for strip in _ends_with_none(strips):
            if strip is not None:
                output, combined, radius = strip
                if radius is None:
                    raise ConfigError(
                        "the defocus map is missing, which keep_background and keep_foreground need"
                    )
                assert combined is not None
                new = output, combined, radius
                held = new if held is None else tuple(map(np.concatenate, zip(held, new, strict=True)))  # type: ignore[assignment]
            if held is None:
                return
            output, combined, radius = held
            ready = len(output) if strip is None else len(output) - context
            if ready <= done:
                continue
            for top in range(done, ready, _STRIP):  # in parts, since the filter needs many copies
                rows = slice(top, min(top + _STRIP, ready))
                weight = self._weigh(combined, radius, rows, encoding)
                yield mix(output[rows], combined[rows], weight, encoding), radius[rows]
            first = max(0, ready - context) // CELL * CELL
            held = output[first:].copy(), combined[first:].copy(), radius[first:].copy()
            done = ready - first

    def _weigh(
        self, combined: Pixels, radius: NDArray[np.float32], rows: slice, encoding: Encoding
    ) -> NDArray[np.float32]:
        """Return how much of the output some rows of a picture get, (n, W)."""
        reach = find_reach(self.keep_background, self.keep_foreground)
        edges = slice(max(0, rows.start - 2 * reach), min(rows.stop + 2 * reach, len(radius)))
        first = max(0, edges.start - FILL_CONTEXT) // CELL * CELL
        around = slice(first, edges.stop + FILL_CONTEXT)
        weight = weight_of_radius(radius[around], self.keep_background, self.keep_foreground)
        shown = linear_to_srgb(combined[around]) if encoding == "linear" else combined[around]
        weight, shown = (
            values[edges.start - first : edges.stop - first]
            for values in (fill_flat_places(weight, shown), shown)
        )
        weight = follow_edges(weight, shown, reach)[rows.start - edges.start : rows.stop - edges.start]
        return weight * np.float32(self.strength)


def combine_views(left: Pixels, right: Pixels, pair: Encoding, encoding: Encoding) -> Pixels:
    """Return the mean of two views, in the encoding of the pair, converted to another.

    Args:
        left: any shape, float32.
        right: the same.
        pair: encoding of both.
        encoding: of what is returned.
    """
    mean: Pixels = (left + right) * np.float32(0.5)
    if encoding == pair:
        return mean
    return linear_to_srgb(mean) if encoding == "srgb" else srgb_to_linear(mean)


def mix(output: Pixels, combined: Pixels, weight: float | NDArray[np.float32], encoding: Encoding) -> Pixels:
    """Return the combined view where the weight is 0, the output where it is 1, and display values between them.

    Args:
        output: (H, W, 3).
        combined: (H, W, 3), in the same encoding.
        weight: 0..1, one number or H x W.
        encoding: of both.
    """
    share = np.asarray(weight, np.float32)
    if share.ndim:
        share = share[..., None]
    elif share in (0, 1):
        return output if share else combined
    one, other = (output, combined) if encoding == "srgb" else map(linear_to_srgb, (output, combined))
    mixed = other + share * (one - other)
    if encoding == "linear":
        mixed = srgb_to_linear(mixed)
    return np.where(share == 1, output, np.where(share == 0, combined, mixed)) if share.ndim else mixed


def _ends_with_none(strips: Iterator[Rows]) -> Iterator[Rows | None]:
    """Yield the rows in strips of at most `_STRIP`, so that little is joined at once, then None."""
    for strip in strips:
        for top in range(0, len(strip[0]), _STRIP):
            output, combined, radius = (
                None if values is None else values[top : top + _STRIP] for values in strip
            )
            assert output is not None
            yield output, combined, radius
    yield None
