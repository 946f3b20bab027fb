from pathlib import Path

import pytest
from cli.conftest import Run, listing

import dpanet.checkpoints.official


def test_convert_hands_over_to_the_network(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def convert(source: Path, target: Path, overwrite: bool) -> None:
        target.write_text(f"{source.name} {overwrite}")

    monkeypatch.setattr(dpanet.checkpoints.official, "convert_official", convert)
    result = run("convert", tmp_path / "a.pth", tmp_path / "b.safetensors")
    assert (result.code, result.out, result.err) == (0, "", "")
    assert (tmp_path / "b.safetensors").read_text() == "a.pth False"
    assert run("convert", tmp_path / "a.pth", tmp_path / "b.safetensors", "--overwrite").code == 0


def test_another_suffix_is_misuse(run: Run, tmp_path: Path) -> None:
    result = run("convert", tmp_path / "a.pth", tmp_path / "b.bin")
    assert result.code == 2 and "b.bin does not end in .safetensors" in result.sentence
    assert listing(tmp_path) == []
