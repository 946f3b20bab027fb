"""A lens found from the pair: what the picture, the map and the note say of it."""

from typing import Any

import numpy as np
import pytest
from refinement.blurred_texture import blur_views, draw_texture, make_soft
from scipy.ndimage import gaussian_filter

from dpanet import Deblurrer, deblurrer
from dpanet.deblurrer.control import Control
from dpanet.deblurrer.loop import deblur_pair
from dpanet.deblurrer.mirror import MIRRORS
from dpanet.deblurrer.refined import deblur_and_refine
from dpanet.errors import ConfigError, ImageWarning
from dpanet.images.encoding import linear_to_srgb
from dpanet.lenses.pixel4 import Pixel4
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair, Encoding, Pixels
from dpanet.refinement.change_limit import DARKEST
from dpanet.simulation.kernels import RampedDisc, ramped_disc

RADIUS = 9.0
TRUTH = draw_texture(256)
OPTIONS: dict[str, Any] = {
    "encoding": "linear",
    "control": Control(),
    "tile": 0,
    "scale": 1,
    "mirrors": MIRRORS[:1],
}


def make_pair(noise: float = 0.0005) -> DualPixelPair:
    kernels = ramped_disc([RampedDisc(RADIUS, softness=1 / 0.7)]).numpy()[0]
    left, right = blur_views(TRUTH, kernels, noise)
    return DualPixelPair(left.clip(0), right.clip(0), "linear")


class Soft:
    """An engine that returns a softer truth."""

    name = family = version = "test"
    device, precision, parameters = "cpu", "float32", None
    description = Description(multiple_of=8, halo=8, encoding="linear", has_defocus=False)

    def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
        white = np.float32(left.max() / make_pair().left.max())
        return make_soft(TRUTH) * white


def error(picture: Pixels) -> float:
    """Of what is no finer than the blur leaves."""
    difference = gaussian_filter(picture - TRUTH, (3, 3, 0))
    return float(np.sqrt(np.mean(np.square(difference)[40:-40, 40:-40])))


def test_a_found_lens_refines_and_is_named() -> None:
    engine: Any = Soft()
    alone, _ = deblur_pair(engine, make_pair(), **OPTIONS)
    with pytest.warns(
        ImageWarning,
        match=r"a disc under a ramp of slope 0\.[67].*explains (1[6-9]|2\d)\.\d dB of the blur; the picture is",
    ) as notes:
        refined, radius = deblur_and_refine("find", engine, make_pair(), defocus=True, **OPTIONS)
    assert "in part" not in str(notes[0].message)
    assert error(refined) < 0.85 * error(alone)
    assert radius is not None and np.median(radius[48:-48, 48:-48]) == pytest.approx(RADIUS, rel=0.1)


@pytest.mark.parametrize("encoding", ["linear", "srgb"])
def test_views_of_unlike_brightness_are_made_even_first(
    monkeypatch: pytest.MonkeyPatch, encoding: Encoding
) -> None:
    monkeypatch.setattr("dpanet.refinement.view_brightness.SMALLEST", 200)
    ratios = []

    class Watched(Soft):
        def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
            ratios.append(float(np.median(left / right)))
            return super().__call__(left, right)

    engine: Any = Watched()
    even, pictures = make_pair(), []
    for factor in (1.0, 1.2):
        views = even.left * np.float32(factor**0.5), even.right / np.float32(factor**0.5)
        pair = DualPixelPair(*map(linear_to_srgb, views) if encoding == "srgb" else views, encoding)
        with pytest.warns(ImageWarning, match="explains"):
            pictures.append(deblur_and_refine("find", engine, pair, **OPTIONS)[0])
    assert ratios == pytest.approx([1, 1], abs=0.02)
    assert np.abs(pictures[1] - pictures[0])[20:-20, 20:-20].mean() < 0.01


def test_no_rings_in_the_dark_beside_what_is_bright() -> None:
    truth = TRUTH.copy()
    truth[:, 128:] = 0

    class Dark(Soft):
        def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
            soft = make_soft(truth)
            soft[:, 132:] = 0
            return soft * np.float32(left.max() / pair.left.max())

    engine: Any = Dark()
    kernels = Pixel4().kernels(0.5, 0.5, [0.8])[0]
    pair = DualPixelPair(*(view.clip(0) for view in blur_views(truth, kernels, 0.0)), "linear")
    alone, _ = deblur_pair(engine, pair, **OPTIONS)
    refined, _ = deblur_and_refine(Pixel4(), engine, pair, **OPTIONS)
    change = np.abs(refined - alone)
    assert change[:, :100].max() > 0.02
    assert change[:, 150:].max() <= 1.01 * DARKEST * alone.mean()


def test_a_lens_that_explains_too_little_leaves_the_picture_but_gives_the_map() -> None:
    """Rows and columns of coarse blocks differ from what the optics says, as after a strong compression."""
    engine: Any = Soft()
    pair = make_pair()
    random = np.random.default_rng(8)
    left, right = (
        (view + np.kron(random.normal(0, 0.02, (32, 32)), np.ones((8, 8)))[..., None])
        .astype(np.float32)
        .clip(0)
        for view in (pair.left, pair.right)
    )
    coded = DualPixelPair(left, right, "linear")
    alone, _ = deblur_pair(engine, coded, **OPTIONS)
    with pytest.warns(
        ImageWarning,
        match="no lens explains this pair well enough.*dB are needed.*; its defocus map is rough",
    ):
        picture, radius = deblur_and_refine("find", engine, coded, defocus=True, **OPTIONS)
    np.testing.assert_array_equal(picture, alone)
    assert radius is not None and radius.shape == picture.shape[:2]


def test_any_model_has_a_map_by_a_found_lens() -> None:
    finding = Deblurrer("nano", device="cpu", lens="find")
    assert finding.has_defocus_map
    with pytest.warns(ImageWarning, match="lens"):
        _, radius = finding.with_defocus_map(make_pair())
    assert np.median(radius[48:-48, 48:-48]) == pytest.approx(RADIUS, rel=0.15)


@pytest.mark.parametrize(("limit", "clipped"), [(0.6, True), (2.0, False)])
def test_clipping_is_named_as_what_no_lens_explains(limit: float, clipped: bool) -> None:
    engine: Any = Soft()
    pair = make_pair()
    views = (view.clip(0, np.quantile(pair.left, min(limit, 1.0))) for view in (pair.left, pair.right))
    with pytest.warns(ImageWarning) as notes:
        deblur_and_refine("find", engine, DualPixelPair(*views, "linear"), **OPTIONS)
    assert ("% of the pair is clipped at white" in str(notes[0].message)) == clipped


def test_views_that_share_fine_detail_need_more_evidence() -> None:
    """Small squares in both views, as a codec leaves them, in a pair that a lens explains."""
    engine: Any = Soft()
    pair = make_pair(0.004)
    pattern = (
        0.012 * np.kron(np.random.default_rng(3).standard_normal((128, 128)), np.ones((2, 2)))[..., None]
    )
    coded = (np.float32(view + pattern).clip(0) for view in (pair.left, pair.right))
    noted = []
    for views in ((pair.left, pair.right), coded):
        with pytest.warns(ImageWarning) as notes:
            deblur_and_refine("find", engine, DualPixelPair(*views, "linear"), **OPTIONS)
        noted.append(str(notes[0].message))
    assert noted[0].endswith("the picture is refined by it") and "compression" not in noted[0]
    assert "no lens explains" in noted[1] and noted[1].endswith("as after a lossy compression")
    explained = float(noted[1].rpartition("explains ")[2].split()[0])
    assert deblurrer.refined.TRUSTED[1] < explained < 18 and "18 dB are needed" in noted[1]


def test_a_map_of_a_found_lens_says_how_sure_it_is() -> None:
    engine: Any = Soft()
    for wanted in (True, False):
        with pytest.warns(ImageWarning, match="lens found") as notes:
            deblur_and_refine("find", engine, make_pair(), defocus=wanted, **OPTIONS)
        assert ("a third too large or too small" in str(notes[0].message)) == wanted


def test_between_the_limits_the_picture_is_refined_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    engine: Any = Soft()

    def run(least: float, enough: float) -> tuple[Pixels, str]:
        for limits in ("TRUSTED", "TRUSTED_COMPRESSED"):
            monkeypatch.setattr(deblurrer.refined, limits, (least, enough))
        with pytest.warns(ImageWarning) as notes:
            picture, _ = deblur_and_refine("find", engine, make_pair(), **OPTIONS)
        return picture, str(notes[0].message)

    (refined, note), (alone, _) = run(0, 1), run(98, 99)
    explained = float(note.rpartition("explains ")[2].split()[0])
    assert "in part" not in note
    part, note = run(explained - 1, explained + 3)
    assert "in part" in note
    np.testing.assert_allclose(
        part, alone + 0.25 * (refined - alone), atol=0.02 * np.abs(refined - alone).max()
    )


@pytest.mark.parametrize("light", [0.0, 0.5, 1.0])
def test_a_pair_that_shows_nothing_shows_no_lens(light: float) -> None:
    view = np.full((64, 96, 3), light, np.float32)
    pair = DualPixelPair(view, view, "srgb")
    finding = Deblurrer("nano", device="cpu", lens="find")
    with pytest.warns(ImageWarning, match="no lens was found, since this pair shows no blur"):
        picture, radius = finding.with_defocus_map(pair)
    assert not radius.any()
    np.testing.assert_allclose(picture.pixels, Deblurrer("nano", device="cpu")(pair).pixels, atol=1e-5)


@pytest.mark.parametrize("lens", ["Find", "pixel4", True])
def test_what_is_no_lens_is_refused(lens: Any) -> None:
    with pytest.raises(
        ConfigError, match=r"lens is .*; give find, or a lens such as dpanet\.lenses\.pixel4\.Pixel4\(\)"
    ):
        Deblurrer("nano", device="cpu", lens=lens)
