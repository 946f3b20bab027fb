"""`dpanet deblur --json`: one object a line for each picture, and nothing else on standard output."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from cli.conftest import Result, Run, Weighted, listing

SCHEMA = {
    "status": str,
    "inputs": list,
    "output": str | None,
    "defocus_map": str | None,
    "compare": str | None,
    "width": int | None,
    "height": int | None,
    "seconds": float | None,
    "model": str,
    "engine": str | None,
    "precision": str | None,
    "device": str | None,
    "lens": str | None,
    "notes": list,
    "error": str | None,
}


def objects(result: Result) -> list[dict]:
    """The lines of standard output, each checked against the schema."""
    records = [json.loads(line) for line in result.out.splitlines()]
    assert result.out.isascii() and result.out.count("\n") == len(records)
    for record in records:
        assert list(record) == list(SCHEMA)
        for key, kind in SCHEMA.items():
            assert isinstance(record[key], kind), (key, record[key])
        assert record["status"] in ("deblurred", "skipped", "failed", "left out")
        assert (record["error"] is None) == (record["status"] in ("deblurred", "skipped"))
        assert all(isinstance(text, str) for text in record["inputs"] + record["notes"])
    return records


@pytest.mark.usefixtures("small_model")
def test_one_picture(run: Run, views: tuple[Path, Path], tmp_path: Path) -> None:
    out, maps = tmp_path / "out.png", tmp_path / "map.png"
    result = run("deblur", *views, "-o", out, "--defocus-map", maps, "--model", "mine", "--json")
    assert (result.code, result.err) == (0, "")
    (record,) = objects(result)
    seconds = record.pop("seconds")
    assert 0 < seconds < 30
    assert record == {
        "status": "deblurred",
        "inputs": [str(view) for view in views],
        "output": str(out),
        "defocus_map": str(maps),
        "compare": None,
        "width": 56,
        "height": 40,
        "model": "mine",
        "engine": "torch",
        "precision": record["precision"],
        "device": "cpu",
        "lens": None,
        "notes": [],
        "error": None,
    }
    assert record["precision"] in ("float32", "bfloat16")


@pytest.mark.usefixtures("small_model")
def test_one_picture_that_fails(run: Run, views: tuple[Path, Path], tmp_path: Path) -> None:
    views[1].write_bytes(views[1].read_bytes()[:100])
    result = run("deblur", *views, "-o", tmp_path / "out.png", "--json")
    assert result.code == 1
    (record,) = objects(result)
    assert (record["status"], record["output"], record["error"]) == ("failed", None, result.sentence)
    assert record["inputs"] == [str(view) for view in views]


def test_a_model_that_is_not_there(run: Run, views: tuple[Path, Path], tmp_path: Path) -> None:
    result = run("deblur", *views, "-o", tmp_path / "out.png", "--json", "--model", "no.onnx")
    (record,) = objects(result)
    assert result.code in (1, 2) and record["error"] == result.sentence and "no.onnx" in result.sentence
    assert record["engine"] is None


def test_a_folder(run: Run, folder: Path, tmp_path: Path, small_model: Weighted) -> None:
    (folder / "2_right.png").write_bytes(b"no picture")
    (folder / "7_left.png").write_bytes((folder / "1_left.png").read_bytes())
    command = ("deblur", folder, "-o", tmp_path / "out", "--json")
    result = run(*command)
    assert result.code == 1
    left_out, *records = objects(result)
    assert left_out["status"] == "left out" and "7" in left_out["error"] and left_out["inputs"] == []
    assert [record["status"] for record in records] == ["deblurred", "failed", "deblurred"]
    assert [Path(record["inputs"][0]).name for record in records] == [f"{n}_left.png" for n in (1, 2, 10)]
    assert [record["output"] for record in records] == [
        str(tmp_path / "out" / "1.png"),
        None,
        str(tmp_path / "out" / "10.png"),
    ]
    lines = [f"dpanet: left out: {left_out['error']}", f"dpanet: error: {records[1]['error']}"]
    assert lines == result.err.splitlines()
    again = objects(run(*command))
    assert [record["status"] for record in again] == ["left out", "skipped", "skipped", "failed"]
    assert small_model.runs == 2
    assert sum(name.endswith(".png") for name in listing(tmp_path / "out")) == 2


@pytest.mark.usefixtures("small_model")
def test_notes_belong_to_their_pictures_though_each_is_shown_once(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    for name in (1, 10):  # an opaque picture has no note, a transparent one has
        for side in ("left", "right"):
            view = np.full((40, 56, 4), 200, np.uint8)
            cv2.imwrite(str(folder / f"{name}_{side}.png"), view)
    result = run("deblur", folder, "-o", tmp_path / "out", "--json")
    records = objects(result)
    assert [bool(record["notes"]) for record in records] == [True, False, True], result.err
    shown = [line.removeprefix("dpanet: note: ") for line in result.err.splitlines()]
    assert records[0]["notes"] == shown[:1] and "transparen" in shown[0]


@pytest.mark.usefixtures("small_model")
def test_a_misused_command_prints_no_object(run: Run, views: tuple[Path, Path], tmp_path: Path) -> None:
    result = run("deblur", *views, "-o", tmp_path / "out.bmp", "--json")
    assert (result.code, result.out) == (2, "")
