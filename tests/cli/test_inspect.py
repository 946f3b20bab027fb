import json
from pathlib import Path

import numpy as np
import png
import pytest
from cli.conftest import Run
from inspection.planted_pair import planted_pair

GOOD = planted_pair(6.0)


def write(path: Path, view: np.ndarray, bits: int = 16) -> Path:
    codes = np.rint(np.clip(view[..., 0], 0, 1) * (2**bits - 1)).astype(np.uint16)
    png.from_array(codes, f"L;{bits}").save(path)
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return write(tmp_path / "left.png", GOOD.left), write(tmp_path / "right.png", GOOD.right)


def test_a_good_pair_is_described_on_one_screen(
    run: Run, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files[0].parent)
    result = run("inspect", "left.png", "right.png", "--encoding", "linear")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 100
    assert "480 x 320 px, 16 bits, gray" in lines[0] and "by --encoding" in result.out
    assert "verdict     usable" in result.out


def test_json_says_the_same_with_stable_keys(run: Run, files: tuple[Path, Path]) -> None:
    result = run("inspect", files[1], files[0], "--encoding", "linear", "--json")
    found = json.loads(result.out)
    assert set(found) == {"verdict", "findings", "files", "values", "measures"}
    assert found["verdict"] == "doubtful" and found["findings"][0]["key"] == "swapped"
    measures = found["measures"]
    assert measures["order"] == "swapped" and measures["order_by"] == "habit"
    assert measures["noise_codes"][0] == pytest.approx(0.002 * 65535, rel=0.2)
    assert abs(measures["vertical_shift_px"]) < 0.2 and measures["disparity_px"]["5"] < -2
    assert "NaN" not in result.out


def test_files_that_are_no_pair_are_refused_with_the_reason(run: Run, files: tuple[Path, Path]) -> None:
    cut = write(files[0].parent / "cut.png", GOOD.right[:, :400])
    assert run("inspect", files[0]).code == 1
    result = run("inspect", files[0], cut)
    assert result.code == 1 and "verdict     unusable" in result.out and "400 x 320" in result.out
    assert json.loads(run("inspect", files[0], cut, "--json").out)["measures"] is None
    assert "does not exist" in run("inspect", files[0], "absent.png").sentence


def test_the_picture_is_written_once_and_never_over_a_view(run: Run, files: tuple[Path, Path]) -> None:
    picture = files[0].parent / "maps.png"
    assert run("inspect", *files, "--picture", picture).code == 0
    width, height, *_ = png.Reader(bytes=picture.read_bytes()).read()
    assert width > 3 * height / 2 > 300
    assert "exists already" in run("inspect", *files, "--picture", picture).sentence
    assert run("inspect", *files, "--picture", picture, "--overwrite").code == 0
    before = files[0].read_bytes()
    assert run("inspect", *files, "--picture", files[0], "--overwrite").code == 2
    assert files[0].read_bytes() == before
