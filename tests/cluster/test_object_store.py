"""From an object store to an object store: run, run again, with one more pair."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cluster.conftest import OPTIONS, write_pairs

from dpanet.cli import main

COMMAND = (sys.executable, "-m", "dpanet", "deblur", "store://bucket/in", "-o", "store://bucket/out")


def run(environment: dict[str, str]) -> list[str]:
    """Run the command; return its lines and that it failed for the unreadable pair alone."""
    done = subprocess.run(
        [*COMMAND, *OPTIONS, "--cluster", "ray", "--workers", "1"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    (error,) = [line for line in done.stderr.splitlines() if "no worker is ready yet" not in line]
    assert error.startswith("dpanet: error: store://bucket/in/bad_left.png ") and "/tmp" not in error
    return done.stdout.splitlines()


def manifest(store: Path) -> dict[str, Any]:
    (part,) = (store / "bucket/out/.dpanet").glob("0*.jsonl")
    lines = [json.loads(line) for line in part.read_text().splitlines()]
    finished = [line for line in lines if line["value"] is not None]
    assert len({line["name"] for line in finished}) == len(finished)
    return {line["name"]: line for line in finished}


@pytest.mark.timeout(600)
def test_objects_are_deblurred_once_each(
    store: Path, store_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    views = store / "bucket/in"
    write_pairs(views, range(2))
    for side in ("left", "right"):
        (views / f"bad_{side}.png").write_bytes(b"no picture")
    summary = "deblurred, {} skipped, 1 failed (see store://bucket/out/.dpanet/failed.jsonl)"
    *lines, last = run(store_environment)
    assert last == "store://bucket/out: 2 pairs " + summary.format(0)
    assert sorted(line.split(":")[1] for line in lines) == ["//bucket/out/0.png", "//bucket/out/1.png"]
    assert list(manifest(store)) == ["0", "1"]
    (failure,) = (store / "bucket/out/.dpanet/failed.jsonl").read_text().splitlines()
    assert json.loads(failure)["name"] == "bad"

    write_pairs(views, range(3))  # the first two are written again, with the same bytes and the same ETag
    *lines, last = run(store_environment)
    assert last == "store://bucket/out: 1 pair " + summary.format(2)
    assert [line.split(":")[1] for line in lines] == ["//bucket/out/2.png"]
    assert list(manifest(store)) == ["0", "1", "2"]
    written = Counter(Path(f"{store}.log").read_text().split())
    pictures = {name: number for name, number in written.items() if name.endswith(".png")}
    assert pictures == dict.fromkeys((f"bucket/out/{name}.png" for name in range(3)), 1)

    for side in ("left", "right"):
        (views / f"bad_{side}.png").unlink()
    assert main(["deblur", str(views), "-o", str(tmp_path / "plain"), *OPTIONS]) == 0
    for name in range(3):
        picture = (tmp_path / f"plain/{name}.png").read_bytes()
        assert (store / f"bucket/out/{name}.png").read_bytes() == picture
