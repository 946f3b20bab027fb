import importlib.util
import json
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="module")
def command() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "score.py"
    spec = importlib.util.spec_from_file_location("score_command", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path, scene) -> Path:
    """Two sRGB scenes, the method's pictures sharper than the views."""
    for name in ("01", "02"):
        for part, damp in (("left", 3), ("right", 3), ("sharp", 0), ("ours", 1)):
            codes = np.rint(scene(damp=damp) * 255).astype(np.uint8)
            assert cv2.imwrite(str(tmp_path / f"{name}_{part}.png"), codes)
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    for name in ("01", "02"):
        assert cv2.imwrite(str(outputs / f"{name}.png"), np.rint(scene(damp=1) * 65535).astype(np.uint16))
    return tmp_path


def test_doing_nothing_gains_nothing(command, folder, capsys) -> None:
    assert command.main(["canon", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["01", "02", "mean"]
    assert all(line.endswith("+0.00") for line in lines[2:])


def test_a_method_and_its_outputs_score_alike(command, folder, tmp_path, capsys) -> None:
    ours, written = tmp_path / "ours.json", tmp_path / "written.json"
    assert command.main(["canon", str(folder), "--method", "ours", "--json", str(ours)]) == 0
    assert (
        command.main(["canon", str(folder), "--outputs", str(folder / "outputs"), "--json", str(written)])
        == 0
    )
    first, second = (json.loads(path.read_text(encoding="utf-8")) for path in (ours, written))
    assert (first["data"], first["subject"]) == ("canon", "ours")
    assert first["mean"]["gain_aligned"] > 1
    assert first["mean"]["aligned"]["psnr"] == pytest.approx(second["mean"]["aligned"]["psnr"], abs=0.1)
    assert not list(tmp_path.glob("*.part"))


def test_failure_is_one_sentence_and_exit_1(command, folder, capsys) -> None:
    (folder / "outputs" / "02.png").unlink()
    assert command.main(["canon", str(folder), "--outputs", str(folder / "outputs")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "02.png does not exist" in line
    assert command.main(["canon", str(folder), "--json", str(folder / "absent" / "x.json")]) == 1
    assert "make the folder first" in capsys.readouterr().err


def test_misuse_is_exit_2(command, folder) -> None:
    with pytest.raises(SystemExit) as stop:
        command.main(["canon", str(folder), "--method", "ours", "--outputs", "x"])
    assert stop.value.code == 2
