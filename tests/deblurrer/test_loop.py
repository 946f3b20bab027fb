"""The road of a picture with an engine of NumPy alone."""

import weakref

import numpy as np
import pytest

from dpanet.deblurrer.control import Control
from dpanet.deblurrer.loop import deblur_pair, deblur_strips
from dpanet.deblurrer.mirror import MIRRORS
from dpanet.errors import ShapeError
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair, Pixels

RNG = np.random.default_rng(11)


class Difference:
    """Left minus a quarter of right; its defocus map is eight times the left red channel."""

    description = Description(multiple_of=4, halo=4, has_defocus=True)

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
        self.runs += 1
        picture = left - right * np.float32(0.25)
        return np.concatenate([picture, left[..., :1] * 8], axis=-1) if defocus else picture


def pair() -> DualPixelPair:
    return DualPixelPair(*RNG.random((2, 30, 41, 3)).astype(np.float32))


def test_an_engine_needs_no_torch() -> None:
    views, engine = pair(), Difference()
    picture, radius = deblur_pair(engine, views, tile=24, mirrors=MIRRORS[:1], encoding="srgb", defocus=True)
    np.testing.assert_array_equal(picture, views.left - views.right * np.float32(0.25))
    np.testing.assert_array_equal(radius, views.left[..., 0] * 8)
    assert engine.runs > 1


@pytest.mark.parametrize("count", [2, 4])
def test_mirrored_left_to_right_the_views_change_places(count: int) -> None:
    views, engine = pair(), Difference()
    picture, _ = deblur_pair(engine, views, tile=0, mirrors=MIRRORS[:count], encoding="srgb")
    np.testing.assert_allclose(picture, (views.left + views.right) * 0.375, atol=1e-6)
    assert engine.runs == count


def test_the_four_mirror_images_differ_and_undo_themselves() -> None:
    views = pair()
    seen = {mirror.apply(views.left, views.right)[0].tobytes() for mirror in MIRRORS}
    assert len(seen) == 4
    for mirror in MIRRORS:
        left, right = mirror.apply(views.left, views.right)
        np.testing.assert_array_equal(mirror.undo(left), views.right if mirror.left_right else views.left)
        np.testing.assert_array_equal(mirror.undo(right), views.left if mirror.left_right else views.right)


def test_an_engine_that_changes_the_shape_is_refused() -> None:
    class Smaller(Difference):
        def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
            return left[:-1]

    with pytest.raises(ShapeError, match="must keep the shape"):
        deblur_pair(Smaller(), pair(), tile=0, mirrors=MIRRORS[:1], encoding="srgb")


@pytest.mark.parametrize("control", [Control(), Control(strength=0.5)])
def test_rows_that_were_taken_are_not_in_memory_while_the_next_are_computed(control: Control) -> None:
    taken: list[weakref.ref[np.ndarray]] = []

    class Watching(Difference):
        def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
            assert not any(rows() is not None for rows in taken)
            return super().__call__(left, right, defocus=defocus)

    strips = deblur_strips(
        Watching(), pair(), tile=24, mirrors=MIRRORS[:2], encoding="srgb", control=control, scale=1
    )
    for rows, _ in strips:
        taken.append(weakref.ref(rows if rows.base is None else rows.base))
        del rows
    assert len(taken) > 1


def test_the_views_of_the_pair_are_left_as_they_are() -> None:
    views, engine = pair(), Difference()
    before = views.left.copy(), views.right.copy()
    deblur_pair(engine, views, tile=0, mirrors=MIRRORS, encoding="srgb", defocus=True)
    np.testing.assert_array_equal(views.left, before[0])
    np.testing.assert_array_equal(views.right, before[1])
