import csv
import math
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from training.conftest import PLAIN, OneBlur, Use, equal, small, trained, weights

from dpanet.checkpoints.model_file import load_model, save_model
from dpanet.errors import ConfigError, TrainingError, UnreadableImageError
from dpanet.simulation.scene import Scenes
from dpanet.training.config import TrainingConfig
from dpanet.training.loop import train
from dpanet.training.optimizer import Optimizer
from dpanet.training.run_folder import RunFolder
from dpanet.training.state import create_network


class Failing(OneBlur):
    """Does something at one step."""

    def __init__(self, step: int, what: Any) -> None:
        self.step, self.what = step, what

    def scenes(self, seeds: Sequence[Sequence[int]], size: int, strength: float = 1.0) -> Scenes:
        made = super().scenes(seeds, size, strength)
        return made if seeds[0][1] != self.step else self.what(made)


def resumed(path: Path, *changes: str) -> list[str]:
    """Go on with a run to its end; what it said."""
    lines: list[str] = []
    assert train(RunFolder.open(path, changes), lines.append) == "finished"
    return lines


def rows(path: Path) -> list[dict[str, str]]:
    with (path / "log.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_loss_falls_and_everything_is_written_down(tmp_path: Path, use: Use) -> None:
    use(OneBlur())
    config = small(steps=80, batch=4, log_every=20, network=PLAIN, validation={"every": 40})
    path = trained(tmp_path / "run", config)
    log = rows(path)
    assert [int(row["step"]) for row in log] == [20, 40, 60, 80]
    assert float(log[-1]["loss"]) < 0.9 * float(log[0]["loss"])
    assert float(log[-1]["psnr"]) > float(log[-1]["nothing"]) + 0.5
    assert [bool(row["psnr"]) for row in log] == [False, True, False, True]
    names = {file.name for file in path.iterdir()}
    assert names == {"config.toml", "checkpoint.pt", "model.safetensors", "best.safetensors", "log.csv", "curves.png",
                     "samples", "tensorboard", ".lock"}  # fmt: skip
    assert {file.name for file in (path / "samples").iterdir()} == {"step-0000040.png", "step-0000080.png"}
    assert (path / "curves.png").stat().st_size > 5000
    assert list((path / "tensorboard").iterdir())


def fail(made: Scenes) -> Scenes:
    raise UnreadableImageError("photograph.png is damaged; replace it")


def exhaust(made: Scenes) -> Scenes:
    raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")


def interrupt(made: Scenes) -> Scenes:
    signal.raise_signal(signal.SIGINT)
    return made


def test_a_stopped_run_ends_as_one_never_stopped(tmp_path: Path, use: Use) -> None:
    """Stopped by a damaged file at step 5, whose picture is replaced, and by Ctrl-C at step 8."""
    use(OneBlur())
    config = small(log_every=2)
    whole = trained(tmp_path / "whole", config)
    path = tmp_path / "stopped"
    use(Failing(5, fail))
    with pytest.raises(UnreadableImageError):
        train(RunFolder.create(path, config), lambda line: None)
    assert torch.load(path / "checkpoint.pt", weights_only=True)["step"] == 5
    use(Failing(8, interrupt))
    assert train(RunFolder.open(path), lambda line: None) == "interrupted"
    assert torch.load(path / "checkpoint.pt", weights_only=True)["step"] == 9, "the step was ended"
    use(OneBlur())
    resumed(path)
    assert equal(weights(whole), weights(path))
    assert equal(weights(whole / "best.safetensors"), weights(path / "best.safetensors"))
    for one, other in zip(rows(whole), rows(path), strict=True):
        assert {**one, "seconds": ""} == {**other, "seconds": ""}
    assert "step 12 of 12" in resumed(path)[0], "it has ended, and says so"
    assert {file.name for file in tmp_path.rglob(".*")} == {".lock"}


def test_memory_that_runs_out_is_told_and_the_batch_can_be_taken_in_parts(tmp_path: Path, use: Use) -> None:
    use(Failing(5, exhaust))
    with pytest.raises(TrainingError, match=r"memory ran out at step 5.*--set accumulate=N"):
        train(RunFolder.create(tmp_path / "run", small()), lambda line: None)
    use(OneBlur())
    assert "step 5 of 12" in resumed(tmp_path / "run", "accumulate=2")[0]


def test_what_fails_in_a_validation_loses_nothing(tmp_path: Path, use: Use) -> None:
    """A held-out picture that turns out damaged at step 6; checkpoints are minutes apart."""
    use(OneBlur(), judged=Failing(0, fail))
    path = tmp_path / "run"
    with pytest.raises(UnreadableImageError):
        train(RunFolder.create(path, small()), lambda line: None)
    assert torch.load(path / "checkpoint.pt", weights_only=True)["step"] == 6
    use(OneBlur())
    whole = trained(tmp_path / "whole", small())
    resumed(path)
    assert equal(weights(whole), weights(path))


def test_gradients_are_clipped(tmp_path: Path, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the optimizer is given has the length that the config allow."""
    use(OneBlur())
    given: list[float] = []
    step = Optimizer.step

    def noted(self: Optimizer, learning_rate: float) -> None:
        tensors = [tensor for part in self.parts for group in part.param_groups for tensor in group["params"]]
        grads = [tensor.grad for tensor in tensors if tensor.grad is not None]
        given.append(float(torch.nn.utils.get_total_norm(grads)))
        step(self, learning_rate)

    monkeypatch.setattr(Optimizer, "step", noted)
    for clip in (1e-4, 0.0):
        trained(
            tmp_path / str(clip), small(steps=1, network=PLAIN, optimizer={"kind": "adamw", "clip": clip})
        )
    assert given[0] == pytest.approx(1e-4, rel=1e-3) and given[1] > 1e-3


@pytest.mark.parametrize("wanted", [True, False])
def test_pictures_are_laid_out_as_the_settings_say(tmp_path: Path, use: Use, wanted: bool) -> None:
    use(OneBlur())
    seen: set[bool] = set()

    def note(module: torch.nn.Module, given: Any, made: Any) -> None:
        if isinstance(module, torch.nn.Conv2d) and made.requires_grad:  # not of validation
            seen.add(given[0].is_contiguous(memory_format=torch.channels_last))

    hook = torch.nn.modules.module.register_module_forward_hook(note)
    try:
        trained(tmp_path / "run", small(steps=1, channels_last=wanted))
    finally:
        hook.remove()
    assert seen == {wanted}


@pytest.mark.parametrize("step", [0, 4])
def test_a_loss_that_is_no_number_stops_the_run_at_the_last_checkpoint(
    tmp_path: Path, use: Use, step: int
) -> None:
    use(Failing(step, lambda made: made._replace(truth=made.truth * math.nan)))
    run = RunFolder.create(tmp_path / "run", small(checkpoint_minutes=0.0))
    says = "the last good state" if step else "before the first checkpoint"
    with pytest.raises(TrainingError, match=rf"the loss became nan at step {step}.* {says}"):
        train(run, lambda line: None)
    if step:
        assert all(bool(tensor.isfinite().all()) for tensor in weights(run.path).values())
        assert torch.load(run.checkpoint, weights_only=True)["step"] == step
        use(OneBlur())
        resumed(run.path, "optimizer.learning_rate=1e-3")
        assert (
            "# from step 4: optimizer.learning_rate = 0.001 instead of 0.003" in run.config_file.read_text()
        )


def test_parts_of_a_batch_give_the_gradients_of_the_whole(
    tmp_path: Path, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their length is compared apart, since the optimizer hardly minds it."""
    use(OneBlur())
    clip, norms = torch.nn.utils.clip_grad_norm_, []

    def noted(*given: Any) -> torch.Tensor:
        norms.append(float(clip(*given)))
        return torch.tensor(norms[-1])

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", noted)
    config = [
        small(steps=3, batch=4, accumulate=parts, network=PLAIN, optimizer={"kind": "adamw"})
        for parts in (1, 2)
    ]
    one, other = (weights(trained(tmp_path / str(s.accumulate), s)) for s in config)
    assert norms[:3] == pytest.approx(norms[3:], rel=1e-3)
    start = weights_at_start(config[0])
    moved = max(float((one[name] - start[name]).abs().max()) for name in one)
    apart = max(float((one[name] - other[name]).abs().max()) for name in one)
    assert apart < 0.01 * moved


class Fine(OneBlur):
    """A picture without blur whose values bfloat16 does not have."""

    def scenes(self, seeds: Sequence[Sequence[int]], size: int, strength: float = 1.0) -> Scenes:
        view = torch.full((len(seeds), 3, size, size), 0.9 + 1 / 1024)
        return Scenes(view, view, view, None)


def test_bfloat16_is_computed_in_and_the_views_stay_exact(tmp_path: Path, use: Use) -> None:
    """The network begins by doing nothing, so that what is left of the loss is rounding."""
    use(Fine())
    config = small(steps=1, precision="bfloat16", network=PLAIN, loss={"kind": "mse"})
    seen: set[torch.dtype] = set()

    def note(module: torch.nn.Module, given: Any, made: Any) -> None:
        if isinstance(module, torch.nn.Conv2d) and made.requires_grad:  # not of validation
            seen.add(made.dtype)

    hook = torch.nn.modules.module.register_module_forward_hook(note)
    try:
        path = trained(tmp_path / "run", config)
    finally:
        hook.remove()
    assert seen == {torch.bfloat16}
    assert float(rows(path)[0]["loss"]) < 1e-10


def test_a_run_that_goes_on_remembers_how_good_the_best_model_was(tmp_path: Path, use: Use) -> None:
    use(OneBlur())
    path = trained(tmp_path / "run", small(steps=6))
    best = (path / "best.safetensors").read_bytes()
    held = torch.load(path / "checkpoint.pt", weights_only=True)
    assert held["best"] == pytest.approx(float(rows(path)[-1]["psnr"]))
    torch.save({**held, "best": 1000.0}, path / "checkpoint.pt")
    resumed(path, "steps=12")
    assert (path / "best.safetensors").read_bytes() == best


def weights_at_start(config: TrainingConfig) -> dict[str, torch.Tensor]:
    return create_network(config).state_dict()


def test_a_run_begins_with_another_ones_best_model(tmp_path: Path, use: Use) -> None:
    use(OneBlur())
    first = trained(tmp_path / "first", small(network=PLAIN))
    marked = load_model(first / "best.safetensors")
    marked.get_parameter("head.last.bias").data += 0.125
    save_model(marked, first / "best.safetensors")
    second = small(steps=1, network={"start": str(first)},
                   optimizer={"learning_rate": 1e-9})  # fmt: skip
    after = weights(trained(tmp_path / "second", second))
    for name, tensor in marked.state_dict().items():
        assert torch.allclose(after[name], tensor, atol=1e-6), name


def test_the_average_follows_the_weights(tmp_path: Path, use: Use) -> None:
    """By the recursion, from the states that a checkpoint a step holds."""
    use(OneBlur())
    config = small(steps=1, ema_decay=0.5, checkpoint_minutes=0.0)
    path = trained(tmp_path / "run", config)
    expected = weights_at_start(config)
    for step in range(1, 13):
        if step > 1:
            resumed(path, f"steps={step}", "optimizer.learning_rate=0.003")
        held = torch.load(path / "checkpoint.pt", weights_only=True)
        keep = min(0.5, (1 + step) / (10 + step))
        expected = {
            name: keep * tensor + (1 - keep) * held["network"][name] for name, tensor in expected.items()
        }
        assert all(torch.allclose(held["averaged"][name], expected[name], atol=1e-6) for name in expected), (
            step
        )
        if step == 3:
            break


def test_a_run_cannot_be_made_shorter_than_it_is(tmp_path: Path, use: Use) -> None:
    use(OneBlur())
    path = trained(tmp_path / "run", small(steps=4))
    before = (path / "config.toml").read_text()
    with pytest.raises(ConfigError, match=r"steps is 2, but .* has finished 4"):
        resumed(path, "steps=2")
    assert (path / "config.toml").read_text() == before
