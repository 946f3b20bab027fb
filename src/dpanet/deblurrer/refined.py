"""A pair deblurred by the network, and its picture refined by the optics of a known lens."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpanet.deblurrer.control import Control, combine_views
from dpanet.deblurrer.loop import Progress, deblur_pair
from dpanet.engines.engine import Engine
from dpanet.images.encoding import linear_to_srgb, srgb_to_linear
from dpanet.lenses.lens import Lens, blur_radius
from dpanet.pair import DualPixelPair, Encoding, Pixels
from dpanet.refinement.refine import refine

KEPT = np.float32(0.85)
"""Share that is kept of what the network adds to the mean of the views. Networks add too much to real captures; where
the lens shows that it is there, refinement puts it back, so that this holds for what the lens does not pass."""


def deblur_and_refine(
    lens: Lens,
    engine: Engine,
    pair: DualPixelPair,
    *,
    encoding: Encoding,
    control: Control,
    threads: int = 1,
    defocus: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> tuple[Pixels, NDArray[np.float32] | None]:
    """Run an engine over a pair as `deblur_pair` does, and refine the picture; the defocus map is that of the lens.

    Args:
        lens: whose field the pair fills.
        engine: runs the network.
        pair: in memory.
        encoding: of the picture.
        control: how much of the refined picture the picture gets.
        threads: that refine.
        defocus: also return the defocus map; the network needs none.
        progress: called as of `deblur_pair`, and then anew with the parts that are refined.
        **options: of `deblur_pair`.

    Returns:
        as `deblur_pair`.
    """
    picture, _ = deblur_pair(engine, pair, encoding="linear", progress=progress, **options)
    views = pair.left, pair.right
    if pair.encoding == "srgb":
        views = srgb_to_linear(pair.left), srgb_to_linear(pair.right)
    mean: Pixels = (views[0] + views[1]) * np.float32(0.5)
    kept: Pixels = mean + KEPT * (picture - mean)
    found = refine(*views, kept, lens, threads=threads, progress=progress)
    refined = linear_to_srgb(found.picture) if encoding == "srgb" else found.picture
    radius = None
    if defocus or control.needs_defocus_map:
        radius = found.scale * np.float32(blur_radius(lens))
    if not control.is_plain:
        combined = combine_views(pair.left, pair.right, pair.encoding, encoding)
        refined = control.apply(refined, combined, radius, encoding)
    return refined, radius if defocus else None
