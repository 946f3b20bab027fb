"""The road of a picture: for each tile, for each mirror image, run the network; average, blend. NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dpanet.deblurrer.engine import Engine
from dpanet.deblurrer.exposure import Exposure
from dpanet.deblurrer.mirror import Mirror
from dpanet.deblurrer.tiling import Canvas, Grid
from dpanet.pair import DualPixelPair, Encoding, Pixels

Progress = Callable[[int, int], None]
"""Called with (tiles done, all tiles): before each tile, and after the last."""


def deblur_pair(
    engine: Engine,
    pair: DualPixelPair,
    *,
    tile: int,
    mirrors: Sequence[Mirror],
    encoding: Encoding,
    defocus: bool = False,
    progress: Progress | None = None,
) -> tuple[Pixels, NDArray[np.float32] | None]:
    """Run an engine over a pair and return the picture, and with `defocus` the defocus map.

    Each tile is converted on its own, so that no full-size copy of the views exists; beside the output, one row of
    tiles is in memory.

    Args:
        engine: runs the network.
        pair: of any size.
        tile: largest side in px that the engine gets at once; 0 for the whole picture.
        mirrors: mirror images of the pair whose outputs are averaged; the first is the pair itself.
        encoding: of the picture.
        defocus: also return the map, from the same runs of the network.
        progress: called before each tile, and after the last.

    Returns:
        the picture (H, W, 3), float32, in the scale of the pair; the map (H, W), float32, signed blur radius in px
        (see `Engine`), or None.

    Raises:
        ConfigError: if the tile is too small for the network.
        ShapeError: if the engine returns another shape.
    """
    network = engine.description
    height, width = pair.left.shape[:2]
    grid = Grid.cut(height, width, tile=tile, multiple_of=network.multiple_of, halo=network.halo)
    exposure = Exposure.of(pair, network.encoding)
    picture = Canvas(grid, channels=3)
    radius = Canvas(grid, channels=1) if defocus else None

    for done, place in enumerate(grid):
        if progress is not None:
            progress(done, len(grid))
        views = place.read(pair.left), place.read(pair.right)
        excess = exposure.excess(*views)
        left, right = map(exposure.to_network, views)
        total: Pixels | None = None
        for mirror in mirrors:
            output = mirror.undo(engine(*mirror.apply(left, right), defocus=defocus))
            total = output if total is None else total + output
        assert total is not None, "at least one mirror image"
        mean = total / np.float32(len(mirrors))
        picture.add(place, exposure.to_picture(mean[..., :3], excess, encoding))
        if radius is not None:
            radius.add(place, mean[..., 3:])
        del views, excess, left, right, output, total, mean  # the next tile needs the memory
    if progress is not None:
        progress(len(grid), len(grid))
    return picture.pixels, None if radius is None else radius.pixels[..., 0]
