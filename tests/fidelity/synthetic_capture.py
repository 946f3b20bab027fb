"""A capture whose blur and magnification are known."""

import numpy as np
import torch
from deconvolution.planted_blur import SIDE, slanted_lens, texture, window

from dpanet.datasets.captures import Capture
from dpanet.deconvolution.blur_fit import HALO
from dpanet.fidelity.refine_registration import warp_truth
from dpanet.pair import DualPixelPair, Picture


def synthetic_capture(
    scale: float, magnification: float = 0.0, cells: int = 3, white: float = 0.7, cell: int = SIDE
) -> Capture:
    """Return a capture of `cells` by `cells` cells through `slanted_lens`, its truth magnified a little."""
    side = cells * cell
    truth = texture(side + 2 * HALO, side + 2 * HALO).numpy()
    offset = -magnification * side / 2
    warp = np.array([[1 + magnification, 0, offset], [0, 1 + magnification, offset]])
    warped = torch.from_numpy(warp_truth(truth, warp, 0))
    empty = window(warped, torch.zeros(2, side, side))
    views = empty.blur_truth(slanted_lens().at([0], [scale]), torch.zeros(2))[0].numpy()
    left, right, sharp = (
        np.repeat(white * plane[..., None], 3, 2).astype(np.float32)
        for plane in (*views, truth[HALO:-HALO, HALO:-HALO])
    )
    return Capture("001", DualPixelPair(left, right, "linear"), Picture(sharp, "linear"), white)
