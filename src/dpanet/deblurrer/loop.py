"""The road of a picture: for each tile, for each mirror image, run the network; average, blend. NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from dpanet.deblurrer.control import Control, Rows, combine_views
from dpanet.deblurrer.exposure import Exposure
from dpanet.deblurrer.finite_output import check_output
from dpanet.deblurrer.grid_choice import Tile, choose_grid
from dpanet.deblurrer.mirror import Mirror
from dpanet.deblurrer.passes import count_parallel_calls, sum_passes
from dpanet.engines.engine import Engine
from dpanet.errors import ConfigError
from dpanet.images.pixel_rows import PairRows
from dpanet.pair import DualPixelPair, Encoding, Pixels
from dpanet.refinement.in_focus import keep_in_focus
from dpanet.tiles.halves import HalfViews
from dpanet.tiles.large_blur import SCALES, CoarsePicture, Scale, count_halves, deblur_coarse
from dpanet.tiles.tiling import Blend, Grid

Progress = Callable[[int, int], None]
"""Called with (tiles done, all tiles): before each tile, and after the last."""

PLAIN = Control()
"""The picture is the output of the network."""

Strip = tuple[Pixels, NDArray[np.float32] | None]
"""Rows of the picture, (n, W, 3), and of the defocus map, (n, W), if it is wanted."""


def deblur_pair(
    engine: Engine,
    pair: DualPixelPair | PairRows,
    *,
    tile: Tile,
    mirrors: Sequence[Mirror],
    encoding: Encoding,
    control: Control = PLAIN,
    defocus: bool = False,
    scale: Scale = "auto",
    progress: Progress | None = None,
) -> tuple[Pixels, NDArray[np.float32] | None]:
    """Run an engine over a pair and return the picture, and with `defocus` the defocus map.

    Arguments and errors are those of `deblur_strips`.

    Returns:
        the picture (H, W, 3), float32, in the scale of the pair; the map (H, W), float32, signed blur radius in px
        (see `Engine`), or None.
    """
    height, width = pair.left.shape[:2]
    picture: Pixels | None = None
    radius: NDArray[np.float32] | None = None
    top = 0
    strips = deblur_strips(
        engine,
        pair,
        tile=tile,
        mirrors=mirrors,
        encoding=encoding,
        control=control,
        defocus=defocus,
        scale=scale,
        progress=progress,
    )
    for rows, radius_rows in strips:
        if len(rows) == height:
            return rows, radius_rows
        if picture is None:
            picture = np.empty((height, width, 3), np.float32)
            radius = np.empty((height, width), np.float32) if radius_rows is not None else None
        picture[top : top + len(rows)] = rows
        if radius is not None and radius_rows is not None:
            radius[top : top + len(rows)] = radius_rows
        top += len(rows)
    assert picture is not None, "a picture has rows"
    return picture, radius


def deblur_strips(
    engine: Engine,
    pair: DualPixelPair | PairRows,
    *,
    tile: Tile,
    mirrors: Sequence[Mirror],
    encoding: Encoding,
    control: Control = PLAIN,
    defocus: bool = False,
    scale: Scale = "auto",
    progress: Progress | None = None,
) -> Iterator[Strip]:
    """Run an engine over a pair and yield the picture from top to bottom, as soon as rows are final.

    The views are read by the rows of a row of tiles, and each tile is converted on its own: of the picture, one row
    of tiles is in memory.

    Args:
        engine: runs the network.
        pair: of any size.
        tile: largest side in px that the engine gets at once; 0 for the whole picture; ``auto``: see `choose_grid`.
        mirrors: mirror images of the pair whose outputs are averaged; the first is the pair itself.
        encoding: of the picture.
        control: how much of the network's output the picture gets.
        defocus: also yield the map, from the same runs of the network; it is yielded too if `control` needs it.
        scale: how many times smaller the smallest size is at which large blur is removed, one of `SCALES`; ``auto``:
            as small as the blur requires, if the network has a defocus map, and else 1 (see `tiles.large_blur`).
        progress: called before each tile, and after the last.

    Raises:
        ConfigError: if the tile is too small for the network.
        ShapeError: if the engine returns another shape.
        UnreadableImageError: if a file whose rows are read has become damaged meanwhile.
        WeightsError: if the network returns NaN or infinity.
    """
    network = engine.description
    height, width = pair.left.shape[:2]
    parallel = count_parallel_calls(engine, mirrors) > 1
    grid = choose_grid(height, width, network, tile, parallel=parallel)
    exposure = Exposure.of(pair, network.encoding)
    defocus |= control.needs_defocus_map
    coarse = _deblur_half(engine, pair, exposure, tile, mirrors, scale)
    strips = _run(
        engine, pair, grid, exposure, mirrors, encoding, not control.is_plain, defocus, coarse, progress
    )
    return _leave_out_mean(strips) if control.is_plain else control.apply_to_rows(strips, encoding)


def _leave_out_mean(strips: Iterator[Rows]) -> Iterator[Strip]:
    """Yield the rows of the output and of the defocus map."""
    for rows, _, radius_rows in strips:
        yield rows, radius_rows
        del rows, radius_rows  # the next tiles need the memory


def _deblur_half(
    engine: Engine,
    pair: DualPixelPair | PairRows,
    exposure: Exposure,
    tile: Tile,
    mirrors: Sequence[Mirror],
    scale: Scale,
) -> CoarsePicture | None:
    """Return the pair deblurred at half its size, or None if that has no use."""
    network = engine.description
    if scale == 1 or (scale == "auto" and not network.has_defocus):
        return None
    if not network.has_defocus:
        raise ConfigError(
            f"scale is {scale}, and this model has no defocus map of its own, which shows where blur is large; "
            "choose one that has, such as compact"
        )
    encoding = network.encoding
    parallel = count_parallel_calls(engine, mirrors) > 1
    height, width = pair.left.shape[:2]
    views: list[HalfViews] = []
    for _ in range(count_halves(height, width, SCALES[-1] if scale == "auto" else scale)):
        if views:
            views.append(HalfViews.of(views[-1].left, views[-1].right, lambda part: part))
        else:
            views.append(HalfViews.of(pair.left, pair.right, exposure.to_network))

    def run(half: HalfViews, coarse: CoarsePicture | None) -> NDArray[np.float16]:
        small = DualPixelPair(half.left, half.left if pair.left is pair.right else half.right, encoding)
        grid = choose_grid(half.left.shape[0], half.left.shape[1], network, tile, parallel=parallel)
        same = Exposure(1.0, encoding, encoding)
        strips = _run(engine, small, grid, same, mirrors, encoding, False, True, coarse, None)
        output = np.empty((*half.left.shape[:2], 4), np.float16)
        top = 0
        for rows, _, radius in strips:
            place = slice(top, top + len(rows))
            output[place, :, :3], output[place, :, 3] = rows, radius
            top = place.stop
        return output

    return deblur_coarse(views, run, always=scale != "auto")


def _run(
    engine: Engine,
    pair: DualPixelPair | PairRows,
    grid: Grid,
    exposure: Exposure,
    mirrors: Sequence[Mirror],
    encoding: Encoding,
    combine: bool,
    defocus: bool,
    coarse: CoarsePicture | None,
    progress: Progress | None,
) -> Iterator[Rows]:
    picture = Blend(grid, channels=3)
    combined = Blend(grid, channels=3) if combine else None
    radius = Blend(grid, channels=1) if defocus else None

    for done, place in enumerate(grid):
        if progress is not None:
            progress(done, len(grid))
        views = place.read(pair.left), place.read(pair.right)
        excess = exposure.excess(*views)
        left, right = map(exposure.to_network, views)
        mean_rows = (
            None if combined is None else combined.add(place, combine_views(*views, pair.encoding, encoding))
        )
        del views  # the network needs the memory
        total = sum_passes(engine, left, right, mirrors, defocus=defocus)
        check_output(engine, total, (left, right))
        if len(mirrors) > 1:
            total /= np.float32(len(mirrors))
        mean = total if coarse is None else coarse.complete(total, place)
        if pair.left is not pair.right:  # one picture twice, as of a baseline, does not show what is in focus
            keep_in_focus(mean, left, right, (place.rows.start, place.columns.start))
        del left, right
        rows = picture.add(place, exposure.to_picture(mean[..., :3], excess, encoding))
        radius_rows = None if radius is None else radius.add(place, mean[..., 3:])[..., 0]
        del excess, total, mean  # the next tile needs it too
        if progress is not None and done == len(grid) - 1:
            progress(len(grid), len(grid))
        if len(rows):
            yield rows, mean_rows, radius_rows
        del rows, mean_rows, radius_rows
