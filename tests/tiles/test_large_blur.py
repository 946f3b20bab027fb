"""Blur beyond the network's reach, removed at smaller sizes: each part against something independent."""

from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.deblurrer.loop import deblur_pair
from dpanet.deblurrer.mirror import MIRRORS
from dpanet.errors import ConfigError, ImageWarning
from dpanet.images.demo_pair import read_demo_pair
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair, Pixels
from dpanet.tiles.halves import HalfViews, double, halve
from dpanet.tiles.large_blur import (
    REACH,
    REACH_ENLARGED,
    REACH_SMALLER,
    CoarsePicture,
    Scale,
    count_halves,
    deblur_coarse,
    find_reach,
)
from dpanet.tiles.tiling import Grid, Tile


def noise(*shape: int, seed: int = 1) -> Pixels:
    return np.random.default_rng(seed).random(shape, np.float32)


def test_half_and_double_are_those_of_another_library() -> None:
    pixels = noise(24, 38, 1)
    image = Image.fromarray(pixels[..., 0])
    half = np.asarray(image.resize((19, 12), Image.Resampling.BOX))
    assert np.abs(halve(pixels)[..., 0] - half).max() < 1e-6
    doubled = np.asarray(image.resize((76, 48), Image.Resampling.BICUBIC))
    inner = slice(4, -4), slice(4, -4)  # Pillow weighs edges otherwise
    assert np.abs(double(pixels, 48, 76)[..., 0] - doubled)[inner].max() < 1e-5


@pytest.mark.parametrize(("height", "width"), [(7, 9), (8, 9), (1, 2)])
def test_odd_sides(height: int, width: int) -> None:
    pixels = np.full((height, width, 3), 0.3, np.float32)
    half = halve(pixels)
    assert half.shape == ((height + 1) // 2, (width + 1) // 2, 3)
    assert np.allclose(double(half, height, width), pixels)


def whole(height: int, width: int) -> Tile:
    return next(iter(Grid.cut(height, width, tile=0, multiple_of=2, halo=0)))


def test_a_sharp_place_beside_a_heavy_blur_stays_and_the_blur_is_replaced() -> None:
    output = noise(64, 96, 4)
    radius = np.full((32, 48), 3.0, np.float16)
    radius[:, 24:] = -2 * REACH[1]
    coarse = CoarsePicture(np.full((32, 48, 3), 0.5, np.float16), radius, REACH)
    completed = coarse.complete(output, whole(64, 96))
    assert np.array_equal(completed[:, :44], output[:, :44])
    right = completed[8:-8, 56:-8, :3]
    assert abs(right.mean() - 0.5) < 0.01 and abs(output[8:-8, 56:-8, :3].mean() - 0.5) < 0.05
    for y, x in (
        (20, 70),
        (33, 75),
    ):  # coarse means are those of the coarse picture, what is finer is the network's
        block = completed[y - 8 : y + 8, x - 8 : x + 8, 0]
        assert abs(block.mean() - 0.5) < 0.02
    fine = output[..., 0] - double(halve(output[..., :1]), 64, 96)[..., 0]
    kept = completed[..., 0] - 0.5
    assert np.abs(kept - fine)[4:-4, 60:-4].max() < 1e-3
    assert np.allclose(completed[4:-4, 60:-4, 3], -2 * REACH[1])


def test_no_large_blur_changes_nothing() -> None:
    output = noise(64, 96, 3)
    coarse = CoarsePicture(np.zeros((32, 48, 3), np.float16), np.full((32, 48), REACH[0], np.float16), REACH)
    assert coarse.complete(output, whole(64, 96)) is output
    assert not coarse.has_large_blur


@dataclass
class SizeEngine:
    """Returns a picture of one value for each size, and the blur radius of a pair of known blur."""

    radius: float
    """Px at full size."""
    full: int
    """Rows of the full size."""
    share: float = 1.0
    """Of the rows, from the top, that are blurred so; the others are in focus."""
    sizes: list[int] = field(default_factory=list)
    name = family = version = "test"
    device, precision, parameters = "cpu", "float32", None

    @property
    def description(self) -> Description:
        return Description(multiple_of=8, halo=8, encoding="srgb", has_defocus=True)

    def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
        rows = len(left)
        level = round(np.log2(self.full / rows))
        self.sizes.append(level)
        output = np.full((*left.shape[:2], 4 if defocus else 3), 0.2 * (level + 1), np.float32)
        if defocus:
            output[..., 3] = 0
            output[: round(self.share * rows), :, 3] = self.radius / 2**level
        return output


@pytest.mark.parametrize(
    ("radius", "sizes", "value"),
    [(10, [3, 0], 0.2), (-30, [3, 2, 1, 0], 0.4), (60, [3, 2, 1, 0], 0.6), (150, [3, 2, 1, 0], 0.8)],
)
def test_each_blur_is_removed_at_its_size(radius: float, sizes: list[int], value: float) -> None:
    engine = SizeEngine(radius, 1024)
    picture, map = deblur_pair(
        engine,
        DualPixelPair(
            noise(1024, 800, 3), noise(1024, 800, 3, seed=2), "srgb"
        ),  # alike, they would be in focus
        tile=0,
        mirrors=MIRRORS[:1],
        encoding="srgb",
        defocus=True,
    )
    assert engine.sizes == sizes
    assert np.allclose(picture, value, atol=1e-3)
    assert map is not None and np.allclose(map, radius, rtol=1e-3)


@pytest.mark.parametrize(("share", "sizes"), [(0.02, [3, 0]), (0.05, [3, 2, 1, 0])])
def test_smaller_sizes_are_for_blur_in_more_than_a_few_places(share: float, sizes: list[int]) -> None:
    engine = SizeEngine(60, 1024, share)
    views = noise(1024, 800, 3)
    deblur_pair(engine, DualPixelPair(views, views, "srgb"), tile=0, mirrors=MIRRORS[:1], encoding="srgb")
    assert engine.sizes == sizes


@pytest.mark.parametrize(("scale", "sizes"), [(1, [0]), (2, [1, 0]), (4, [2, 1, 0])])
def test_a_scale_that_is_asked_for(scale: int, sizes: list[int]) -> None:
    engine = SizeEngine(10, 1024)
    views = noise(1024, 800, 3)
    pair = DualPixelPair(views, views, "srgb")
    deblur_pair(engine, pair, tile=0, mirrors=MIRRORS[:1], encoding="srgb", scale=scale)  # type: ignore[arg-type]
    assert engine.sizes == sizes


@pytest.mark.parametrize(("scale", "radius", "limit"), [("auto", 200, 160), (2, -50, 40)])
def test_a_remark_where_blur_is_beyond_all_sizes(scale: Scale, radius: float, limit: int) -> None:
    engine = SizeEngine(radius, 1024)
    views = noise(1024, 800, 3)
    pair = DualPixelPair(views, views, "srgb")
    sentence = f"100 % of the picture is blurred by a radius of more than {limit} px"
    with pytest.warns(ImageWarning, match=sentence):
        deblur_pair(engine, pair, tile=0, mirrors=MIRRORS[:1], encoding="srgb", scale=scale)


def test_tiles_and_whole_agree() -> None:
    engine = SizeEngine(40, 400)
    views = noise(400, 410, 3)
    pair = DualPixelPair(views, views, "srgb")
    pictures = [
        deblur_pair(engine, pair, tile=tile, mirrors=MIRRORS[:1], encoding="srgb")[0] for tile in (0, 400)
    ]
    assert np.abs(pictures[0] - pictures[1]).max() < 1e-6


def test_views_that_are_not_needed_any_more_are_not_in_memory() -> None:
    halves = [HalfViews(noise(8, 8, 3), noise(8, 8, 3), 1.0) for _ in range(3)]
    seen = []

    def run(views: HalfViews, coarse: CoarsePicture | None) -> NDArray[np.float16]:
        seen.append((views.left.shape, len(halves)))
        return np.zeros((8, 8, 4), np.float16)

    deblur_coarse(halves, run, always=True)
    assert [left for _, left in seen] == [2, 1, 0]


def test_small_pictures_are_not_made_smaller() -> None:
    assert [count_halves(side, 2000, 8) for side in (95, 191, 192, 384, 768, 5000)] == [0, 0, 1, 2, 3, 3]
    assert count_halves(5000, 5000, 1) == 0


def enlarge(pixels: Pixels, factor: int) -> Pixels:
    size = (pixels.shape[1] * factor, pixels.shape[0] * factor)
    if factor == 1:
        return pixels
    larger: NDArray[np.float32] = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return np.ascontiguousarray(larger.clip(0, 1))


def test_an_enlarged_picture_is_recognized() -> None:
    frequencies = np.hypot(np.fft.fftfreq(512)[:, None], np.fft.rfftfreq(512))
    spectrum = np.fft.rfft2(noise(512, 512)) / np.maximum(frequencies, 1 / 512)  # as that of photographs
    photograph = np.fft.irfft2(spectrum).astype(np.float32)
    photograph = 0.5 + 0.15 * (photograph - photograph.mean()) / photograph.std()
    picture = np.repeat(photograph[..., None], 3, -1).clip(0, 1)
    for factor, reaches in (
        (1, [REACH, REACH_SMALLER]),
        (2, [REACH_ENLARGED, REACH_SMALLER]),
        (4, [REACH_ENLARGED, REACH_ENLARGED, REACH_SMALLER]),
    ):
        halves = [HalfViews.of(*[enlarge(picture, factor)] * 2, lambda view: view)]
        for _ in range(2):
            halves.append(HalfViews.of(halves[-1].left, halves[-1].right, lambda view: view))
        assert [find_reach(halves, level) for level in range(len(reaches))] == reaches


def test_a_picture_without_detail_of_a_pixels_size_has_a_smaller_reach() -> None:
    views = np.zeros((1, 1, 3), np.float32)
    for details, reach in (
        ((0.36, 0.2), REACH),
        ((0.34, 0.36), REACH_SMALLER),
        ((0.29, 0.44), REACH_ENLARGED),
        ((0.34, 0.36, 0.9), REACH_SMALLER),  # detail of half the size, hence not enlarged four times
        ((0.29, 0.28, 0.9), REACH_ENLARGED),
    ):
        assert find_reach([HalfViews(views, views, detail) for detail in details], 0) == reach


def test_an_enlarged_pair_gains_nearly_as_much() -> None:
    _, sharp = read_demo_pair()
    truth = sharp.pixels[:200, :200]
    views = [blur(truth, side) for side in (1, -1)]
    gains = {}
    for factor, scale in ((1, 1), (4, 1), (4, "auto")):
        left, right = (enlarge(view, factor) for view in views)
        deblur = Deblurrer("compact", engine="onnxruntime", precision="float32", tta=1, scale=scale)  # type: ignore[arg-type]
        picture = deblur(left, right)
        for _ in range(factor // 2):
            picture = halve(picture)
        gains[factor, scale] = psnr(picture, truth) - psnr((views[0] + views[1]) / 2, truth)
    assert gains[4, "auto"] > gains[4, 1] + 3
    assert gains[4, "auto"] > gains[1, 1] - 1.5


def test_a_blurred_pair_that_was_not_enlarged_stays_as_it_is() -> None:
    pair, _ = read_demo_pair()
    plain, auto = (
        Deblurrer("compact", engine="onnxruntime", tta=1, scale=scale)(pair) for scale in (1, "auto")
    )
    assert np.sqrt(np.mean((plain.pixels - auto.pixels) ** 2)) < 0.5 / 255


def blur(truth: Pixels, side: int) -> Pixels:
    """Blur a picture by a disc of 11 px with a ramp across x, as one half of a lens does."""
    radius = 11
    y, x = np.mgrid[-radius - 1 : radius + 2, -radius - 1 : radius + 2]
    kernel = (radius + 0.5 - np.hypot(x, y)).clip(0, 1) * (1 + side * 0.7 * x / radius)
    light = np.where(truth <= 0.04045, truth / 12.92, ((truth + 0.055) / 1.055) ** 2.4)
    light = cv2.filter2D(light, -1, kernel[::-1, ::-1] / kernel.sum(), borderType=cv2.BORDER_REFLECT)
    light = light.clip(0, 1)
    display = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.ascontiguousarray(display.astype(np.float32))


def psnr(picture: NDArray[np.floating], truth: Pixels) -> float:
    return float(-10 * np.log10(np.mean((picture - truth)[24:-24, 24:-24] ** 2)))


def test_scales_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="scale is 3"):
        Deblurrer("compact", scale=3)  # type: ignore[arg-type]
    views = noise(256, 256, 3)
    with pytest.raises(ConfigError, match="no defocus map"):
        Deblurrer("nano", scale=2)(views, views)
