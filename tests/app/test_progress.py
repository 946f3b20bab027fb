"""The progress of a capture, and the queue of those that wait."""

from pathlib import Path

import numpy as np
import pytest

from dpanet.app import deblurring
from dpanet.app.capture import CanceledError, Capture
from dpanet.app.deblurring import Models, TileClock, deblur_capture
from dpanet.app.limits import Limits
from dpanet.app.visitors import BusyError, Visitors
from dpanet.app.worker import Worker
from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.errors import ConfigError
from dpanet.lenses.lens import LensChoice
from dpanet.lenses.pixel4 import Pixel4
from dpanet.pair import DualPixelPair


class Clock:
    """Time that a test lets pass."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    monkeypatch.setattr(deblurring, "time", one)
    return one


@pytest.fixture
def capture(tmp_path: Path) -> Capture:
    return Capture("id", tmp_path / "folder", {"left": "a", "right": "b"}, "nano", None)


def test_the_bar_moves_on_and_never_back(clock: Clock, capture: Capture) -> None:
    tiles = TileClock(capture, megapixels=4, rate=None)
    assert tiles.read() == (0, None)  # nothing is told as long as nothing was measured
    seen = []
    for done in range(5):
        tiles.tiles(done, 4)
        for _ in range(6):
            seen.append(tiles.read())
            clock.now += 1
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert all(fraction < (number // 6 + 1) / 4 for number, fraction in enumerate(fractions[:24]))
    assert seen[6][1] == pytest.approx(18)  # after 6 s, one of four tiles is done
    assert seen[-1][1] == 0


def test_what_follows_the_network_has_its_part_of_the_bar(clock: Clock, capture: Capture) -> None:
    tiles = TileClock(capture, megapixels=1, rate=None, runs=3)
    seen = []
    runs = [(0, 1), (1, 1)], [(n, 8) for n in range(1, 9)], [(1, 2), (2, 2)]
    for done, total in (step for run in runs for step in run):
        tiles.tiles(done, total)
        seen.append(tiles.read())
        clock.now += done != total
    assert [seen[number][0] for number in (1, 9, 11)] == pytest.approx([1 / 3, 2 / 3, 1])
    assert [fraction for fraction, _ in seen] == sorted(fraction for fraction, _ in seen)
    assert seen[1][1] == pytest.approx(2), "after 1 of 3 s"
    assert seen[9][1] == pytest.approx(4), "after 8 of 12 s"
    assert seen[11][1] == 0


def test_the_bar_waits_where_less_is_done_than_was_guessed(clock: Clock, capture: Capture) -> None:
    tiles = TileClock(capture, megapixels=1, rate=0.1)
    clock.now += 60  # smaller copies of the picture come first, and the number of tiles is not known yet
    seen = [tiles.read()[0]]
    assert 0 < seen[0] <= 0.1
    for done, total in ((0, 3), (1, 3), (2, 3), (0, 5), (1, 5), (5, 5)):  # a second run begins anew
        tiles.tiles(done, total)
        for _ in range(3):
            seen.append(tiles.read()[0])
            clock.now += 1
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_the_rate_of_the_last_picture_tells_the_time(clock: Clock, capture: Capture) -> None:
    models = Models({"nano": "nano"})
    assert models.rate("nano", refine=False) is None
    models.set_rate("nano", refine=False, seconds=6, pixels=3_000_000)
    assert models.rate("nano", refine=True) is None
    tiles = TileClock(capture, megapixels=4, rate=models.rate("nano", refine=False))
    clock.now += 3
    assert tiles.read()[1] == pytest.approx(5)
    clock.now += 6
    assert tiles.read()[1] is None  # it takes longer than thought, and no one knows how much


@pytest.mark.parametrize(
    ("camera", "refine", "lens"),
    [("pixel4", True, "pixel4"), ("canon", True, "find"), (None, True, "find"), ("pixel4", False, "none")],
)
def test_the_lens_is_that_of_the_camera_or_found(
    capture: Capture, monkeypatch: pytest.MonkeyPatch, camera: str | None, refine: bool, lens: str
) -> None:
    class Loading(Models):
        def load(self, name: str, lens: LensChoice | None = None) -> Deblurrer:
            raise ConfigError(lens if isinstance(lens, str) else "none" if lens is None else lens.name)

    pair = DualPixelPair(*np.zeros((2, 16, 16, 3), np.float32))
    monkeypatch.setattr(deblurring, "read_capture", lambda _: pair)
    capture.camera, capture.refine = camera, refine
    with pytest.raises(ConfigError, match=f"^{lens}$"):
        deblur_capture(capture, Loading({"nano": "nano"}), Limits(1, 1, 1), lambda _: None)


def test_a_model_is_loaded_once_for_each_lens() -> None:
    models = Models({"nano": "nano"}, threads=1)
    plain, found, known = models.load("nano"), models.load("nano", "find"), models.load("nano", Pixel4())
    assert [one.has_defocus_map for one in (plain, found, known)] == [False, True, True]
    assert models.load("nano") is plain and models.load("nano", Pixel4()) is known


def test_a_canceled_capture_stops_at_its_next_tile(capture: Capture) -> None:
    tiles = TileClock(capture, 1, None)
    tiles.tiles(1, 3)
    capture.canceled.set()
    with pytest.raises(CanceledError):
        tiles.tiles(2, 3)


def test_captures_wait_for_one_another(tmp_path: Path) -> None:
    worker = Worker(Models({}), Limits())  # not started
    visitors = Visitors(tmp_path, worker, Limits(queue=3, gigabytes=1e-6))
    visitor = visitors.add()
    captures = [visitors.add_capture(visitor, {"left": "a"}, "nano", None) for _ in range(3)]
    with pytest.raises(BusyError, match="3 pictures are waiting"):
        visitors.add_capture(visitor, {"left": "a"}, "nano", None)
    for capture in captures:
        worker.submit(capture)
        worker.refresh(capture)
    assert [capture.stage for capture in captures] == [
        "Waiting",
        "Waiting, 1 before it",
        "Waiting, 2 before it",
    ]
    visitors.remove_capture(visitor, captures[0].id)
    assert captures[0].state == "canceled"
    assert not captures[0].folder.exists()
    worker.refresh(captures[2])
    assert captures[2].stage == "Waiting, 1 before it"
    captures[1].stored = 1000
    with pytest.raises(BusyError, match="are stored"):
        visitors.check_room(1)
    visitors.check_room(0)


def test_pages_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    visitors = Visitors(tmp_path, Worker(Models({}), Limits()), Limits(visitors=2, idle_seconds=10))
    first, second = visitors.add(), visitors.add()
    capture = visitors.add_capture(first, {"left": "a"}, "nano", None)
    with pytest.raises(BusyError, match="2 pages are open"):
        visitors.add()
    first.seen -= 11
    visitors.add()
    assert visitors.find(first.token) is None
    assert visitors.find(second.token) is second
    assert not capture.folder.exists()


def test_limits_are_positive() -> None:
    with pytest.raises(ConfigError, match="megapixels is 0"):
        Limits(megapixels=0)
    with pytest.raises(ConfigError, match="queue is -1"):
        Limits(queue=-1)
