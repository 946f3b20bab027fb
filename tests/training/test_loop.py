import csv
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

import dpanet.training.loop as loop
from dpanet.errors import SettingsError
from dpanet.network import PRESETS, preset
from dpanet.network.weights import load_model
from dpanet.simulation.kernels import HalfDisc, half_disc
from dpanet.simulation.render import MARGIN, blur
from dpanet.simulation.scene import SceneSettings, Simulator
from dpanet.training.loop import Run, charbonnier, rate
from dpanet.training.settings import TrainingSettings

TINY = TrainingSettings(
    preset="tiny", steps=12, batch=2, patch=32, small_patch=32, warmup=2, learning_rate=3e-3, seed=3
)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    config = preset(
        "compact", widths=(8, 8, 8, 8), decoder_widths=(), bottom_width=8, cost_width=4, name="tiny"
    )
    monkeypatch.setitem(PRESETS, "tiny", config)


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    ramp = torch.arange(256, dtype=torch.uint8).repeat(3, 256, 1)
    return Simulator([ramp], None, SceneSettings(pages=2, layers=(1.0, 0.0, 0.0), slanted=0.0))


class OneBlur:
    """Fresh blocks of 4 px, always through the same kernels: little to learn, and soon."""

    def batch(
        self, rng: np.random.Generator, count: int, size: int, strength: float
    ) -> tuple[torch.Tensor, ...]:
        cells = (size + 2 * MARGIN) // 4
        blocks = torch.from_numpy(rng.random((count, 1, cells, cells), dtype=np.float32))
        canvas = blocks.repeat_interleave(4, 2).repeat_interleave(4, 3).expand(-1, 3, -1, -1)
        kernels = half_disc([HalfDisc(2.5)] * count)
        left, right = blur(canvas, kernels, torch.arange(count))
        return left, right, canvas[..., MARGIN:-MARGIN, MARGIN:-MARGIN]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_model(folder / "model.safetensors").state_dict()


def test_a_stopped_run_ends_as_one_never_stopped(
    tmp_path: Path, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", -1.0)  # a checkpoint each step

    class KilledError(Exception):
        pass

    class Fragile:
        def __init__(self) -> None:
            self.left = 5

        def batch(self, *given: object) -> object:
            self.left -= 1
            if self.left < 0:
                raise KilledError
            return simulator.batch(*given)  # type: ignore[arg-type]

    Run(TINY, tmp_path / "whole").train(simulator, None)
    with pytest.raises(KilledError):
        Run(TINY, tmp_path / "stopped").train(Fragile(), None)  # type: ignore[arg-type]
    resumed = Run(TINY, tmp_path / "stopped")
    assert resumed.step == 5
    resumed.train(simulator, None)
    whole, stopped = weights(tmp_path / "whole"), weights(tmp_path / "stopped")
    assert all(torch.equal(whole[name], stopped[name]) for name in whole)
    assert not list(tmp_path.rglob("*.part"))


def test_the_loss_falls_and_is_written_down(tmp_path: Path) -> None:
    settings = replace(TINY, steps=120, batch=4)
    scenes = OneBlur()
    validation = scenes.batch(np.random.default_rng(9), 4, 32, 1.0)
    Run(settings, tmp_path).train(scenes, validation, every=30)  # type: ignore[arg-type]
    with (tmp_path / "log.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [int(r["step"]) for r in rows] == [30, 60, 90, 120]
    assert float(rows[-1]["loss"]) < 0.9 * float(rows[0]["loss"])
    assert float(rows[-1]["psnr"]) > float(rows[-1]["psnr_of_doing_nothing"]) + 0.5
    assert json.loads((tmp_path / "settings.json").read_text())[0]["settings"]["steps"] == 120


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path, simulator: Simulator) -> None:
    class Broken:
        def batch(self, *given: object) -> tuple[torch.Tensor, ...]:
            left, right, truth = simulator.batch(*given)  # type: ignore[arg-type]
            return left, right, truth * float("nan")

    run = Run(TINY, tmp_path)
    before = {n: t.clone() for n, t in run.network.state_dict().items()}
    with pytest.raises(SettingsError, match="the loss became nan at step 0"):
        run.train(Broken(), None)  # type: ignore[arg-type]
    assert all(torch.equal(before[n], t) for n, t in run.network.state_dict().items())


def test_a_resumed_run_keeps_its_settings_and_says_what_changed(tmp_path: Path, simulator: Simulator) -> None:
    Run(replace(TINY, steps=2), tmp_path).train(simulator, None, every=1)
    Run(replace(TINY, steps=4), tmp_path).train(simulator, None, every=1)
    held = json.loads((tmp_path / "settings.json").read_text())
    assert [(h["from_step"], h["settings"]["steps"]) for h in held] == [(0, 2), (2, 4)]
    with pytest.raises(SettingsError, match="trained with batch = 2, now it is 3"):
        Run(replace(TINY, steps=4, batch=3), tmp_path)


def test_rows_after_the_checkpoint_are_written_once(tmp_path: Path, simulator: Simulator) -> None:
    Run(replace(TINY, steps=2), tmp_path).train(simulator, None, every=1)
    with (tmp_path / "log.csv").open("a") as stream:
        stream.write("3,9,0,0,0,0\n")  # a step that the checkpoint does not have
    Run(replace(TINY, steps=3), tmp_path).train(simulator, None, every=1)
    with (tmp_path / "log.csv").open() as stream:
        assert [int(r["step"]) for r in csv.DictReader(stream)] == [1, 2, 3]


def test_charbonnier_by_hand() -> None:
    output, truth = torch.tensor([0.0, 0.3]), torch.tensor([0.0, 0.7])
    assert float(charbonnier(output, truth, 0.3)) == pytest.approx((0.3 + 0.5) / 2)


def test_rate_rises_and_falls() -> None:
    settings = TrainingSettings(steps=1000, warmup=100)
    rates = [rate(step, settings) for step in range(1001)]
    assert rates[0] == pytest.approx(0.01, abs=0.001)
    assert max(rates) == pytest.approx(1, abs=0.03)
    assert rates[-1] == pytest.approx(settings.final, abs=1e-6)
    assert all(a >= b for a, b in pairwise(rates[100:]))


@pytest.mark.parametrize("changes", [{"steps": 0}, {"average": 1.0}, {"learning_rate": -1.0}], ids=str)
def test_impossible_settings_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        TrainingSettings(**changes)  # type: ignore[arg-type]
