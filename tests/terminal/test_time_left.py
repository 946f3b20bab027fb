import io
import sys

import pytest

import dpanet.terminal.progress
from dpanet.terminal.progress import Meter, Steps
from dpanet.terminal.time_left import TimeLeft, describe_duration


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_rest_takes_as_long_as_the_first_part() -> None:
    clock = Clock()
    left = TimeLeft(clock)
    assert left.text() == ""
    clock.now = 200
    left.begin()
    clock.now = 230
    assert left.seconds() is None
    left.done(0.25)
    assert left.seconds() == pytest.approx(90) and left.text() == "about 2 min left"
    clock.now = 240
    assert left.text() == "about 1 min left" and left.seconds() == pytest.approx(80)
    clock.now = 1000
    assert left.seconds() == 0 and left.text() == "about 1 s left"
    left.done(0.2)
    assert left.seconds() == 0, "going back changes nothing"
    left.done(0.5)
    assert left.seconds() == pytest.approx(800)
    left.done(1)
    assert left.text() == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1 s"), (59.4, "59 s"), (59.6, "1 min"), (3540, "59 min"), (3571, "1 h"), (8100, "2 h 15 min")],
)
def test_durations_in_words(seconds: float, text: str) -> None:
    assert describe_duration(seconds) == text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def open_terminal(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let standard error be a terminal; return the clock of what is shown on it."""
    clock = Clock()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(dpanet.terminal.progress, "TimeLeft", lambda: TimeLeft(clock))
    return clock


def shown(meter: Meter | Steps) -> str:
    """What the terminal got since the last time."""
    assert meter._bars is not None
    terminal = meter._bars.console.file
    assert isinstance(terminal, Terminal)
    start = len(terminal.getvalue())
    meter._bars.refresh()
    return terminal.getvalue()[start:]


def test_tiles_of_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = open_terminal(monkeypatch)
    with Meter(1) as meter:
        meter.tiles(0, 10)
        assert "0/10" in shown(meter) and "left" not in shown(meter)
        clock.now += 40  # longer than the memory of rich's own column
        meter.tiles(1, 10)
        text = shown(meter)
        assert "1/10" in text and "about 6 min left" in text and text.count("left") == 1


def test_pictures_of_a_folder_and_their_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = open_terminal(monkeypatch)
    with Meter(12) as meter:
        meter.skip_file()
        meter.skip_file()  # 10 pictures to do
        meter.tiles(0, 4)
        clock.now += 10
        meter.tiles(2, 4)
        text = shown(meter)
        assert "2/12" in text and "2/4" in text
        assert "about 3 min left" in text and text.count("left") == 1  # 9.5 of 10 pictures, 20 s each
        clock.now += 10
        meter.tiles(4, 4)
        meter.tiles(0, 4)  # the next one is at work while the first is written
        assert "about 3 min left" in shown(meter)  # 180 s
        meter.next_file()
        assert "3/12" in shown(meter)
        for _ in range(4):  # that fail at once
            meter.next_file()
        assert "about 20 s left" in shown(meter)  # 5 of 10 in 20 s


def test_steps_of_a_run_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = open_terminal(monkeypatch)
    with Steps() as steps:
        steps.stepped(500, 1000)
        assert "left" not in shown(steps)
        clock.now += 60
        steps.stepped(600, 1000)
        assert "about 4 min left" in shown(steps)
