"""The site's way of a picture through a network, against that of the package with the same stub."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app.site.site_page import as_picture, call, open_site

from dpanet.deblurrer.control import Control
from dpanet.deblurrer.grid_choice import choose_grid
from dpanet.deblurrer.loop import deblur_pair
from dpanet.deblurrer.mirror import MIRRORS
from dpanet.deblurrer.white import find_white
from dpanet.images.encoding import dequantize, quantize
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair, Encoding, Pixels

GENERATOR = np.random.default_rng(7)

_RUN = """async ({ left, right, description, leaveOut }) => {
  const { deblurPair } = await import('./browser/deblur_pair.js');
  const decode = (view) => {
    const bytes = Uint8Array.from(atob(view.data), (character) => character.charCodeAt(0));
    return { ...view, codes: view.bits === 16 ? new Uint16Array(bytes.buffer) : bytes };
  };
  const run = async (one, other, [height, width]) => one.map((value, i) => {
    const x = leaveOut ? 0 : i % width;
    return 0.75 * value + 0.25 * other[i] + (0.02 * x) / width;
  });
  const reports = [];
  const report = (...values) => reports.push(values);
  const { codes } = await deblurPair({ description, run }, decode(left), decode(right), report);
  let text = '';
  for (const byte of new Uint8Array(codes.buffer)) text += String.fromCharCode(byte);
  return { codes: btoa(text), reports };
}"""


class StubEngine:
    """Mixes the views unequally, and adds a ramp along each tile, so that seams, mirrors and exchanged views show."""

    name = version = device = precision = family = "stub"
    parameters = None

    def __init__(self, description: Description) -> None:
        self.description = description

    def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
        width = left.shape[1]
        ramp = (0.02 * np.arange(width) / width).astype(np.float32)[:, None]
        return np.float32(0.75) * left + np.float32(0.25) * right + ramp


@pytest.fixture(scope="module")
def page(chromium: Any, site: Path, serve: Callable[[Path], str]) -> Iterator[Any]:
    context = chromium.new_context()
    yield open_site(context, serve(site))
    context.close()


def views(height: int, width: int, bits: int, gray: bool = False) -> tuple[Any, Any]:
    shape = (height, width) if gray else (height, width, 3)
    kind = np.uint16 if bits == 16 else np.uint8
    left = GENERATOR.integers(0, 2**bits // 2, shape, kind)
    return left, np.roll(left, 3, axis=1)


def run(
    page: Any, left: Any, right: Any, encoding: Encoding, description: Description, **options: Any
) -> Any:
    pictures = {
        side: as_picture(view, encoding=encoding) for side, view in (("left", left), ("right", right))
    }
    result = page.evaluate(_RUN, {**pictures, "description": vars(description), **options})
    codes = np.frombuffer(base64.b64decode(result["codes"]), np.uint16).reshape(*left.shape[:2], 3)
    return codes, result["reports"]


def expected(left: Any, right: Any, encoding: Encoding, description: Description) -> Any:
    pixels = [dequantize(v if v.ndim == 3 else np.repeat(v[..., None], 3, 2)) for v in (left, right)]
    picture, _ = deblur_pair(
        StubEngine(description),
        DualPixelPair(*pixels, encoding),
        tile="auto",
        mirrors=MIRRORS[: description.tta],
        encoding=encoding,
    )
    return quantize(picture, 16)


CASES = [
    (64, 96, 16, False, "srgb", Description(32, 192, tta=2)),
    (50, 70, 8, False, "srgb", Description(32, 192, tta=4)),  # filled by reflection
    (17, 33, 16, True, "srgb", Description(32, 192, tta=1)),
    (150, 260, 16, False, "srgb", Description(4, 8, tta=2, tile_pixels=8000)),  # several tiles
    (150, 260, 16, False, "linear", Description(4, 8, tta=2, tile_pixels=8000)),
    (90, 70, 8, False, "linear", Description(4, 8, tta=4, tile_pixels=9000)),
]


@pytest.mark.parametrize(("height", "width", "bits", "gray", "encoding", "description"), CASES)
def test_the_picture_is_that_of_the_package(
    page: Any, height: int, width: int, bits: int, gray: bool, encoding: Any, description: Description
) -> None:
    left, right = views(height, width, bits, gray)
    codes, reports = run(page, left, right, encoding, description)
    wanted = expected(left, right, encoding, description)
    assert np.abs(codes.astype(int) - wanted).max() <= (1 if encoding == "srgb" else 3)
    tiles = len(choose_grid(height, width, description))
    assert [done for done, *_ in reports] == list(range(tiles * description.tta + 1))


@pytest.mark.parametrize("encoding", ["srgb", "linear"])
@pytest.mark.parametrize("multiple_of", [8, 4])  # 4: tiles begin inside the cells in which focus is measured
def test_what_is_in_focus_is_kept_as_in_the_package(page: Any, encoding: Any, multiple_of: int) -> None:
    left, _ = views(150, 260, 8)
    left[:, :40] = 100  # flat
    right = left.copy()
    right[:70] = np.roll(left[:70], 2, axis=1)  # out of focus
    description = Description(multiple_of, 32, tta=2, tile_pixels=15000)
    codes, _ = run(page, left, right, encoding, description)
    wanted = expected(left, right, encoding, description)
    assert np.abs(codes.astype(int) - wanted).max() <= 3
    same = np.abs(codes - 257.0 * left) < 20
    assert same[110:140, 80:250].all(), "in focus"
    assert not same[:50, 80:250].all(-1).any(), "out of focus"


def test_a_network_without_the_ramp_is_noticed(page: Any) -> None:
    """That the comparison above fails where it should."""
    left, right = views(64, 96, 16)
    description = Description(32, 192, tta=1)
    codes, _ = run(page, left, right, "srgb", description, leaveOut=True)
    assert np.abs(codes.astype(int) - expected(left, right, "srgb", description)).max() > 900


def test_lights_above_white_come_back_as_bright(page: Any) -> None:
    left, right = views(80, 90, 16)
    left, right = left // 8, right // 8
    left[40, 50] = right[40, 50] = 65535
    description = Description(4, 8, tta=2, tile_pixels=4000)
    codes, _ = run(page, left, right, "linear", description)
    wanted = expected(left, right, "linear", description)
    assert np.abs(codes.astype(int) - wanted).max() <= 3
    assert codes[40, 50].min() > 60000


@pytest.mark.parametrize("change", ["none", "hot-pixel", "hot-column", "small-light", "dark"])
def test_the_white_is_that_of_the_package(page: Any, change: str) -> None:
    left, right = views(120, 130, 16)
    left, right = left // 8, right // 8
    if change == "hot-pixel":
        left[0, 0, 1] = 65535
    elif change == "hot-column":
        right[:, 77] = 50000
    elif change == "small-light":
        left[30:50, 40:60] = 65000
    elif change == "dark":
        left, right = left * 0, right * 0
    found = page.evaluate(
        """async (views) => {
          const { findWhite } = await import('./browser/white.js');
          return findWhite(views.map((view) => ({
            ...view,
            codes: new Uint16Array(Uint8Array.from(atob(view.data), (one) => one.charCodeAt(0)).buffer),
          })));
        }""",
        [as_picture(view) for view in (left, right)],
    )
    assert found == pytest.approx(find_white((dequantize(left), dequantize(right))), rel=1e-5)


@pytest.mark.parametrize("halo", [0, 8, 192])
@pytest.mark.parametrize("size", [(16, 16), (1000, 1000), (4000, 6000), (377, 5001), (2464, 1640)])
def test_the_tiles_are_those_of_the_package(page: Any, halo: int, size: tuple[int, int]) -> None:
    for pixels in (200_000, 3_000_000):
        description = Description(32, halo, tile_pixels=pixels)
        grid = choose_grid(*size, description)
        found = call(page, "tiles.js", "chooseGrid", *size, vars(description))
        for axis, name in ((grid.rows, "rows"), (grid.columns, "columns")):
            assert found[name]["tile"] == axis.tile
            assert tuple(found[name]["starts"]) == axis.starts
            assert [tuple(seam) for seam in found[name]["seams"]] == list(axis.seams)


@pytest.mark.parametrize("encoding", ["srgb", "linear"])
@pytest.mark.parametrize("strength", [0, 0.3, 1])
def test_the_strength_mixes_as_in_the_package(page: Any, encoding: Any, strength: float) -> None:
    output = GENERATOR.uniform(-0.2, 1.2, (20, 30, 3)).astype(np.float32)
    combined = GENERATOR.integers(0, 65536, (20, 30, 3), np.uint16)
    places = np.flatnonzero((output < 0) | (output > 1))
    output = np.where((output < 0) | (output > 1), output, dequantize(quantize(output, 16)))
    result = page.evaluate(
        """async ([output, places, values, combined, strength, encoding]) => {
          const { mix } = await import('./browser/finished_picture.js');
          const beyond = { places: Uint32Array.from(places), values: Float32Array.from(values) };
          return [...mix(Uint16Array.from(output), beyond, Uint16Array.from(combined), strength, encoding)];
        }""",
        [
            quantize(output, 16).ravel().tolist(),
            places.tolist(),
            output.ravel()[places].tolist(),
            combined.ravel().tolist(),
            strength,
            encoding,
        ],
    )
    picture = Control(strength).apply(output, dequantize(combined), encoding=encoding)
    assert np.abs(np.reshape(result, output.shape) - quantize(picture, 16).astype(int)).max() <= 1


def test_values_beyond_black_and_white_are_kept(page: Any) -> None:
    beyond = page.evaluate(
        """async () => {
          const { deblurPair } = await import('./browser/deblur_pair.js');
          const view = { width: 40, height: 40, channels: 1, bits: 8, encoding: 'srgb', codes: new Uint8Array(1600) };
          view.codes.fill(255, 800);
          const other = { ...view, codes: view.codes.toReversed() };  // alike, they would be in focus
          const description = { multiple_of: 4, halo: 8, tta: 1, tile_pixels: 4e6, encoding: 'srgb' };
          const run = async (one) => one.map((value) => 1.5 * value - 0.25);
          const { beyond } = await deblurPair({ description, run }, view, other, () => {});
          return [[...beyond.places], [...beyond.values]];
        }"""
    )
    assert beyond == [list(range(4800)), [-0.25] * 2400 + [1.25] * 2400]
