import math
import pickle
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import dpanet.training.pair_source as pairs
from dpanet.errors import ConfigError, DatasetError, UnreadableImageError
from dpanet.training.pair_source import Augmentation, PairSource, epoch_steps
from dpanet.training.pairs_data import split_folders

PLAIN = Augmentation(mirror=False, flip=False)
PARTS = ("left", "right", "sharp")
HEIGHT, WIDTH = 40, 56


def write(path: Path, codes: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), codes[..., ::-1] if codes.ndim == 3 else codes)


def maps(number: int, part: int) -> np.ndarray:
    """Codes that tell where a pixel lies, and in which picture: red is x, green y, blue 10 * number + part."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([x * 1000, y * 1000, np.full_like(x, 10 * number + part)], axis=2).astype(np.uint16)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five pictures, 0 to 4 in natural order."""
    for number in range(5):
        for part, name in enumerate(PARTS):
            write(tmp_path / "pairs" / f"{number}_{name}.png", maps(number, part))
    return tmp_path / "pairs"


def codes(view: torch.Tensor) -> np.ndarray:
    return np.rint(view.permute(1, 2, 0).numpy().astype(np.float64) * 65535).astype(int)


def seeds(count: int, step: int = 0, seed: int = 3) -> list[list[int]]:
    return [[seed, step, index] for index in range(count)]


def test_views_and_truth_are_cut_at_one_place(folder: Path) -> None:
    scenes = PairSource(folder, batch=30, patch=32, augmentation=PLAIN).scenes(seeds(30), 24, strength=0.1)
    assert scenes.radius is None
    corners = set()
    for views in zip(*scenes[:3], strict=True):
        left = codes(views[0])
        number, top, start = left[0, 0, 2] // 10, left[0, 0, 1] // 1000, left[0, 0, 0] // 1000
        corners.add((top, start))
        for part, view in enumerate(views):
            assert view.shape == (3, 24, 24) and view.dtype == torch.float32 and view.is_contiguous()
            expected = maps(number, part)[top : top + 24, start : start + 24]
            np.testing.assert_array_equal(codes(view), expected)
    tops, starts = ({corner[axis] for corner in corners} for axis in (0, 1))
    assert len(tops) > 8 and len(starts) > 12 and {t - s for t, s in corners} != {0}
    assert max(tops) <= HEIGHT - 24 and max(starts) <= WIDTH - 24


def test_every_place_can_be_drawn(folder: Path) -> None:
    source = PairSource(folder, batch=40, patch=HEIGHT - 1, augmentation=PLAIN)
    left = source.scenes(seeds(40), HEIGHT - 1).left
    assert {int(codes(view)[0, 0, 1]) for view in left} == {0, 1000}, "the last row counts"


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("flip", [False, True])
def test_mirrored_pairs_swap_their_views(folder: Path, mirror: bool, flip: bool) -> None:
    plain = PairSource(folder, batch=24, patch=32, augmentation=PLAIN).scenes(seeds(24), 32)
    turned = PairSource(folder, batch=24, patch=32, augmentation=Augmentation(mirror, flip)).scenes(
        seeds(24), 32
    )
    met = set()
    for i, (across, down) in product(range(24), product((False, True), repeat=2)):
        views = [plain.right[i], plain.left[i], plain.truth[i]] if across else [view[i] for view in plain[:3]]
        views = [view.flip(-1) if across else view for view in views]
        views = [view.flip(-2) if down else view for view in views]
        if all(torch.equal(view, made[i]) for view, made in zip(views, turned[:3], strict=True)):
            met.add((i, across, down))
    assert len(met) == 24, "each scene is one of the four"
    assert {(across, down) for _, across, down in met} == set(product({False, mirror}, {False, flip}))


def test_a_scene_depends_on_its_seed_alone(folder: Path) -> None:
    given = Augmentation(resize=(32, 40))
    source = PairSource(folder, batch=6, patch=32, augmentation=given)
    batch = source.scenes(seeds(6, step=11), 24)
    again = source.scenes(seeds(6, step=11), 24)
    other = PairSource(folder, batch=6, patch=32, augmentation=given, memory=0)
    for i in (5, 0, 3):
        alone = other.scenes([[3, 11, i]], 24, strength=0.5)
        for part in range(3):
            assert torch.equal(batch[part][i], again[part][i]) and torch.equal(batch[part][i], alone[part][0])
    later = source.scenes(seeds(6, step=12), 24)
    assert not any(torch.equal(a, b) for a, b in zip(batch.left, later.left, strict=True))
    assert not any(
        torch.equal(a, b) for a, b in zip(batch.left, source.scenes(seeds(6, 11, 4), 24).left, strict=True)
    )
    carried = pickle.loads(pickle.dumps(source)).scenes(seeds(6, step=11), 24)
    assert torch.equal(carried.left, batch.left), "it may be handed to another process"


def test_every_picture_once_an_epoch_in_a_new_order(folder: Path) -> None:
    """Two patches a step of five pictures: step 2 ends one epoch and begins the next."""
    source = PairSource(folder, batch=2, patch=16)
    order = [source.picture_index([3, step, index]) for step in range(50) for index in range(2)]
    epochs = [tuple(order[at : at + 5]) for at in range(0, 100, 5)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert len(set(epochs)) > 12
    assert [source.picture_index([3, step, index]) for step in (2, 40, 1) for index in (1, 0)] == [
        order[2 * step + index] for step in (2, 40, 1) for index in (1, 0)
    ], "asked in any order, as after a resume"
    assert [source.picture_index([4, step, index]) for step in range(50) for index in range(2)] != order
    blue = source.scenes([[3, 7, 0], [3, 7, 1]], 16).truth[:, 2, 0, 0]
    assert [int(code) // 10 for code in np.rint(blue.numpy() * 65535)] == order[14:16]


def test_one_step_over_all_pictures_for_validation(folder: Path) -> None:
    source = PairSource(folder, batch=5, patch=16, augmentation=PLAIN)
    assert len(source) == 5
    assert {source.picture_index([7, 0, index]) for index in range(5)} == set(range(5))


def test_resize_keeps_pixel_centres_and_draws_even_sides_and_free_offsets(folder: Path) -> None:
    """A ramp stays one, within what OpenCV's cubic ripples: its slope tells the side, its height the offset."""
    low, high, size = 32, 40, 32
    source = PairSource(folder, batch=150, patch=size, augmentation=Augmentation(False, False, (low, high)))
    sides, offsets = set(), set()
    for i, view in enumerate(source.scenes(seeds(150), size).left):
        y, x = (view[axis].double().numpy() * 65.535 for axis in (1, 0))
        slope = (x[size // 2, size // 2 + 4] - x[size // 2, size // 2 - 4]) / 8
        side = 2 * round(low / slope / 2)
        rng = np.random.default_rng([3, 0, i])  # the window's place is the first draw
        window = [int(rng.integers(HEIGHT - low + 1)), int(rng.integers(WIDTH - low + 1))]
        found = []
        for line, start in ((y[:, size // 2], window[0]), (x[size // 2], window[1])):
            offset = (line[size // 2] - start + 0.5) * side / low - 0.5 - size // 2
            found.append(round(offset))
            place = (np.arange(size) + found[-1] + 0.5) * low / side - 0.5
            inside = (place > 1) & (place < low - 2)  # the border is repeated beyond it
            np.testing.assert_allclose(line[inside], start + place[inside], atol=0.06)
        assert min(found) >= 0 and max(found) <= side - size
        sides.add(side)
        offsets.add((side, *found))
    assert sides == {32, 34, 36, 38, 40}
    assert any(top != left for _, top, left in offsets), "the two offsets are drawn apart"
    for axis in (1, 2):
        assert {place[axis] for place in offsets if place[0] == 34} == {0, 1, 2}


def cubic(x: float) -> float:
    """The kernel of Keys, 1981, with -0.75 for its free number."""
    x, a = abs(x), -0.75
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0


def slow_resize(picture: np.ndarray, side: int) -> np.ndarray:
    """Along each axis in turn, the border repeated."""
    for axis in (0, 1):
        length, rows = picture.shape[axis], np.moveaxis(picture, axis, 0)
        made = []
        for i in range(side):
            place = (i + 0.5) * length / side - 0.5
            taps = range(math.floor(place) - 1, math.floor(place) + 3)
            made.append(sum(cubic(place - tap) * rows[min(max(tap, 0), length - 1)] for tap in taps))
        picture = np.moveaxis(np.stack(made), 0, axis)
    return picture.clip(0, 1)


def test_resize_is_cubic_and_clipped(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    views = [rng.choice(np.array([0, 65535], np.uint16), (18, 18, 3)) for _ in PARTS]
    for name, view in zip(PARTS, views, strict=True):
        write(tmp_path / f"a_{name}.png", view)
    source = PairSource(tmp_path, batch=1, patch=18, augmentation=Augmentation(False, False, (18, 24)))
    sides = set()
    for step in range(8):
        scenes = source.scenes([[1, step, 0]], 18)
        fits = []
        for side in (18, 20, 22, 24):
            whole = [slow_resize(view / 65535, side) for view in views]
            for top, left in product(range(side - 17), repeat=2):
                near = [
                    np.abs(part[0].permute(1, 2, 0).numpy() - slow[top : top + 18, left : left + 18]).max()
                    < 1e-5
                    for part, slow in zip(scenes[:3], whole, strict=True)
                ]
                if all(near):
                    fits.append(side)
        assert len(fits) == 1
        sides |= set(fits)
        assert scenes.left.min() == 0 and scenes.left.max() == 1
    assert len(sides) > 1


def test_eight_bits_gray_and_tiff_are_read_as_they_are(tmp_path: Path) -> None:
    view = np.random.default_rng(4).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    for name in PARTS:
        write(tmp_path / "8" / f"a_{name}.png", view)
        write(tmp_path / "16" / f"a_{name}.tif", view.astype(np.uint16) * 257)
        write(tmp_path / "gray" / f"a_{name}.png", view[..., 0])
    eight, sixteen, gray = (
        PairSource(tmp_path / kind, batch=1, patch=20, augmentation=PLAIN).scenes([[1, 0, 0]], 20)
        for kind in ("8", "16", "gray")
    )
    assert torch.equal(eight.left, sixteen.left)
    assert all(torch.equal(gray.truth[:, channel], eight.truth[:, 0]) for channel in range(3))


def test_memory_is_bounded_and_what_fits_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 3 * HEIGHT * WIDTH * 3 * 2
    reads: list[int] = []
    read = PairSource._read

    def counted(source: PairSource, place: int) -> pairs.Picture:
        reads.append(place)
        return read(source, place)

    monkeypatch.setattr(PairSource, "_read", counted)
    source = PairSource(folder, batch=5, patch=16, memory=2 * size + size // 2)
    for step in range(4):
        source.scenes(seeds(5, step), 16)
    assert len(reads) == 5 + 3 * 3, "two of five stay"
    assert len(set(reads[5:])) == 3


def test_small_pictures_are_refused_at_opening_all_at_once(folder: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        PairSource(folder, batch=1, patch=41)
    assert caught.value.problems[0] == "0_left.png is 56 x 40 px, under the patch's 41"
    assert len(caught.value.problems) == 5
    with pytest.raises(DatasetError, match="under the patch's 48"):
        PairSource(folder, batch=1, patch=20, augmentation=Augmentation(resize=(48, 60)))
    assert len(PairSource(folder, batch=1, patch=40)) == 5


def test_what_the_layout_asks_for_is_checked_too(folder: Path) -> None:
    (folder / "3_sharp.png").unlink()
    with pytest.raises(DatasetError, match=r"3_sharp\.png is missing"):
        PairSource(folder, batch=1, patch=16)
    with pytest.raises(DatasetError, match="nowhere does not exist"):
        PairSource(folder / "nowhere", batch=1, patch=16)


def test_a_file_that_is_damaged_later_is_named(folder: Path) -> None:
    source = PairSource(folder, batch=5, patch=16)
    path = folder / "2_right.png"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableImageError, match=r"2_right\.png is a truncated PNG .*; export"):
        source.scenes(seeds(5), 16)
    path.write_bytes(data)
    assert source.scenes(seeds(5), 16).left.shape == (5, 3, 16, 16)


@pytest.mark.parametrize(("options", "told"), [
    ({"batch": 0}, "batch is 0"),
    ({"patch": 8}, "patch is 8 px"),
    ({"patch": 34, "augmentation": Augmentation(resize=(32, 40))}, "at most the smaller resize, 32"),
])  # fmt: skip
def test_impossible_settings_are_refused(folder: Path, options: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        PairSource(folder, **{"batch": 1, "patch": 16, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("resize", [(40, 32), (33, 40), (32, 39), (0, 40)])
def test_impossible_sides_are_refused(resize: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="resize is"):
        Augmentation(resize=resize)


def test_a_larger_patch_than_announced_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="patches of 24 px are requested; at most 20"):
        PairSource(folder, batch=1, patch=20).scenes(seeds(1), 24)


def test_steps_of_the_published_schedule() -> None:
    assert epoch_steps(300, 7000, 4) == 525_000
    assert epoch_steps(1, 7, 4) == 2
    assert epoch_steps(0.5, 7000, 4) == 875


def test_folders_with_and_without_splits(tmp_path: Path) -> None:
    assert split_folders(tmp_path) == (tmp_path, None)
    (tmp_path / "train").mkdir()
    assert split_folders(tmp_path) == (tmp_path / "train", None)
    (tmp_path / "val.unfinished").mkdir()
    with pytest.raises(DatasetError, match="not finished"):
        split_folders(tmp_path)
    (tmp_path / "val.unfinished").rename(tmp_path / "val")
    assert split_folders(tmp_path) == (tmp_path / "train", tmp_path / "val")
