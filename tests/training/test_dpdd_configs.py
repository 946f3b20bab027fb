"""The published schedule, as the shipped configurations state it."""

from pathlib import Path

import pytest

from dpanet.errors import WeightsError
from dpanet.training.config import Stage
from dpanet.training.config_file import differences, load_config
from dpanet.training.schedule import Schedule
from dpanet.training.state import network_to_train

PATCHES, BATCH = 7000, 4
"""350 pictures of 1680 x 1120 px, 20 patches each."""


@pytest.mark.parametrize(("name", "epochs", "loss"), [
    ("dpdd_mse", 300, "mse"),
    ("dpdd_charbonnier", 150, "charbonnier"),
])  # fmt: skip
def test_as_published(name: str, epochs: int, loss: str, tmp_path: Path) -> None:
    settings = load_config(name, [f"data.pairs={tmp_path}"])
    assert settings.network.preset == "paper"
    assert (settings.epochs, settings.batch, settings.loss.kind) == (epochs, BATCH, loss)
    assert settings.loss.epsilon == pytest.approx(1e-3)
    assert settings.stages == (Stage(1.0, 512),)
    data, optimiser = settings.data, settings.optimiser
    assert (data.kind, data.pairs) == ("pairs", str(tmp_path))
    assert (data.mirror, data.flip, data.resize) == (False, True, (512, 638))
    assert (optimiser.kind, optimiser.beta2, optimiser.weight_decay) == ("adam", 0.999, 0)
    assert (optimiser.clip, settings.average) == (0, 0)
    epoch = PATCHES // BATCH
    assert settings.validation.every == epoch
    schedule = Schedule(settings, epochs * epoch, epoch)
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
        network_to_train(load_config("dpdd_charbonnier"))
