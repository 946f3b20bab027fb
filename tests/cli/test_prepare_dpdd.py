from pathlib import Path

import cv2
import numpy as np
import pytest
from cli.conftest import Run, listing

from dpanet.datasets import open_dataset

HEIGHT, WIDTH = 520, 530


@pytest.fixture
def dpdd(tmp_path: Path) -> Path:
    """A picture to train on and one to validate on; the truth's number is another."""
    rng = np.random.default_rng(3)
    for split, name, truth in (("train", 917, 916), ("val", 984, 985)):
        for path in (f"c/source/1P0A{name:04}", f"l/source/1P0A{name:04}_L", f"r/source/1P0A{name:04}_R",
                     f"c/target/1P0A{truth:04}"):  # fmt: skip
            file = tmp_path / "DPDD" / f"{split}_{path}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            row = rng.integers(0, 65536, (1, WIDTH, 3), dtype=np.uint16)
            assert cv2.imwrite(str(file), np.repeat(row, HEIGHT, axis=0))
    return tmp_path / "DPDD"


def test_patches_to_train_on(run: Run, dpdd: Path, tmp_path: Path) -> None:
    command = ("prepare-dpdd", dpdd, "-o", tmp_path / "PATCHES")
    first = run(*command)
    assert first.code == 0 and not first.err, first.err
    train, val = tmp_path / "PATCHES" / "train", tmp_path / "PATCHES" / "val"
    assert first.out == f"2 pictures cut; 3 patches in {train}, 4 patches in {val}\n"
    for folder, count in ((train, 3), (val, 4)):
        scenes = open_dataset(folder, "pairs", bits=16).scenes
        assert len(scenes) == count
        assert all(scene.load().truth.pixels.shape == (512, 512, 3) for scene in scenes)
    before = listing(tmp_path / "PATCHES")
    again = run(*command, "--threads", 1)
    assert again.code == 0 and again.out.startswith("0 pictures cut; 3 patches in ")
    assert listing(tmp_path / "PATCHES") == before


def test_all_problems_are_told_before_anything_is_written(run: Run, dpdd: Path, tmp_path: Path) -> None:
    (dpdd / "train_l/source/1P0A0917_L.png").unlink()
    (dpdd / "val_c/target/1P0A0985.png").write_bytes(b"no picture")
    result = run("prepare-dpdd", dpdd, "-o", tmp_path / "PATCHES")
    assert result.code == 1
    assert "train_l/source/1P0A0917_L.png is missing" in result.sentence
    assert "val_c/target/1P0A0985.png is a text, which is not read" in result.sentence
    assert not (tmp_path / "PATCHES").exists()


def test_a_folder_with_other_files_is_refused(run: Run, dpdd: Path) -> None:
    result = run("prepare-dpdd", dpdd, "-o", dpdd)
    assert result.code == 1 and "holds other files" in result.sentence


@pytest.mark.parametrize("threads", [0, -1, "many"])
def test_impossible_threads_are_misuse(run: Run, dpdd: Path, tmp_path: Path, threads: object) -> None:
    result = run("prepare-dpdd", dpdd, "-o", tmp_path / "PATCHES", "--threads", threads)
    assert result.code == 2 and "--threads" in result.sentence
    assert not (tmp_path / "PATCHES").exists()
