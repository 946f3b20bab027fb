"""A pair deblurred by the network, and its picture refined by the optics of a lens, known or found from the pair."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpanet.deblurrer.control import Control, combine_views
from dpanet.deblurrer.loop import Progress, deblur_pair
from dpanet.engines.engine import Engine
from dpanet.errors import ImageWarning
from dpanet.images.encoding import convert_in_strips, linear_to_srgb, srgb_to_linear
from dpanet.lenses.lens import Lens, LensChoice, blur_radius
from dpanet.pair import DualPixelPair, Encoding, Pixels
from dpanet.refinement.change_limit import limit_change
from dpanet.refinement.common_detail import measure_common_detail
from dpanet.refinement.find_lens import find_lens
from dpanet.refinement.kept_part import keep_part
from dpanet.refinement.refine import refine
from dpanet.refinement.view_brightness import equalize_views

TRUSTED = (14.0, 16.0)
"""dB of the views that a lens found from the pair must explain: up to the first the picture stays the network's, from
the second on it is the refined one. Compressed videos, whose losses no lens explains, stay below."""

COMMON = (0.12, 0.16)
"""Detail that the views share (see `measure_common_detail`): up to the first `TRUSTED` holds, from the second on
`TRUSTED_COMPRESSED`."""

TRUSTED_COMPRESSED = (18.0, 19.5)
"""As `TRUSTED`, of views that share more fine detail than a lens passes."""

NOTHING = 1.0
"""dB under which a lens explains nothing of the views: they are sharp, bare or too small."""

CLIPPED_SHARE = 0.02
"""Of the pair, from which on clipping is named as what no lens explains."""


def deblur_and_refine(
    lens: LensChoice,
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
        lens: whose field the pair fills; ``find`` for the one that explains the pair best, which a warning names.
        engine: runs the network.
        pair: in memory.
        encoding: of the picture.
        control: how much of the refined picture the picture gets.
        threads: that refine.
        defocus: also return the defocus map; the network needs none.
        progress: called as of `deblur_pair`, then anew while a lens is found, and while the picture is refined.
        **options: of `deblur_pair`.

    Returns:
        as `deblur_pair`.
    """
    views, network_pair = (pair.left, pair.right), pair
    if pair.encoding == "srgb":
        views = convert_in_strips(pair.left, srgb_to_linear), convert_in_strips(pair.right, srgb_to_linear)
    even = equalize_views(*views)
    if even is not None:
        views = even
        left, right = even
        if pair.encoding == "srgb":
            left, right = convert_in_strips(left, linear_to_srgb), convert_in_strips(right, linear_to_srgb)
        network_pair = replace(pair, left=left, right=right)
        del left, right
    picture, _ = deblur_pair(engine, network_pair, encoding="linear", progress=progress, **options)
    del network_pair, even
    optics = find_lens(*views, picture, threads=threads, progress=progress) if lens == "find" else lens
    found = refine(*views, keep_part(*views, picture), optics, threads=threads, progress=progress)
    refined = found.picture
    limit_change(picture, refined)
    radius = None
    if lens == "find" or defocus or control.needs_defocus_map:
        radius = found.scale * np.float32(blur_radius(optics))
    if lens == "find" and radius is not None:
        limits = _needed(measure_common_detail(*views, radius))
        trust = np.interp(found.explained, limits, (0, 1))
        refined -= picture  # in place, for large pairs
        refined *= np.float32(trust)
        refined += picture
        clipped = float(np.mean([np.mean(view >= view.max()) for view in (pair.left, pair.right)]))
        _remark_lens(optics, found.explained, limits, float(trust), clipped, defocus=defocus)
    del views, picture
    if encoding == "srgb":
        convert_in_strips(refined, linear_to_srgb, out=refined)
    if not control.is_plain:
        combined = combine_views(pair.left, pair.right, pair.encoding, encoding)
        refined = control.apply(refined, combined, radius, encoding)
    return refined, radius if defocus else None


def _needed(common: float) -> tuple[float, float]:
    """Return the limits of what a lens must explain, dB, of views that share so much fine detail."""
    share = float(np.interp(common, COMMON, (0, 1)))
    first, last = ((1 - share) * a + share * b for a, b in zip(TRUSTED, TRUSTED_COMPRESSED, strict=True))
    return first, last


def _remark_lens(
    lens: Lens, explained: float, limits: tuple[float, float], trust: float, clipped: float, *, defocus: bool
) -> None:
    """Say which lens was found, and what is done with it.

    Args:
        lens: that was found.
        explained: dB of the views.
        limits: dB from which on the picture is refined in part, and wholly.
        trust: 0 to 1, part of the refined picture.
        clipped: share of the values of both views.
        defocus: whether its map was asked for.
    """
    shown = np.floor(10 * explained) / 10  # so that nothing below a limit looks like it
    shared = ", since both views share fine detail where they are blurred, as after a lossy compression"
    because = shared if limits != TRUSTED else ""
    if explained < NOTHING:
        text = "no lens was found, since this pair shows no blur to explain; the picture is the network's"
    elif trust == 0:
        text = (
            f"no lens explains this pair well enough to refine the picture by it; the best, a {lens.name}, explains "
            f"{shown:.1f} dB of the blur, where {limits[0]:.3g} dB are needed{because}"
        )
        if defocus:
            text += "; its defocus map is rough"
    else:
        text = f"lens found: a {lens.name}, which explains {shown:.1f} dB of the blur; the picture is refined by it"
        if trust < 1:
            text += f" in part, wholly from {limits[1]:.3g} dB on{because}"
        if defocus:
            text += "; the radii of its defocus map may be a third too large or too small"
    if trust < 1 and explained >= NOTHING and clipped > CLIPPED_SHARE:
        text += f". {100 * clipped:.0f} % of the pair is clipped at white, which no lens explains"
    warnings.warn(ImageWarning(text, of_pair=True), stacklevel=2)
