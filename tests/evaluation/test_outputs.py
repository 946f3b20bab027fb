from pathlib import Path

import cv2
import numpy as np
import pytest

from dpanet.datasets import Dataset, open_dataset
from dpanet.errors import ConfigError, DatasetError
from dpanet.evaluation.outputs import add_outputs


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    (tmp_path / "captures").mkdir()
    for name in ("a", "b"):
        for part in ("left", "right", "sharp", "other"):
            codes = np.full((16, 24, 3), 100, np.uint8)
            assert cv2.imwrite(str(tmp_path / "captures" / f"{name}_{part}.png"), codes)
    return open_dataset(tmp_path / "captures", "pairs")


def test_a_folder_of_pictures_becomes_a_method(dataset: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("a.png", "b.tif"):
        (folder / name).touch()
    scenes = add_outputs(dataset, [folder]).scenes
    assert [scene.finished["mine"] for scene in scenes] == [folder / "a.png", folder / "b.tif"]
    assert all(scene.finished["mine"] in scene.files for scene in scenes)
    assert all("other" in scene.finished for scene in scenes)


def test_all_missing_pictures_are_listed(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as error:
        add_outputs(dataset, [tmp_path / "mine"])
    assert error.value.problems == (str(tmp_path / "mine" / "a.png"), str(tmp_path / "mine" / "b.png"))


@pytest.mark.parametrize("name", ["none", "truth", "other"])
def test_a_name_that_is_taken_is_refused(dataset: Dataset, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    for picture in ("a.png", "b.png"):
        (tmp_path / name / picture).touch()
    with pytest.raises(ConfigError, match="taken"):
        add_outputs(dataset, [tmp_path / name])
