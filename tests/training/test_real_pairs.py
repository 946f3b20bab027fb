"""Training on a folder of pairs with truths, through the whole loop."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from training.conftest import PLAIN, small, trained
from training.test_loop import rows

from dpanet.checkpoints.model_file import load_model
from dpanet.training.state import create_network

SIZE = 32


def write(path: Path, red: np.ndarray | float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    codes = np.rint(np.broadcast_to(red, (SIZE, SIZE)) * 255).astype(np.uint8)
    assert cv2.imwrite(str(path), np.repeat(codes[..., None], 3, axis=2))


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """To train on: views as their truth, so that doing nothing is right. For validation: the truth is 25/255 off."""
    folder = tmp_path / "pairs"
    falls = np.linspace(0.4, 0.8, SIZE)[:, None]
    for number in range(6):
        for name, value in (("left", 0.2), ("right", 0.2), ("sharp", 0.2)):
            write(folder / "train" / f"{number}_{name}.png", value)
        for name, value in (("left", falls), ("right", falls + 50 / 255), ("sharp", falls)):
            write(folder / "val" / f"{number}_{name}.png", value)
    return folder


def test_one_folder_is_learned_from_and_the_other_judged_on_as_it_is(pairs: Path, tmp_path: Path) -> None:
    config = small(
        steps=2, network=PLAIN, kind="pairs", data={"pairs": str(pairs)},
        optimizer={"learning_rate": 1e-9}, loss={"kind": "mse"},
        validation={"every": 2, "scenes": 6, "patch": SIZE, "samples": 6},
    )  # fmt: skip
    path = trained(tmp_path / "run", config)
    first, second = rows(path)
    assert float(first["loss"]) < 1e-6, "folder train"
    assert float(second["nothing"]) == pytest.approx(20 * np.log10(255 / 25), abs=0.1), "folder val"
    strips = cv2.imread(str(path / "samples" / "step-0000002.png"))
    assert strips is not None and strips.shape == (6 * SIZE, 3 * SIZE, 3)
    for strip in np.split(strips[..., 0].astype(int), 6):
        left, truth = strip[:, :SIZE], strip[:, 2 * SIZE :]
        assert abs(left - truth).max() <= 1, "no views have changed places"
        assert (np.diff(left[:, 0]) > 0).all(), "nothing was turned over"


def test_a_shipped_model_is_trained_on_with_pairs_of_ones_own(pairs: Path, tmp_path: Path) -> None:
    """The recipe `finetune`, for a step: it begins with the shipped weights and moves them."""
    config = small(steps=1, network={"start": "compact"}, kind="pairs", data={"pairs": str(pairs)})
    began, moved = create_network(config).state_dict(), load_model("compact").state_dict()
    assert all(torch.equal(began[name], moved[name]) for name in moved)
    path = trained(tmp_path / "run", config)
    held = torch.load(path / "checkpoint.pt", weights_only=True)["network"]
    apart = [name for name, tensor in began.items() if not torch.equal(tensor, held[name])]
    assert apart and not any(name.startswith("defocus.") for name in apart), "the defocus head is held still"
    assert load_model(path / "model.safetensors").config == load_model("compact").config
