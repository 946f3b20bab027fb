import re
from pathlib import Path
from typing import Any

import pytest
from training.conftest import SMALL, merged

from dpanet.checkpoints.shipped_models import SHIPPED
from dpanet.errors import ConfigError
from dpanet.files.config_table import read_table
from dpanet.training.config import TrainingConfig
from dpanet.training.config_file import change_config, differences, load_config, shipped_configs, to_toml
from dpanet.training.pairs_data import PairsData
from dpanet.training.simulated_data import SimulatedData
from dpanet.training.state import create_network


@pytest.mark.parametrize("name", shipped_configs())
def test_every_shipped_configuration_is_read_and_written_again(name: str, tmp_path: Path) -> None:
    config = load_config(name)
    (tmp_path / "again.toml").write_text(to_toml(config), "utf-8")
    assert load_config(str(tmp_path / "again.toml")) == config
    assert shipped_configs()[name], "its first line says what it is for"


@pytest.mark.parametrize("name", shipped_configs())
def test_every_shipped_configuration_makes_its_network(name: str) -> None:
    """One that begins with a run of another configuration changes nothing of it."""
    config = load_config(name)
    if config.network.start and config.network.start not in SHIPPED:
        assert not config.network.changes
        return
    assert sum(tensor.numel() for tensor in create_network(config).parameters()) > 1000


def test_there_are_the_configurations_that_are_documented() -> None:
    assert {"tiny", "compact", "dpdd_mse", "dpdd_charbonnier"} <= set(shipped_configs())


def test_strange_text_survives(tmp_path: Path) -> None:
    table = merged(SMALL, {"data": {"kernels": 'a "b" \\ ü\n[c]'}})
    config = read_table(TrainingConfig, table)
    (tmp_path / "again.toml").write_text(to_toml(config), "utf-8")
    assert load_config(str(tmp_path / "again.toml")) == config


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            "optimizer.learnig_rate=1",
            "optimizer.learnig_rate is unknown; did you mean optimizer.learning_rate",
        ),
        ("zebra=1", "zebra is unknown; there are network, stages, steps"),
        ("data.scenes.scael=1", "data.scenes.scael is unknown; did you mean data.scenes.scale"),
        ("network.changes.width=[8]", None),  # known only when the network is built
        ("optimizer.learning_rate=fast", "optimizer.learning_rate is 'fast'; it must be a number"),
        ("steps=1.5", "steps is 1.5; it must be a whole number"),
        ("steps=true", "steps is True; it must be a whole number"),
        ("channels_last=1", "channels_last is 1; it must be true or false"),
        ("data=3", "data is 3; it must be a table"),
        ("stages=3", "stages is 3; it must be a list"),
        ("stages=[{until=1.0, size=3}]", "stages[0].size is unknown"),
        ("stages=[{until=1.0}]", "stages[0].patch is missing"),
        ("data.pairs.a=1", "data.pairs has no meaning where data.kind is simulated"),
        ("data.kind=picture", "data.kind is 'picture'; it must be one of simulated, pairs"),
        ("optimizer.kind=sgd", "optimizer.kind is 'sgd'; it must be one of muon, adamw, adam"),
        ("optimizer.learning_rate=-1e-3", "optimizer.learning_rate is -0.001; it must be above 0"),
        ("optimizer.learning_rate=nan", "optimizer.learning_rate is nan; it must be a finite number"),
        ("loss.rms=inf", "loss.rms is inf; it must be a finite number"),
        ("data.scenes.softness=[0.3, inf]", "data.scenes.softness[1] is inf; it must be a finite number"),
        ("seed=9223372036854775808", "seed is 9223372036854775808; it must be below 2^63"),
        ("optimizer.beta2=1.0", "optimizer.beta2 is 1.0"),
        ("optimizer.schedule=halving", "optimizer.halve_every is 0 and the schedule halving"),
        ("optimizer.kind=adam", "optimizer.weight_decay is 0.01; adam has none"),
        ("loss.epsilon=0", "loss.epsilon is 0.0; it must be above 0"),
        ("validation.patch=8", "validation.patch is 8; it must be at least 16"),
        ("data.curriculum.start=2", "data.curriculum.start is 2.0; it must be from 0 to 1"),
        ("data.scenes.layers=[1.0, 1.0, 0.0]", "data.scenes.layers is (1.0, 1.0, 0.0)"),
        ("batch=0", "batch is 0; it must be above 0"),
        ("accumulate=3", "batch is 2; it must be a multiple of accumulate, 3"),
        ("ema_decay=1.0", "ema_decay is 1.0"),
        ("epochs=2", "epochs is given, but simulated scenes never repeat"),
        ("stages=[{until=1.0 patch=32}]", "stages is [{until=1.0 patch=32}], which is not valid TOML"),
        (
            "data.pairs=here",
            "data.pairs has no meaning where data.kind is simulated; remove it, or give data.kind=pairs",
        ),
        ("network.preset=", "network.preset is missing"),
        ("stages=[{until=0.5, patch=32}]", "stages end at [0.5] of the steps"),
        ("steps.a=1", "steps is not a table, so it has no steps.a"),
        ("steps", "--set 'steps' does not have the form KEY=VALUE"),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(change: str, says: str | None) -> None:
    config = read_table(TrainingConfig, SMALL)
    if says is None:
        change_config(config, [change])
        return
    with pytest.raises(ConfigError) as caught:
        change_config(config, [change])
    assert str(caught.value).startswith(says)


def test_a_file_is_named(tmp_path: Path) -> None:
    for text, says in (
        ("steps = ", "is not valid TOML"),
        ("step = 3", "step is unknown; did you mean steps"),
    ):
        (tmp_path / "own.toml").write_text(text)
        with pytest.raises(ConfigError, match=rf"own\.toml.*{says}"):
            load_config(str(tmp_path / "own.toml"))
    with pytest.raises(ConfigError, match=r"no config 'teeny'; name a shipped one \(compact"):
        load_config("teeny")


def test_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "2024").mkdir()
    before = load_config("tiny")
    given: dict[str, Any] = {
        "data.photographs": ("2024", str(tmp_path / "2024")),  # text, and absolute from now on
        "data.kernels": ("nowhere", "nowhere"),
        "optimizer.learning_rate": ("1", 1.0),
        "data.scenes.layers": ("[0.5, 0.5, 0]", (0.5, 0.5, 0.0)),
        "network.preset": ("paper", "paper"),
    }
    after = change_config(before, [f"{key}={text}" for key, (text, _) in given.items()])
    found = {key: new for key, (_, new) in differences(before, after).items()}
    assert {key: new for key, new in found.items() if not key.startswith("network.changes.")} == {
        key: value for key, (_, value) in given.items()
    }


def test_what_belonged_to_something_that_is_changed_goes_with_it() -> None:
    """Epochs are no steps, and changes of one preset suit no other."""
    assert load_config("dpdd_mse", ["steps=5"]).epochs is None
    assert load_config("finetune", ["epochs=5"]).steps is None
    with pytest.raises(ConfigError, match=r"finetune: steps is 3 and epochs 5\.0; give one of the two"):
        load_config("finetune", ["steps=3", "epochs=5"])
    assert load_config("tiny", ["network.preset=paper"]).network.changes == {}
    kept = load_config("tiny", ["network.changes.groups=2"]).network.changes
    assert kept == load_config("tiny").network.changes | {"groups": 2}
    assert load_config("tiny", ["network.preset=paper", "network.changes={groups=2}"]).network.changes == {
        "groups": 2
    }


def test_a_setting_that_would_say_nothing_is_refused() -> None:
    with pytest.raises(
        ConfigError,
        match=r"finetune: data.scenes has no meaning where data.kind is pairs; .*give data.kind=simulated",
    ):
        load_config("finetune", ["data.scenes.scale=2.0"])
    simulated = load_config("dpdd_mse", ["steps=5", "data.kind=simulated", "data.scenes.scale=2.0"]).data
    assert isinstance(simulated, SimulatedData) and simulated.scenes.scale == 2
    pairs = load_config("compact", ["data.kind=pairs", "data.resize=[512, 638]"]).data
    assert pairs == PairsData(resize=(512, 638))
    for change, says in (
        ("[512]", "data.resize has 1 values; it needs 2"),
        ("[5, 6]", "data.resize is 5, 6; "),
    ):
        with pytest.raises(ConfigError, match=re.escape(says)):
            load_config("finetune", [f"data.resize={change}"])
