"""The size of tiles: as large as memory allows, and those that overlap least. NumPy only."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Literal

from dpanet.errors import ConfigError
from dpanet.tiles.tiling import SEAM, Axis, Grid, cut_axis

if TYPE_CHECKING:
    from dpanet.network.description import Description

WHOLE_LIMIT = 4_000_000
"""Pixels of the largest picture that ``auto`` runs whole through a network that cannot be tiled."""

PARALLEL_SHARE = 0.8
"""Of `Description.tile_pixels`: so many has each of several tiles at most where two passes run at the same time."""

Tile = int | Literal["auto"]
"""Largest side in px; 0 for the whole picture; ``auto`` for what `choose_grid` takes."""


def choose_grid(
    height: int, width: int, network: Description, tile: Tile = "auto", *, parallel: bool = False
) -> Grid:
    """Return the tiles of a picture; all have one shape.

    With ``auto``, a picture of up to `Description.tile_pixels` is one tile; a larger one has those tiles of up to so
    many pixels that have the fewest pixels together: the larger they are, the less they overlap.

    Args:
        height: px of the picture.
        width: px of the picture.
        network: its needs.
        tile: largest side of a tile.
        parallel: whether several passes over a tile run at the same time, each of which needs memory: then tiles
            have at most `PARALLEL_SHARE` of the pixels, since a large picture needs memory itself.

    Raises:
        ConfigError: if the tile is too small for the network; or, with ``auto``, if the network has to see the
            picture whole, which is too large for that.
    """
    cut = {"multiple_of": network.multiple_of, "halo": network.halo}
    if tile != "auto":
        return Grid.cut(height, width, tile=tile, **cut)
    if network.whole_image:
        if height * width > WHOLE_LIMIT:
            raise ConfigError(
                f"the picture is {width} x {height} px, and this model has to see it whole, which takes much "
                f"memory above {WHOLE_LIMIT // 10**6} megapixels; take another model, or set the tile to 0 "
                "(whole all the same) or to 1024 (the picture then differs from the whole one's)"
            )
        return Grid.cut(height, width, tile=0, **cut)
    sides = _list_axes(height, **cut), _list_axes(width, **cut)
    limit = network.tile_pixels
    if parallel and sides[0][0].tile * sides[1][0].tile > limit:
        limit = int(PARALLEL_SHARE * limit)
    while not (grids := [Grid(*axes) for axes in product(*sides) if axes[0].tile * axes[1].tile <= limit]):
        limit *= 2  # the halo alone needs more
    return min(grids, key=lambda grid: (len(grid) * grid.rows.tile * grid.columns.tile, len(grid)))


def _list_axes(length: int, *, multiple_of: int, halo: int) -> list[Axis]:
    """Return the ways to cut a side of `length` px, each with another number of tiles."""
    axes = [cut_axis(length, tile=0, multiple_of=multiple_of, halo=halo)]
    least = 2 * halo + SEAM + 3 * multiple_of
    while (largest := axes[-1].tile - multiple_of) >= least:
        axis = cut_axis(length, tile=largest, multiple_of=multiple_of, halo=halo)
        if axis.tile == axes[-1].tile:
            break
        axes.append(axis)
    return axes
