import shutil

import numpy as np
import pytest

from dpanet.datasets import open_dataset, open_training_dataset
from dpanet.errors import ConfigError, DatasetError


def problems(root, **options) -> list[str]:
    with pytest.raises(DatasetError) as caught:
        open_dataset(root, "restormer", **options)
    return sorted(caught.value.problems)


@pytest.mark.parametrize("inside", ["", "test/DPDD"])
def test_scenes_in_natural_order_from_either_root(restormer, inside) -> None:
    dataset = open_dataset(restormer / inside, "restormer")
    assert [scene.name for scene in dataset.scenes] == ["1", "2", "10"]
    assert (dataset.split, dataset.aligned, dataset.bits) == ("test", False, 16)
    for scene in dataset.scenes:
        capture = scene.load()
        for pixels, code in ((capture.pair.left, 1), (capture.pair.right, 2), (capture.truth.pixels, 4)):
            np.testing.assert_allclose(pixels, (10000 * code + int(scene.name)) / 65535, atol=1e-7)
        assert scene.combined == restormer / "test" / "DPDD" / "inputC" / f"{scene.name}.png"


def test_labels_count_from_one_in_natural_order(restormer) -> None:
    np.save(restormer / "test/DPDD/indoor_labels.npy", np.array([3]))
    np.save(restormer / "test/DPDD/outdoor_labels.npy", np.array([1, 2]))
    scenes = open_dataset(restormer, "restormer").scenes
    assert {scene.name: scene.label for scene in scenes} == {"1": "outdoor", "2": "outdoor", "10": "indoor"}


def test_the_combined_picture_is_optional_but_whole(restormer) -> None:
    (restormer / "test/DPDD/inputC/2.png").unlink()
    assert problems(restormer) == ["test/DPDD/inputC/2.png is missing"]
    shutil.rmtree(restormer / "test/DPDD/inputC")
    assert [scene.combined for scene in open_dataset(restormer, "restormer").scenes] == [None] * 3


def test_traps_are_named_all_at_once(restormer, write) -> None:
    base = restormer / "test" / "DPDD"
    (base / "inputR/10.png").unlink()
    write(base / "target/3.png")
    write(base / "inputL/2.png", size=(30, 20))
    write(base / "target/1.png", 3, np.uint8)
    assert problems(restormer) == [
        "test/DPDD/inputC/2.png is 24 x 20 px and test/DPDD/inputL/2.png 30 x 20 px",
        "test/DPDD/inputR/10.png is missing",
        "test/DPDD/inputR/2.png is 24 x 20 px and test/DPDD/inputL/2.png 30 x 20 px",
        "test/DPDD/target/1.png has 8 bits where 16 are expected",
        "test/DPDD/target/2.png is 24 x 20 px and test/DPDD/inputL/2.png 30 x 20 px",
        "test/DPDD/target/3.png is an extra file (nothing else has its name)",
    ]


def test_a_split_that_is_not_there(restormer) -> None:
    assert problems(restormer, split="train") == [
        f"the folder train/DPDD/{part} is missing" for part in ("inputL", "inputR", "target")
    ]
    with pytest.raises(ConfigError, match=r"layout restormer has no split 'val'; it has train, test"):
        open_dataset(restormer, "restormer", split="val")


def test_a_dpdd_folder_is_not_taken_for_another_split(restormer, tmp_path) -> None:
    test = restormer / "test" / "DPDD"
    with pytest.raises(ConfigError, match=r"lies in 'test' and not in 'train'.* holds train/DPDD"):
        open_training_dataset(test, "restormer", "train")
    shutil.copytree(test, tmp_path / "data" / "DPDD")
    with pytest.raises(ConfigError, match="may be of another split"):
        open_training_dataset(tmp_path / "data" / "DPDD", "restormer", "train")
    assert len(open_dataset(tmp_path / "data" / "DPDD", "restormer").scenes) == 3
    shutil.copytree(test, tmp_path / "train" / "DPDD")
    assert open_training_dataset(tmp_path / "train" / "DPDD", "restormer", "train").split == "train"
    with pytest.raises(ConfigError, match="lies in 'train' and not in 'test'"):
        open_dataset(tmp_path / "train" / "DPDD", "restormer")
