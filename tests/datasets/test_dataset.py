import dataclasses
import pickle
from typing import get_args

import pytest

from dpanet.datasets import LAYOUTS, TrainingSplit, open_dataset, open_training_dataset
from dpanet.errors import ConfigError, DatasetError


def test_the_splits_that_training_may_see_have_no_test(dpdd) -> None:
    assert get_args(TrainingSplit) == ("train", "val")
    assert open_training_dataset(dpdd, "dpdd", "val").split == "val"
    for split in ("test", "Test", "test_c"):
        with pytest.raises(ConfigError, match=rf"the split is '{split}'; training may only see train or val"):
            open_training_dataset(dpdd, "dpdd", split)


@pytest.mark.parametrize(
    ("layout", "split"), [("pairs", "train"), ("pixel4", "val"), ("restormer", "val"), ("other", "train")]
)
def test_training_needs_a_layout_that_has_the_split(pairs, layout, split) -> None:
    with pytest.raises(ConfigError, match=rf"layout {layout} has no split {split}; give"):
        open_training_dataset(pairs, layout, split)


@pytest.mark.parametrize(
    ("layout", "options", "says"),
    [
        ("canon", {}, r"the layout is 'canon'; it must be one of dpdd, restormer, pixel4, pairs"),
        ("dpdd", {"split": "all"}, r"layout dpdd has no split 'all'; it has train, val, test"),
        ("pairs", {"split": "train"}, r"layout pairs has no split 'train'; its scenes are not split"),
        ("pairs", {"bits": 12}, r"bits is 12; it must be 8 or 16"),
        ("pairs", {"calibration": "x"}, r"layout pairs has no calibration"),
    ],
)
def test_arguments_that_do_not_go_together(tmp_path, layout, options, says) -> None:
    with pytest.raises(ConfigError, match=says):
        open_dataset(tmp_path, layout, **options)


def test_scenes_hold_no_pictures_and_travel_to_other_processes(dpdd) -> None:
    scene = open_dataset(dpdd, "dpdd").scenes[0]
    sent = pickle.dumps(scene)
    assert len(sent) < 2000
    assert (pickle.loads(sent).load().truth.pixels == scene.load().truth.pixels).all()
    with pytest.raises(dataclasses.FrozenInstanceError):
        scene.name = "other"


def test_the_problems_survive_pickling(tmp_path) -> None:
    with pytest.raises(DatasetError) as caught:
        open_dataset(tmp_path, "pairs")
    assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems != ()


def test_every_layout_is_offered() -> None:
    assert LAYOUTS == ("dpdd", "restormer", "pixel4", "pairs")
