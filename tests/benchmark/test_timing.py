import statistics
from pathlib import Path

import pytest

from dpanet.benchmark.timing import EnergyMeter, measure, summarize


def test_quartiles_are_those_of_the_standard_library() -> None:
    seconds = [0.3, 0.1, 0.9, 0.4, 0.2]
    timing = summarize(seconds)
    wanted = statistics.quantiles(seconds, n=4, method="inclusive")
    assert [timing.lower, timing.median, timing.upper] == pytest.approx(wanted) and timing.runs == 5


def test_the_first_run_is_not_measured() -> None:
    calls: list[int] = []
    assert measure(lambda: calls.append(1), 3).runs == 3
    assert len(calls) == 4


def add_counter(folder: Path, name: str, microjoules: int, limit: int = 10_000_000) -> None:
    counter = folder / name
    counter.mkdir(parents=True, exist_ok=True)
    (counter / "energy_uj").write_text(f"{microjoules}\n")
    (counter / "max_energy_range_uj").write_text(f"{limit}\n")


def test_joules_of_all_packages_are_added_and_parts_of_a_package_are_not(tmp_path: Path) -> None:
    meter = EnergyMeter(tmp_path)
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        add_counter(tmp_path, name, 1_000_000)
    before = meter.read()
    add_counter(tmp_path, "intel-rapl:0", 3_000_000)
    add_counter(tmp_path, "intel-rapl:0:0", 2_500_000)
    add_counter(tmp_path, "intel-rapl:1", 1_500_000)
    assert meter.since(before) == pytest.approx(2.5)
    assert meter.absence() is None


def test_a_counter_that_begins_anew_is_corrected(tmp_path: Path) -> None:
    meter = EnergyMeter(tmp_path)
    add_counter(tmp_path, "intel-rapl:0", 9_000_000)
    before = meter.read()
    add_counter(tmp_path, "intel-rapl:0", 500_000)
    assert meter.since(before) == pytest.approx(1.5)


def test_a_machine_that_does_not_tell_its_energy_says_so(tmp_path: Path) -> None:
    meter = EnergyMeter(tmp_path / "absent")
    assert meter.read() is None and meter.since(None) is None
    assert "does not tell" in (meter.absence() or "")
    (tmp_path / "intel-rapl:0").mkdir()  # a counter without its file, as one that may not be read
    assert "may not be read" in (EnergyMeter(tmp_path).absence() or "")
