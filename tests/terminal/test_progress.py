import io
import sys

import pytest

from dpanet.terminal.progress import Meter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, files: int, tiles: int) -> str:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream)
    with Meter(files) as meter:
        for done in range(tiles + 1):
            meter.tiles(done, tiles)
            if meter._bars is not None:
                meter._bars.refresh()
        meter.say("out.png: done")
        meter.next_file()
    return stream.getvalue()


def test_several_tiles_or_files_are_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, Terminal(), files=1, tiles=4)
    assert "tiles" in text and "3/4" in text and "files" not in text and "out.png: done" in text
    text = shown(monkeypatch, Terminal(), files=3, tiles=1)
    assert "files" in text and "0/3" in text and "tiles" not in text


def test_one_tile_of_one_file_shows_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, Terminal(), files=1, tiles=1)
    assert "tiles" not in text and "files" not in text


def test_a_pipe_stays_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert shown(monkeypatch, io.StringIO(), files=3, tiles=4) == ""


def test_lines_for_a_pipe_go_there_though_bars_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, pipe = Terminal(), io.StringIO()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(sys, "stdout", pipe)
    with Meter(3):
        print("a line")
    assert pipe.getvalue() == "a line\n" and "a line" not in terminal.getvalue()
