"""The published schedule, as the shipped configurations state it."""

from pathlib import Path

import pytest

from dpanet.errors import WeightsError
from dpanet.training.config import Stage
from dpanet.training.config_file import differences, load_config
from dpanet.training.schedule import Schedule
from dpanet.training.state import create_network

PATCHES, BATCH = 7000, 4
"""350 pictures of 1680 x 1120 px, 20 patches each."""


@pytest.mark.parametrize(("name", "epochs", "loss"), [
    ("dpdd_mse", 300, "mse"),
    ("dpdd_charbonnier", 150, "charbonnier"),
])  # fmt: skip
def test_as_published(name: str, epochs: int, loss: str, tmp_path: Path) -> None:
    config = load_config(name, [f"data.pairs={tmp_path}"])
    assert config.network.preset == "paper"
    assert (config.epochs, config.batch, config.loss.kind) == (epochs, BATCH, loss)
    assert config.loss.epsilon == pytest.approx(1e-3)
    assert config.stages == (Stage(1.0, 512),)
    data, optimizer = config.data, config.optimizer
    assert (data.kind, data.pairs) == ("pairs", str(tmp_path))
    assert (data.mirror, data.flip, data.resize) == (False, True, (512, 638))
    assert (optimizer.kind, optimizer.beta2, optimizer.weight_decay) == ("adam", 0.999, 0)
    assert (optimizer.clip, config.ema_decay) == (0, 0)
    epoch = PATCHES // BATCH
    assert config.validation.every == epoch
    schedule = Schedule(config, epochs * epoch, epoch)
    rates = [schedule.learning_rate(n * epoch) for n in (0, 59, 60, 119, 120)]
    assert rates == pytest.approx([2e-5, 2e-5, 1e-5, 1e-5, 5e-6])
    assert schedule.learning_rate(60 * epoch - 1) == pytest.approx(2e-5)


def test_the_second_part_begins_with_the_first_and_differs_in_its_loss_alone() -> None:
    changed = differences(load_config("dpdd_mse"), load_config("dpdd_charbonnier"))
    assert set(changed) == {"epochs", "loss.kind", "network.start"}
    assert changed["network.start"] == ("", "dpdd_mse")


def test_the_second_part_without_the_first_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsError, match=r"network\.start is dpdd_mse, .*--set network\.start=RUN"):
        create_network(load_config("dpdd_charbonnier"))
