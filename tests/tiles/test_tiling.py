import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpanet.errors import ConfigError, ShapeError
from dpanet.pair import Pixels
from dpanet.tiles.tiling import SEAM, Blend, Grid, cut_axis

Run = Callable[[Pixels, Pixels], Pixels]

RNG = np.random.default_rng(7)


def noise(height: int, width: int) -> Pixels:
    return RNG.random((height, width, 3)).astype(np.float32)


def run_tiles(left: Pixels, right: Pixels, run: Run, **options: int) -> Pixels:
    """Cut two views into tiles, run a function on each, and blend the results."""
    grid = Grid.cut(*left.shape[:2], **options)
    blend = Blend(grid, channels=3)
    parts = [blend.add(tile, run(tile.read(left), tile.read(right))) for tile in grid]
    return np.concatenate(parts, dtype=np.float32)


def mean(left: Pixels, right: Pixels) -> Pixels:
    return (left + right) * np.float32(0.5)


def box(left: Pixels, right: Pixels, radius: int = 5) -> Pixels:
    """A convolution of 11 x 11 px, zero outside as a network has it, that tells the views apart."""
    views = np.pad((left - right * 2).astype(np.float64), [(radius, radius), (radius, radius), (0, 0)])
    span = 2 * radius + 1
    windows = np.lib.stride_tricks.sliding_window_view(views, (span, span), axis=(0, 1))
    result: Pixels = windows.mean(axis=(-1, -2)).astype(np.float32)
    return result


@given(
    length=st.integers(16, 5000),
    step=st.sampled_from([1, 2, 8, 16, 32]),
    halo=st.integers(0, 150),
    more=st.integers(0, 900),
)
def test_every_cut_keeps_its_promises(length: int, step: int, halo: int, more: int) -> None:
    tile = 2 * halo + 2 * step + 3 + more
    axis = cut_axis(length, tile=tile, multiple_of=step, halo=halo)
    n = len(axis.starts)
    assert axis.tile <= max(tile, 0) and axis.tile % step == 0
    assert axis.starts[0] == 0 and all(start % step == 0 for start in axis.starts)
    assert axis.starts[-1] + axis.tile == -(-length // step) * step, "the last ends where the padding does"
    assert len(axis.seams) == n - 1
    assert all(0 < end - first <= SEAM for first, end in axis.seams)
    assert all(a[1] <= b[0] for a, b in zip(axis.seams, axis.seams[1:], strict=False)), "no two ramps overlap"
    cores = [axis.core(i) for i in range(n)]
    assert cores[0][0] == 0 and cores[-1][1] == length
    for i, ((first, end), start) in enumerate(zip(cores, axis.starts, strict=True)):
        assert first < end
        assert i == 0 or first - start >= halo
        assert i == n - 1 or start + axis.tile - end >= halo


@pytest.mark.parametrize("tile", [0, 40, 47, 64, 100, 1000])
@pytest.mark.parametrize("size", [(16, 16), (17, 90), (150, 131), (64, 65)])
@pytest.mark.parametrize("step", [1, 8])
def test_the_identity_gives_the_mean_exactly(tile: int, size: tuple[int, int], step: int) -> None:
    left, right = noise(*size), noise(*size)
    made = run_tiles(left, right, mean, multiple_of=step, halo=10, tile=tile)
    np.testing.assert_array_equal(made, mean(left, right))


@pytest.mark.parametrize("tile", [32, 48, 96])
def test_tiles_equal_the_whole_picture(tile: int) -> None:
    left, right = noise(96, 144), noise(96, 144)
    whole = box(left, right)
    made = run_tiles(left, right, box, multiple_of=8, halo=5, tile=tile)
    np.testing.assert_allclose(made, whole, atol=1e-6)


def test_too_small_a_halo_is_caught_by_the_same_check() -> None:
    left, right = noise(96, 144), noise(96, 144)
    made = run_tiles(left, right, box, multiple_of=8, halo=1, tile=48)
    assert np.abs(made - box(left, right)).max() > 1e-3


def test_what_differs_between_tiles_is_blended_without_a_step() -> None:
    """Each tile comes out flat, in a level of its own: the worst seam there can be."""
    levels = iter(np.linspace(0, 1, 99, dtype=np.float32))

    def flat(left: Pixels, right: Pixels) -> Pixels:
        return np.full_like(left, next(levels))

    made = run_tiles(noise(200, 300), noise(200, 300), flat, multiple_of=8, halo=8, tile=152)[..., 0]
    jump = max(np.abs(np.diff(made, axis=axis)).max() for axis in (0, 1))
    assert 0 < jump < 1.6 / SEAM * np.ptp(made), "a smoothstep is at most 1.5 times as steep as a line"


def test_sizes_are_padded_by_reflection_on_the_right_and_below() -> None:
    left = noise(17, 30)
    seen = []

    def look(a: Pixels, b: Pixels) -> Pixels:
        seen.append(a)
        return a

    made = run_tiles(left, left, look, multiple_of=32, halo=4, tile=0)
    np.testing.assert_array_equal(seen[0], np.pad(left, [(0, 15), (0, 2), (0, 0)], "reflect"))
    np.testing.assert_array_equal(made, left)
    run_tiles(left[:16], left[:16], look, multiple_of=64, halo=4, tile=0)
    assert seen[1].shape == (64, 64, 3), "48 px of reflection out of 16"


def test_rows_are_returned_as_soon_as_they_are_final() -> None:
    left, right = noise(2000, 500), noise(2000, 500)
    whole = mean(left, right)
    grid = Grid.cut(2000, 500, tile=256, multiple_of=32, halo=32)
    blend = Blend(grid, channels=3)
    tracemalloc.start()
    done = 0
    for tile in grid:
        rows = blend.add(tile, mean(tile.read(left), tile.read(right)))
        assert bool(len(rows)) == (tile.column == len(grid.columns.starts) - 1)
        np.testing.assert_array_equal(rows, whole[done : done + len(rows)])
        done += len(rows)
        if tile.row < len(grid.rows.seams):
            assert done in (0, *(first for first, _ in grid.rows.seams))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done == 2000
    assert peak < 4 * 256 * 500 * 3 * 4, "a few rows of tiles, of which the picture has eleven"


def test_impossible_tiles() -> None:
    left = noise(300, 300)
    with pytest.raises(ConfigError, match=r"tile is 100 px; .* the network needs at least 104"):
        run_tiles(left, left, mean, multiple_of=8, halo=46, tile=100)
    run_tiles(left, left, mean, multiple_of=8, halo=46, tile=104)
    with pytest.raises(ConfigError, match=r"tile is 1 px; .* at least 104"):
        run_tiles(left, left, mean, multiple_of=8, halo=46, tile=1)
    with pytest.raises(ConfigError, match="tile is -1"):
        run_tiles(left, left, mean, multiple_of=8, halo=4, tile=-1)


def test_an_engine_that_changes_the_shape_is_refused() -> None:
    with pytest.raises(ShapeError, match="must keep the shape"):
        run_tiles(noise(32, 32), noise(32, 32), lambda a, b: a[:-1], multiple_of=8, halo=4, tile=0)
