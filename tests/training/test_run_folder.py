import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from training.conftest import OneBlur, Use, equal, small, trained, weights
from training.test_loop import Failing, resumed

import dpanet.training.training_log as training_log
from dpanet.errors import ConfigError, OutputError, TrainingError, WeightsError
from dpanet.simulation.scene import Scenes
from dpanet.training.loop import train
from dpanet.training.run_folder import RunFolder
from dpanet.training.state import State, create_network
from dpanet.training.training_log import COLUMNS, Entry, TrainingLog, draw_curves, read_log


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    run = tmp_path / "run"
    RunFolder.create(run, small()).lock(0)
    with pytest.raises(OutputError, match=r"run holds a run; go on with it by --resume"):
        RunFolder.create(run, small())
    (tmp_path / "other").mkdir()
    RunFolder.create(tmp_path / "other", small())
    (tmp_path / "other" / "file").touch()
    with pytest.raises(OutputError, match="holds other files"):
        RunFolder.create(tmp_path / "other", small())
    with pytest.raises(OutputError, match="is a file"):
        RunFolder.create(tmp_path / "other" / "file", small())
    with pytest.raises(ConfigError, match="holds no run"):
        RunFolder.open(tmp_path / "other")


def test_only_some_settings_may_change_as_a_run_goes_on(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", small()).lock(0)
    with pytest.raises(ConfigError, match="seed was 3 so far and cannot become 4"):
        RunFolder.open(tmp_path / "run", ["seed=4"])
    for step, count in ((5, 20), (7, 30)):
        run = RunFolder.open(tmp_path / "run", [f"steps={count}"])
        run.lock(step)
        assert run.config.steps == count
    assert RunFolder.open(tmp_path / "run").config == small(steps=30)
    notes = [line for line in run.config_file.read_text().splitlines() if line.startswith("#")]
    assert notes == ["# from step 5: steps = 20 instead of 12", "# from step 7: steps = 30 instead of 20"]


def test_two_processes_cannot_train_in_one_folder(tmp_path: Path) -> None:
    first, second = RunFolder.create(tmp_path / "run", small()), RunFolder.create(tmp_path / "run", small())
    first.lock(0)
    with pytest.raises(OutputError, match="another process writes to"):
        second.lock(0)
    first.release()
    second.lock(0)


def test_what_a_kill_left_half_written_is_swept_and_no_hindrance(tmp_path: Path) -> None:
    """By the names under which files of a run are written; anything else is left alone."""
    run = RunFolder.create(tmp_path / "run", small())
    seen: list[Path] = []

    def note(part: Path) -> None:
        seen.append(part)
        part.write_text("half")

    (run.samples).mkdir(parents=True)
    for path in (run.config_file, run.checkpoint, run.samples / "step-0000006.png"):
        run.write(path, note)
        path.unlink()
    for part in seen:
        part.write_text("half")
    for file in run.samples.iterdir():
        file.rename(run.path / file.name)
    run.samples.rmdir()
    again = RunFolder.create(tmp_path / "run", small())
    (run.path / ".profile-of-mine").touch()
    again.lock(0)
    assert {file.name for file in run.path.iterdir()} == {".lock", ".profile-of-mine", "config.toml"}
    again.release()


def test_where_a_run_computes_is_noted_when_it_changes(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", small()).lock(0, "cpu, 2 threads")
    for step, where in ((5, "cpu, 2 threads"), (7, "cuda"), (9, "cuda")):
        run = RunFolder.open(tmp_path / "run")
        run.lock(step, where)
        run.release()
    notes = [line for line in run.config_file.read_text().splitlines() if line.startswith("#")]
    assert notes == ["# from step 0: on cpu, 2 threads", "# from step 7: on cuda"]


def test_weights_that_are_no_numbers_are_never_saved(tmp_path: Path, use: Use) -> None:
    use(OneBlur())
    config = small(steps=3, checkpoint_minutes=0.0)
    path = trained(tmp_path / "run", config)
    before = {file: file.read_bytes() for file in (path / "checkpoint.pt", path / "model.safetensors")}
    run = RunFolder.open(path)
    state = State(create_network(config), config, torch.device("cpu"))
    state.restore(run.read_checkpoint())
    next(state.ema.parameters()).data.flatten()[0] = torch.inf
    with pytest.raises(
        TrainingError, match=r"the weights became infinite at step 3; .* is the last good state"
    ):
        run.save(state)
    assert all(file.read_bytes() == held for file, held in before.items())


def test_a_file_system_without_locks_is_no_hindrance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: FileLock, blocking: bool) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    run = RunFolder.create(tmp_path / "run", small())
    run.lock(0)
    run.release()
    assert run.config_file.exists()


def test_a_configuration_that_was_changed_by_hand_is_held_against_the_checkpoint(
    tmp_path: Path, use: Use
) -> None:
    use(OneBlur())
    path = trained(tmp_path / "run", small(steps=1))
    before = (path / "config.toml").read_text("utf-8")
    (path / "config.toml").write_text(before.replace("steps = 1\n", "steps = 2\n"), "utf-8")
    assert RunFolder.open(path).read_checkpoint() is not None
    (path / "config.toml").write_text(before.replace("batch = 2\n", "batch = 4\n"), "utf-8")
    with pytest.raises(ConfigError, match=r"config\.toml says batch = 4, but the run was trained with 2"):
        RunFolder.open(path).read_checkpoint()


def test_a_damaged_checkpoint_is_named(tmp_path: Path, use: Use) -> None:
    use(OneBlur())
    path = trained(tmp_path / "run", small(steps=1))
    whole = (path / "checkpoint.pt").read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"nonsense"):
        (path / "checkpoint.pt").write_bytes(damaged)
        with pytest.raises(WeightsError, match=r"checkpoint\.pt is damaged"):
            RunFolder.open(path).read_checkpoint()


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file can grow beyond `room` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [100, 12_000])
def test_a_full_disk_is_one_sentence_and_the_last_checkpoint_stays(
    tmp_path: Path, use: Use, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First nothing fits, then the log but no checkpoint; at step 6 of a run that saves at every step."""
    use(OneBlur())
    config = small(steps=8, checkpoint_minutes=0.0, validation={"every": 100})
    whole = trained(tmp_path / "whole", config)
    assert (whole / "checkpoint.pt").stat().st_size > 12_000
    disk = full_disk(room)

    def fill(made: Scenes) -> Scenes:
        disk.__enter__()
        return made

    use(Failing(6, fill))
    path = tmp_path / "full"
    try:
        with pytest.raises(OutputError, match=r"cannot be written \(File too large\).*free space"):
            train(RunFolder.create(path, config), lambda line: None)
    finally:
        disk.__exit__(None, None, None)
    assert torch.load(path / "checkpoint.pt", weights_only=True)["step"] == 6
    assert {file.name for file in path.glob(".*")} <= {".lock"}
    use(OneBlur())
    resumed(path)
    assert equal(weights(whole), weights(path))
    assert [entry.step for entry in read_log(path / "log.csv")] == list(range(1, 9))


def test_a_checkpoint_that_torch_cannot_write_is_not_called_a_full_disk(
    tmp_path: Path, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(OneBlur())
    path = trained(tmp_path / "run", small(steps=1))
    before = (path / "checkpoint.pt").read_bytes()

    def refuse(*arguments: object) -> None:
        raise RuntimeError("Tried to serialize object of type X\nException raised from ...")

    monkeypatch.setattr(torch, "save", refuse)
    with pytest.raises(OutputError) as caught:
        train(RunFolder.open(path, ["steps=2"]), lambda line: None)
    assert "cannot be written (Tried to serialize object of type X); go on from" in str(caught.value)
    assert "space" not in str(caught.value)
    assert (path / "checkpoint.pt").read_bytes() == before


def test_a_log_that_was_cut_off_is_read_as_far_as_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(",".join(COLUMNS) + "\n1,2.5,1e-3,32,0.5,,\n2,2.6,1e-3,32,0.4,30.5,29\n3,2.7,1e")
    first, second = read_log(log)
    assert (first.step, first.loss, first.psnr) == (1, 0.5, None)
    assert (second.step, second.psnr, second.nothing) == (2, 30.5, 29)
    assert read_log(tmp_path / "none.csv") == []
    head, line = log.read_text().splitlines(keepends=True)[:2]
    for length in range(1, len(line)):
        log.write_text(head + line[:length])
        assert read_log(log) == [], line[:length]
        log.write_text(head + line[:length] + "\n" + line)
        assert read_log(log) == ([first] if length < len(line) - 1 else [first, first]), line[:length]


def test_curves_are_drawn_where_nothing_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first minute, and at the end."""
    run = RunFolder.create(tmp_path / "run", small())
    run.lock(0)
    drawn: list[int] = []
    monkeypatch.setattr(training_log, "draw_curves", lambda entries, path: drawn.append(len(entries)))
    with TrainingLog(run, 0, lambda line: None) as written:
        for step in range(1, 4):
            if step == 2:
                monkeypatch.setattr(training_log, "_DRAW_EVERY", 0.0)
            written.write(Entry(step, 1.0, 1e-3, 32, 0.5))
            monkeypatch.setattr(training_log, "_DRAW_EVERY", 60.0)
        assert drawn == [2]
    assert drawn == [2, 3]
    monkeypatch.undo()
    draw_curves(written.entries, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 3000
