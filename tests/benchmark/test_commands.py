import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

from dpanet.benchmark import commands
from dpanet.benchmark.results import Command, Timing
from dpanet.errors import WorkerError
from dpanet.images.demo_pair import read_demo_pair
from dpanet.images.reading import read_codes


def test_the_memory_is_that_of_the_command_and_not_of_this_process(tmp_path: Path) -> None:
    ballast = np.ones(3 * 10**8, np.uint8)
    usage = commands.run_command(["--help"], tmp_path)
    assert usage.peak_memory is not None and usage.processor_seconds is not None
    assert 10**7 < usage.peak_memory < ballast.nbytes
    assert usage.processor_seconds > 0 and usage.seconds > 0


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=r"^absent\.png does not exist"):
        commands.run_command(["deblur", "absent.png", "absent.png", "-o", str(tmp_path / "x.png")], tmp_path)


def test_an_interrupt_ends_the_command_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def interrupt(process: subprocess.Popen[bytes]) -> None:
        started.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "_wait", interrupt)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        commands.measure_deblur("nano", (64, 64), 1, 1)
    assert started[0].returncode not in (None, 0), "it was ended"
    assert list(tmp_path.iterdir()) == []


def test_the_pair_is_the_demo_s_repeated_as_mirror_images() -> None:
    pair, _ = read_demo_pair()
    with commands._pair(600, 530) as folder:
        codes = read_codes(folder / "right.png")
    assert codes.dtype == np.uint16
    wanted = np.pad(pair.right, ((0, 88), (0, 18), (0, 0)), "symmetric")
    np.testing.assert_allclose(codes / 65535, wanted, atol=1e-5)


def command(model: str, megapixels: float, seconds: float) -> Command:
    return Command("x", model, megapixels, Timing(seconds, seconds, seconds, 1), None, None, None)


def test_times_on_a_line_are_fitted_by_it() -> None:
    sizes = (0.25, 1.0, 4.0, 50.0)
    (line,) = commands.fit_growth([command("nano", size, 0.5 + 2 * size) for size in sizes])
    assert (line.start, line.per_megapixel) == pytest.approx((0.5, 2.0))
    assert line.departure == pytest.approx(0, abs=1e-9)


def test_times_that_grow_faster_depart_from_the_line() -> None:
    curved = [command("nano", size, size**1.5) for size in (1.0, 4.0, 12.0, 50.0)]
    assert commands.fit_growth(curved)[0].departure > 0.1
    assert commands.fit_growth(curved[:2]) == [], "two points are always on a line"


def test_a_size_that_fails_is_left_out_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise WorkerError("memory ran out")

    monkeypatch.setattr(commands, "run_command", fail)
    said: list[str] = []
    measured, left_out = commands.measure_sizes("nano", [0.01], None, 1, said.append)
    assert measured == [] and left_out == ["dpanet deblur, nano, 0.01 megapixels: memory ran out"]
    assert said == ["dpanet deblur, nano, 0.01 megapixels"]
