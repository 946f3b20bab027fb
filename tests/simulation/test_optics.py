"""The checks of SceneConfig, and the lenses that are drawn for it."""

from typing import Any

import numpy as np
import pytest
import torch

from dpanet.errors import ConfigError
from dpanet.simulation.kernels import RampedDisc, ramped_disc
from dpanet.simulation.measured_kernels import MeasuredKernels
from dpanet.simulation.optics import Optics, barrel_clip
from dpanet.simulation.scene import Simulator
from dpanet.simulation.scene_config import EDGE, LENSES, MAX_CLIP, MAX_RADIUS, SQUEEZE, SceneConfig

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"measured": NAN}, "measured is nan; a share must be 0 to 1"),
        ({"quantized": 1.5}, "quantized is 1.5; a share must be 0 to 1"),
        ({"layers": (NAN, 0.5, 0.5)}, "layers is .*; the three probabilities must sum to 1"),
        ({"layers": (0.5, NAN, 0.5)}, "layers is"),
        ({"scale": -0.1}, "scale is -0.1; it must be a number, 0 or more"),
        ({"scale": INF}, "scale is inf"),
        ({"scale": NAN}, "scale is nan"),
        ({"slant": -1.0}, "slant is -1.0"),
        ({"slant": NAN}, "slant is nan"),
        ({"curvature": -0.3}, "curvature is -0.3"),
        ({"curvature": INF}, "curvature is inf"),
        ({"radius": -1.0}, "radius is -1.0; it must be 0 to 43"),
        ({"radius": NAN}, "radius is nan"),
        ({"radius": 43.5}, "radius is 43.5; it must be 0 to 43"),
        ({"radius": 41.0, "butterworth": 0.1}, "radius is 41.0; it must be 0 to 40"),
        ({"clip": -0.1}, "clip is -0.1; it must be 0 to 1.5"),
        ({"clip": 1.6}, "clip is 1.6"),
        ({"clip": NAN}, "clip is nan"),
        ({"softness": (0.9, 0.3)}, "softness is .*; give the least and the largest sigma"),
        ({"softness": (0.0, 0.0)}, "softness is"),
        ({"softness": (-0.1, 0.5)}, "softness is"),
        ({"softness": (0.3, NAN)}, "softness is"),
        ({"softness": (0.3, INF)}, "softness is"),
        ({"pages": 0}, "pages is 0; it must be 1 or more"),
    ],
)
def test_impossible_scenes_are_refused_by_their_key(config: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=f"^{says}"):
        SceneConfig(**config)


def test_what_is_exactly_none_or_the_most_is_allowed() -> None:
    SceneConfig(scale=0.0, radius=0.0, slant=0.0, curvature=0.0, clip=0.0, softness=(0.0, 0.1), pages=1)
    SceneConfig(radius=MAX_RADIUS["ramped-disc"], clip=MAX_CLIP)
    SceneConfig(radius=MAX_RADIUS["butterworth"], butterworth=1.0)


def test_at_the_most_radius_every_lens_that_may_be_drawn_is_whole() -> None:
    """A disc that is cut above and below has another height against its width."""
    line = (torch.arange(97) - 48) ** 2
    for squeeze in SQUEEZE:
        lens = RampedDisc(MAX_RADIUS["ramped-disc"], edge=EDGE[1], squeeze=squeeze)
        whole = ramped_disc([lens])[0].mean(0)
        height, width = (float((whole.sum(axis) * line).sum()) ** 0.5 for axis in (1, 0))
        assert height / width == pytest.approx(squeeze, abs=1e-3)
    for radius, edge in ((46.0, 0.8), (MAX_RADIUS["ramped-disc"] + 0.2, EDGE[1])):
        with pytest.raises(ConfigError, match=f"radius is {radius:.1f}"):
            ramped_disc([RampedDisc(radius, edge=edge, squeeze=SQUEEZE[1])])


def test_at_the_most_clip_both_views_keep_their_light_everywhere() -> None:
    for place in ((0.0, 0.0), (0.5, 0.0), (0.25, 1.0), (1.0, 0.9)):
        for squeeze in SQUEEZE:
            clip = barrel_clip(place, MAX_CLIP)
            lenses = [RampedDisc(r, softness=0.15, squeeze=squeeze, clip=clip) for r in (0.3, 0.5, 2.0, 12.0)]
            kernels = ramped_disc(lenses)
            torch.testing.assert_close(kernels.sum((-1, -2)), torch.ones(4, 2))
    optics = Optics(np.random.default_rng(1), None, SceneConfig(clip=MAX_CLIP, vignetted=1.0), 1.0)
    assert all(0 < gain < 2 for gain in optics.view_gains)


def test_within_a_pixel_a_clipped_disc_is_a_kernel_still() -> None:
    """The grid has no point where one half of this one lies."""
    lens = RampedDisc(0.32, softness=0.15, squeeze=0.8, clip=(0.495, 0.0))
    assert float(ramped_disc([lens])[0, 0, 48, 48]) == pytest.approx(1)


def test_measured_kernels_too_wide_for_the_scale_are_refused_before_anything_is_made() -> None:
    wide = MeasuredKernels(*np.ones((2, 1, 81, 81)))
    picture = [torch.zeros(3, 40, 40, dtype=torch.uint8)]
    with pytest.raises(ConfigError, match=r"scale is 1\.6.* 81 px wide.* up to a scale of 1\.210; choose"):
        Simulator(picture, wide, pages=picture)
    Simulator(picture, wide, SceneConfig(scale=1.2), pages=picture)
    Simulator(picture, wide, SceneConfig(measured=0.0), pages=picture)
    Simulator(picture, MeasuredKernels(*np.ones((2, 1, 61, 61))), pages=picture)


def test_another_seed_prints_other_pages() -> None:
    picture = [torch.zeros(3, 40, 40, dtype=torch.uint8)]
    one, same, other = (
        Simulator(picture, None, SceneConfig(pages=1), page_seed=seed).pages[0] for seed in (20, 20, 21)
    )
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert torch.equal(Simulator(picture, None, SceneConfig(pages=1)).pages[0], one)


def test_drawn_lenses_reach_well_beyond_those_of_captures() -> None:
    """Canon captures have slopes of .3 to .9 and radii to 20 px (docs/check-fidelity.md), 10 to 90 % of windows."""
    config = SceneConfig(**LENSES, measured=0.0)
    optics = [Optics(np.random.default_rng(seed), None, config, 1.0) for seed in range(400)]
    slopes = np.sort([1 / one.lens.softness for one in optics])
    assert config.radius == optics[0].largest_radius >= 1.2 * 20
    for low, high in ((0.2, 0.3), (0.3, 0.6), (0.6, 0.9), (0.9, 1.5), (1.5, 6.7)):
        share = float(((slopes >= low) & (slopes < high)).mean())
        assert share > 0.05, (low, high)
    rims = [one.lens.rim for one in optics]
    assert min(rims) < -0.45 and max(rims) > 0.55
