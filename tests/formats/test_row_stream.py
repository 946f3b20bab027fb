"""A stream of rows gives the rows of the array that its strips come from, and keeps only the last ones."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dpanet.formats.row_stream import RowStream

PICTURE = np.arange(97 * 5 * 3, dtype=np.uint16).reshape(97, 5, 3)


def stream(picture: NDArray[np.uint16], height: int, runs: list[int] | None = None) -> RowStream:
    def run() -> Iterator[NDArray[np.uint16]]:
        if runs is not None:
            runs.append(1)
        for top in range(0, len(picture), height):
            yield picture[top : top + height].copy()

    return RowStream(picture.shape, picture.dtype, run)


@given(
    height=st.integers(1, 120),
    slices=st.lists(st.tuples(st.integers(0, 110), st.integers(0, 110)), min_size=1, max_size=9),
)
def test_any_slices_equal_those_of_the_array(height: int, slices: list[tuple[int, int]]) -> None:
    rows = stream(PICTURE, height)
    for top, bottom in slices:
        np.testing.assert_array_equal(rows[top:bottom], PICTURE[top:bottom])
    assert rows.shape == PICTURE.shape and rows.dtype == PICTURE.dtype and rows.ndim == 3


def test_slices_from_the_top_down_run_the_strips_once() -> None:
    runs: list[int] = []
    rows = stream(PICTURE, 10, runs)
    for top in range(0, 97, 20):
        rows[top : top + 30], rows[top : top + 30], rows[top + 5 : top + 30]
    assert len(runs) == 1
    np.testing.assert_array_equal(rows[:], PICTURE)
    assert len(runs) == 2


def test_memory_does_not_grow_with_the_picture() -> None:
    def run() -> Iterator[NDArray[np.uint8]]:
        for _ in range(400):
            yield np.zeros((50, 1000), np.uint8)

    rows = RowStream((20_000, 1000), np.uint8, run)
    tracemalloc.start()
    for top in range(0, 20_000, 150):
        assert rows[top : top + 200].shape[1] == 1000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 800_000


def test_every_second_row_is_refused() -> None:
    with pytest.raises(IndexError, match="not in steps of 2"):
        stream(PICTURE, 10)[::2]
