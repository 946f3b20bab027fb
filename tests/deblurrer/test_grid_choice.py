"""The tiles that ``auto`` chooses: of one shape, large enough, no larger than the limit, and few pixels together."""

import pytest

from dpanet.deblurrer.grid_choice import PARALLEL_SHARE, choose_grid
from dpanet.errors import ConfigError
from dpanet.network.description import Description

COMPACT = Description(multiple_of=32, halo=160)


@pytest.mark.parametrize(
    ("size", "network"),
    [
        ((1008, 1344), COMPACT),
        ((1640, 2464), COMPACT),
        ((4000, 6000), COMPACT),
        ((8700, 11600), COMPACT),
        ((40, 90_000), COMPACT),
        ((6000, 6000), Description(multiple_of=8, halo=500)),
    ],
)
def test_tiles_are_no_larger_than_the_limit(size: tuple[int, int], network: Description) -> None:
    grid = choose_grid(*size, network)
    assert grid.rows.tile * grid.columns.tile <= network.tile_pixels
    for axis in (grid.rows, grid.columns):
        for i in range(1, len(axis.starts)):
            assert axis.core(i)[0] - axis.starts[i] >= network.halo


def test_the_usual_pictures_are_one_tile() -> None:
    assert len(choose_grid(1008, 1344, COMPACT)) == 1


@pytest.mark.parametrize("size", [(1640, 2464), (4000, 6000), (8700, 11600)])
def test_several_tiles_are_smaller_where_passes_run_at_the_same_time(size: tuple[int, int]) -> None:
    grid = choose_grid(*size, COMPACT, parallel=True)
    assert grid.rows.tile * grid.columns.tile <= PARALLEL_SHARE * COMPACT.tile_pixels
    assert choose_grid(1008, 1344, COMPACT, parallel=True) == choose_grid(1008, 1344, COMPACT)
    assert choose_grid(*size, COMPACT, 1024, parallel=True) == choose_grid(*size, COMPACT, 1024)


@pytest.mark.parametrize("size", [(1640, 2464), (4000, 6000), (5800, 8700)])
def test_no_square_tiles_have_fewer_pixels(size: tuple[int, int]) -> None:
    grid = choose_grid(*size, COMPACT)
    square = choose_grid(*size, COMPACT, int(COMPACT.tile_pixels**0.5))
    chosen, other = (len(each) * each.rows.tile * each.columns.tile for each in (grid, square))
    assert chosen <= other


def test_a_halo_that_is_larger_than_the_limit_allows_gets_larger_tiles() -> None:
    grid = choose_grid(5000, 5000, Description(multiple_of=8, halo=900))
    assert COMPACT.tile_pixels < grid.rows.tile * grid.columns.tile < 25_000_000


def test_a_side_and_the_whole_picture_can_be_set() -> None:
    assert choose_grid(3000, 3000, COMPACT, 1024).rows.tile <= 1024
    assert len(choose_grid(3000, 3000, COMPACT, 0)) == 1
    whole = Description(multiple_of=8, halo=64, whole_image=True)
    assert len(choose_grid(1900, 2000, whole)) == 1
    with pytest.raises(ConfigError, match="has to see it whole"):
        choose_grid(2100, 2000, whole)
