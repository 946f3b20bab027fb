from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from training.conftest import OneBlur, small

from dpanet.datasets.photographs import scikit_image_photographs, split_photographs
from dpanet.errors import ConfigError, DatasetError, ImageWarning
from dpanet.simulation.scene import Scenes
from dpanet.simulation.scene_config import SceneConfig
from dpanet.training.data import ValidationSet
from dpanet.training.simulated_data import SimulatedData


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    for number in range(21):
        codes = np.full((40, 50, 3), number, np.uint8)
        assert cv2.imwrite(str(tmp_path / f"{number:02d}.png"), codes)
    return tmp_path


def test_every_twentieth_photograph_is_held_out(photographs: Path) -> None:
    training, held_out = split_photographs(photographs)
    assert [path.stem for path in held_out] == ["00", "20"]
    assert [path.stem for path in training] == [f"{number:02d}" for number in range(1, 20)]
    (photographs / "20.png").unlink()
    (photographs / "19.png").unlink()
    assert split_photographs(photographs)[1] == [], "of a few, none can be spared"


def test_a_list_says_which_are_held_out(photographs: Path) -> None:
    sources = photographs / "SOURCES.csv"
    sources.write_text("file,licence,split\n03.png,CC0,train\n01.png,CC0,validation\n02.png,CC0,train\n")
    with pytest.warns(ImageWarning, match="does not name 18 photographs of its folder"):
        training, held_out = split_photographs(photographs)
    assert [path.stem for path in training] == ["03", "02"] and [path.stem for path in held_out] == ["01"]
    for text, says in (
        ("file,split\n77.png,train\n", "77.png is missing, but .*SOURCES.csv names it"),
        ("name,split\n", "has no line whose split is train"),
        ("name,split\n01.png,train\n", "has no columns file and split"),
    ):
        sources.write_text(text)
        with pytest.raises(DatasetError, match=says):
            split_photographs(photographs)


def test_one_is_trained_on_and_another_judged(photographs: Path) -> None:
    config = small(data={"photographs": str(photographs)})
    data = config.data.open(config)
    assert (
        data.validation is not None
        and data.pictures is None
        and data.description == "19 photographs, 2 held out"
    )
    for source, codes in ((data.training, range(1, 20)), (data.validation.source, (0, 20))):
        photographs = source.photographs  # type: ignore[attr-defined]
        assert sorted(int(picture.max()) for picture in photographs) == list(codes)


def test_no_printed_page_is_both_learned_from_and_judged_on() -> None:
    data = SimulatedData(photographs="scikit-image", scenes=SceneConfig(measured=0.0, pages=8))
    learned, judged = data.simulator(), data.simulator(held_out=True)
    assert learned is not None and judged is not None and len(judged.pages) == 1
    for page in judged.pages:
        assert not any(torch.equal(page, other) for other in learned.pages)


def test_the_photographs_that_need_no_folder() -> None:
    training, held_out = scikit_image_photographs(), scikit_image_photographs(held_out=True)
    assert len(training) == 3 and len(held_out) == 1
    for picture in (*training, *held_out):
        assert picture.dtype == torch.uint8 and picture.shape[0] == 3 and min(picture.shape[1:]) >= 300


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"photographs": ""}, "data.photographs is missing; .* or scikit-image"),
        ({"photographs": "/nowhere"}, "data.photographs is /nowhere, which is no folder"),
        ({"scenes": {"measured": 0.5}}, "data.kernels is missing; .* or data.scenes.measured=0"),
        ({"scenes": {"measured": 0.5}, "kernels": "/nowhere"}, "data.kernels is /nowhere"),
    ],
)
def test_what_is_missing_is_named(data: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        config = small(data=data)
        config.data.open(config)


class Noting(OneBlur):
    def __init__(self) -> None:
        self.asked: list[list[list[int]]] = []

    def scenes(self, seeds: Sequence[Sequence[int]], size: int, strength: float = 1.0) -> Scenes:
        self.asked.append([list(seed) for seed in seeds])
        return super().scenes(seeds, size, strength)


def test_validation_scenes_are_shared_out_and_made_once() -> None:
    source = Noting()
    validation_set = ValidationSet(source, 5, 32)
    for _ in range(2):
        counts = [[len(s.truth) for s in validation_set.scenes(rank, 2, 2)] for rank in range(2)]
        assert counts == [[2, 1], [2]]
    assert source.asked == [[[7, 0, 0], [7, 0, 2]], [[7, 0, 4]], [[7, 0, 1], [7, 0, 3]]]


def test_simulated_scenes_follow_the_settings() -> None:
    config = small()
    assert isinstance(config.data, SimulatedData)
    made = config.data.simulator()
    assert made is not None and made.config.measured == 0
    scenes = made.scenes([[config.seed, 0, 0]], 32)
    assert scenes.left.shape == (1, 3, 32, 32) and scenes.left.dtype == torch.float32


def test_a_run_says_that_nothing_is_held_out(photographs: Path) -> None:
    for path in sorted(photographs.glob("*.png"))[:20]:
        path.unlink()
    config = small(data={"photographs": str(photographs)})
    data = config.data.open(config)
    assert data.validation is None
    assert data.description == "1 photograph, none held out, so no PSNR and no best model"
