import json
from pathlib import Path
from typing import Any

import pytest
from benchmark.example import RESULTS

from dpanet.benchmark.results import read_results
from dpanet.errors import DpanetError


def write(path: Path, values: dict[str, Any]) -> Path:
    path.write_text(json.dumps(values))
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "benchmark.json").write_text(RESULTS.to_json())
    assert read_results(tmp_path / "benchmark.json") == RESULTS


def test_the_schema_is_this_one() -> None:
    values = json.loads(RESULTS.to_json())
    assert list(values) == [
        *("format", "version", "commit", "date", "packages", "quick", "threads", "machine", "rates"),
        *("passes", "parts", "commands", "sizes", "growth", "left_out", "changed_files"),
    ]
    assert list(values["passes"][0]) == [
        *("model", "engine", "device", "precision", "width", "height", "seconds", "multiply_adds", "share"),
        "joules_per_megapixel",
    ]
    assert list(values["passes"][0]["seconds"]) == ["median", "lower", "upper", "runs"]
    assert values["format"] == "dpanet-benchmark-1"


@pytest.mark.parametrize(
    "change",
    [
        {"format": "another"},
        {"threads": "two"},
        {"surplus": 1},
        {"passes": [{"model": "compact"}]},
        {"rates": None},
    ],
)
def test_files_of_another_schema_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    values = json.loads(RESULTS.to_json())
    with pytest.raises(DpanetError):
        read_results(write(tmp_path / "b.json", {**values, **change}))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DpanetError, match="no result of `dpanet benchmark`"):
        read_results(tmp_path / "absent.json")
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(DpanetError):
        read_results(tmp_path / "list.json")
