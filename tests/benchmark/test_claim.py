"""Which short trainings count as finished."""

from pathlib import Path

import pytest

from benchmarks.claim import read_gain

HEAD = "# a comment\nstep,seconds,learning_rate,patch,loss,psnr,nothing\n"


def test_only_a_run_that_was_validated_at_its_end_counts(tmp_path: Path) -> None:
    assert read_gain(tmp_path) is None
    log = tmp_path / "log.csv"
    log.write_text(HEAD)
    assert read_gain(tmp_path) is None
    log.write_text(HEAD + "50,87,5e-4,160,0.11,,\n")
    (tmp_path / "model.safetensors").touch()  # a stopped run has one too
    assert read_gain(tmp_path) is None
    log.write_text(HEAD + "50,87,5e-4,160,0.11,,\n600,780,5e-5,160,0.10,24.5,23.9\n")
    assert read_gain(tmp_path) == pytest.approx(0.6)
