"""The shipped models on one picture and one blur, seen through lenses that divide the disc mildly or steeply."""

import pytest
import torch

from dpanet import load_model
from dpanet.datasets.photographs import scikit_image_photographs
from dpanet.recording.display import to_display, to_linear
from dpanet.simulation.kernels import RampedDisc, ramped_disc
from dpanet.simulation.render import MARGIN, blur

SLOPES = (0.3, 0.8, 3.0)
"""Of the ramp: below, at and above those of real lenses."""


@pytest.mark.parametrize("name", ["nano", "compact"])
def test_one_blur_comes_back_as_well_whatever_the_lens_makes_of_it_in_disparity(name: str) -> None:
    """Disparity grows eightfold with the slope, the blur of both views together stays nearly the same."""
    photograph = scikit_image_photographs(held_out=True)[0].float() / 255
    kernels = ramped_disc([RampedDisc(8.0, softness=1 / slope) for slope in SLOPES])
    views = blur(to_linear(photograph).expand(len(SLOPES), -1, -1, -1), kernels, torch.arange(len(SLOPES)))
    left, right = (torch.round(to_display(view) * 1023) / 1023 for view in views)
    truth = photograph[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    with torch.inference_mode():
        deblurred = load_model(name)(left, right).clamp(0, 1)

    def psnr(pictures: torch.Tensor) -> torch.Tensor:
        return -10 * ((pictures - truth) ** 2).mean((1, 2, 3)).log10()

    before, after = psnr((left + right) / 2), psnr(deblurred)
    assert float(before.max() - before.min()) < 0.5  # not 0: the mean is of display values
    assert float((after - before).min()) > 0.5
    assert float(after.max() - after.min()) < 1.0, after.tolist()
