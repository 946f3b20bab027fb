from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import dpanet.simulation.photo_cache
from dpanet.datasets.photographs import find_photographs, read_photograph
from dpanet.errors import DatasetError
from dpanet.simulation.photo_cache import PageCache, PhotoCache


def write(path: Path, codes: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), codes)
    return path


def test_photographs_of_any_depth_become_eight_bit_colour(tmp_path: Path) -> None:
    color = np.zeros((8, 9, 3), np.uint8)
    color[..., 2] = 200  # red, in OpenCV's order
    write(tmp_path / "2.png", color)
    write(tmp_path / "10.png", np.full((8, 9), 32896, np.uint16))
    (tmp_path / "notes.txt").write_text("no photograph")
    files = find_photographs(tmp_path)
    assert [file.name for file in files] == ["2.png", "10.png"]
    photo_cache = PhotoCache(files)
    assert len(photo_cache) == 2
    assert photo_cache[0].shape == (3, 8, 9) and photo_cache[0][:, 0, 0].tolist() == [200, 0, 0]
    assert photo_cache[1][:, 0, 0].tolist() == [128, 128, 128]
    assert photo_cache.used == {0, 1} and all(len(total) == 64 for total in photo_cache.sha256.values())


def test_those_used_last_stay_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dpanet.simulation.photo_cache, "CACHE_BYTES", 700)
    for name in range(5):
        write(tmp_path / f"{name}.png", np.full((8, 8, 3), name, np.uint8))  # 192 bytes each: three fit
    read = []
    monkeypatch.setattr(
        dpanet.simulation.photo_cache,
        "read_photograph",
        lambda path: read.append(int(path.stem)) or read_photograph(path),
    )
    photo_cache = PhotoCache(find_photographs(tmp_path))
    for index in (0, 1, 2, 0, 3, 0, 1, 4):
        assert int(photo_cache[index][0, 0, 0]) == index
    assert read == [0, 1, 2, 3, 1, 4]


def test_a_photograph_larger_than_the_cache_is_read_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dpanet.simulation.photo_cache, "CACHE_BYTES", 100)
    write(tmp_path / "0.png", np.full((8, 8, 3), 7, np.uint8))
    photo_cache = PhotoCache(find_photographs(tmp_path))
    assert int(photo_cache[0][0, 0, 0]) == int(photo_cache[0][0, 0, 0]) == 7


def test_a_page_depends_on_its_number_alone() -> None:
    one, other = PageCache(9), PageCache(3)
    assert torch.equal(one[2], other[2])
    assert not torch.equal(one[1], one[2])
    with pytest.raises(IndexError):
        other[3]


def test_what_is_no_folder_of_photographs_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no photographs"):
        find_photographs(tmp_path)
    with pytest.raises(DatasetError, match="gone"):
        find_photographs(tmp_path / "gone")
    (tmp_path / "cut.png").write_bytes(
        write(tmp_path / "a.png", np.zeros((8, 8), np.uint8)).read_bytes()[:-20]
    )
    with pytest.raises(DatasetError, match=r"1 of the 2 photographs .*cut\.png"):
        find_photographs(tmp_path)
