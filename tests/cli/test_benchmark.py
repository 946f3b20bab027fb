import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from benchmark.example import RESULTS
from cli.conftest import Run, listing

from dpanet.benchmark import benchmark, models, rates
from dpanet.benchmark.results import read_results


@pytest.fixture(autouse=True)
def committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the state of the tree in which the tests run."""
    monkeypatch.setattr(benchmark, "find_changed_files", tuple)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark of seconds: one engine, small pictures."""
    monkeypatch.setattr(benchmark, "COMMAND_SIZE", (64, 80))
    monkeypatch.setattr(benchmark.Plan, "pass_size", (60, 70))
    monkeypatch.setattr(benchmark.Plan, "runs", 1)
    monkeypatch.setattr(benchmark.Plan, "sizes", (0.01,))
    monkeypatch.setattr(benchmark, "describe_machine", lambda *a: describe(*a, size=10**6))
    monkeypatch.setattr(rates, "SHAPES", ((8, 16),))
    monkeypatch.setattr(models.importlib.util, "find_spec", lambda name: None)


def describe(threads: int, runs: int, size: int) -> object:
    from dpanet.benchmark import machine

    machine._COPIED = size
    return machine.describe_machine(threads, runs)


@pytest.mark.usefixtures("small")
def test_one_command_writes_the_table_the_picture_and_the_figures(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("benchmark", "-o", out, "--model", "nano", "--quick", "--threads", "1")
    assert (result.code, result.err) == (0, "")
    assert listing(out) == ["benchmark.json", "benchmark.md", "benchmark.svg"]
    assert result.out == (out / "benchmark.md").read_text()
    results = read_results(out / "benchmark.json")
    assert results.threads == 1 and results.quick
    assert {(one.model, one.engine) for one in results.passes} == {("nano", "onnxruntime")}
    assert all(one.width % 8 == 0 and one.width >= 70 for one in results.passes)
    assert [command.command.split()[1] for command in results.commands] == ["--help", "deblur"]
    assert all((command.peak_memory or 0) > 10**7 for command in (*results.commands, *results.sizes))
    assert results.sizes[0].megapixels == pytest.approx(0.01, rel=0.02)
    assert [line.partition(":")[0] for line in results.left_out][:2] == ["openvino", "torch"]
    assert set(results.packages) >= {"numpy", "onnxruntime"}


@pytest.mark.usefixtures("small")
def test_the_figures_can_be_printed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark.Plan, "sizes", ())
    result = run("benchmark", "-o", tmp_path / "out", "--model", "nano", "--json")
    assert json.loads(result.out)["format"] == "dpanet-benchmark-1"


def test_a_changed_package_is_noted_before_anything_is_measured(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "run_benchmark", lambda plan, say: RESULTS)
    monkeypatch.setattr(benchmark, "find_changed_files", lambda: ("cli/edit.py", "pair.py"))
    result = run("benchmark", "-o", tmp_path / "out")
    assert result.code == 0
    assert "note: 2 files of the package changed since its commit (cli/edit.py first)" in result.err


def test_a_terminal_gets_drawn_tables(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "run_benchmark", lambda plan, say: RESULTS)
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr("dpanet.cli.benchmark.sys", SimpleNamespace(stdout=terminal, stderr=sys.stderr))
    result = run("benchmark", "-o", tmp_path / "out")
    assert (result.code, result.err) == (0, "")
    assert "Best rate of 3 x 3 convolutions" in result.out and "| --" not in result.out
    assert "| --" in (tmp_path / "out/benchmark.md").read_text()


def test_existing_files_are_not_replaced_unasked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "benchmark.svg").write_text("mine")
    result = run("benchmark", "-o", tmp_path)
    assert result.code == 1 and "benchmark.svg exists already" in result.sentence
    assert listing(tmp_path) == ["benchmark.svg"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--model", "absent.onnx"], 1, "absent.onnx"),
        (["--model", "tiny"], 1, "tiny"),
        (["--threads", "0"], 2, "threads is 0"),
        (["--largest", "-1"], 2, "largest is -1"),
    ],
)
def test_misuse_is_told_before_anything_is_measured(
    run: Run, tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    result = run("benchmark", "-o", tmp_path / "out", *arguments)
    assert result.code == code and says in result.sentence
    assert listing(tmp_path) == []


def test_an_interrupt_leaves_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(benchmark, "describe_machine", interrupt)
    result = run("benchmark", "-o", tmp_path / "out", "--model", "nano")
    assert result.code == 130 and listing(tmp_path) == []
