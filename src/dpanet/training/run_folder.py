"""The folder of a run.

config.toml        the whole config; `dpanet train RUN/config.toml -o OTHER` repeats the run
checkpoint.pt      the state at some step, from which the run is resumed
model.safetensors  the moving average of the weights at the last checkpoint; at the end, the finished model
best.safetensors   the moving average with the best PSNR on the validation scenes
log.csv, tensorboard/, curves.png, samples/
.lock              locked by the process that trains there
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import torch
from filelock import FileLock

from dpanet.checkpoints.model_file import save_model
from dpanet.errors import ConfigError, OutputError, TrainingError, WeightsError
from dpanet.files.config_table import read_table
from dpanet.files.lock import contains_files, lock_folder
from dpanet.files.output import atomic_output
from dpanet.training.config import TrainingConfig
from dpanet.training.config_file import NAMES, change_config, differences, load_config, to_toml
from dpanet.training.state import State

_RESUMABLE = (
    "steps",
    "epochs",
    "accumulate",
    "device",
    "log_every",
    "checkpoint_minutes",
    "optimizer.learning_rate",
    "optimizer.clip",
    "validation.samples",
)
"""Keys that may change when a run is resumed, besides those of the data."""

_PLACE = ": on "
"""Start of the note that says on which device and versions the run computes."""


class RunFolder:
    """The files of one run."""

    def __init__(
        self, path: Path, config: TrainingConfig, notes: Sequence[str] = (), changes: Sequence[str] = ()
    ) -> None:
        self.path = path
        self.config = config
        """The config that the run continues with."""
        self.notes = list(notes)
        """Comments at the top of ``config.toml``: what changed at which step."""
        self.changes = list(changes)
        """Changes that are not yet among the notes."""
        self.config_file, self.checkpoint = path / "config.toml", path / "checkpoint.pt"
        self.model, self.best = path / "model.safetensors", path / "best.safetensors"
        self.samples = path / "samples"
        self._lock: FileLock | None = None

    @classmethod
    def create(cls, path: Path, config: TrainingConfig) -> RunFolder:
        """Return the folder of a new run; nothing is written yet.

        Raises:
            OutputError: if there is something at the path.
        """
        if path.exists() and not path.is_dir():
            raise OutputError(f"{path} is a file; name a folder for the run")
        if (path / "config.toml").exists():
            raise OutputError(f"{path} holds a run; go on with it by --resume {path}, or name another folder")
        if contains_files(path):
            raise OutputError(f"{path} holds other files; name a new or an empty folder for the run")
        return cls(path, config)

    @classmethod
    def open(cls, path: Path, changes: Sequence[str] = ()) -> RunFolder:
        """Return the folder of a run that exists.

        Args:
            path: the folder.
            changes: KEY=VALUE each, of keys that may change when a run is resumed.

        Raises:
            ConfigError: if there is no run, or another key changes.
        """
        config_file = path / "config.toml"
        if not config_file.is_file():
            raise ConfigError(f"{path} holds no run (no config.toml); name the folder of one")
        before = load_config(str(config_file))
        text = config_file.read_text("utf-8", NAMES).splitlines()
        notes = [line.removeprefix("# ") for line in text if line.startswith("# ")]
        after = change_config(before, changes)
        resumable, changed = _resumable(before), []
        for key, (old, new) in differences(before, after).items():
            if key not in resumable:
                raise ConfigError(
                    f"{key} was {old!r} so far and cannot become {new!r} when the run is resumed (only "
                    f"{', '.join(resumable)} can); start another run"
                )
            changed.append(f"{key} = {new!r} instead of {old!r}")
        return cls(path, after, notes, changed)

    def lock(self, step: int, where: str = "") -> None:
        """Create the folder, lock it against other processes until `release`, and write ``config.toml``.

        Args:
            step: the step at which the run starts or is resumed.
            where: device and versions, which determine the last bits of the weights; for the notes.

        Raises:
            OutputError: if that is not possible, or another process trains there.
        """
        self._lock = lock_folder(self.path, self.samples.name)
        self.notes += [f"from step {step}: {change}" for change in self.changes]
        self.changes = []
        places = [note.partition(_PLACE)[2] for note in self.notes if _PLACE in note]
        if where and where not in places[-1:]:
            self.notes.append(f"from step {step}{_PLACE}{where}")
        text = "".join(f"# {note}\n" for note in self.notes) + to_toml(self.config)
        if self.config_file.exists() and self.config_file.read_text("utf-8", NAMES) == text:
            return
        self.write(self.config_file, lambda path: path.write_text(text, "utf-8", NAMES))

    def release(self) -> None:
        """Let other processes use the folder."""
        if self._lock is not None:
            self._lock.release()

    def read_checkpoint(self, device: torch.device | str = "cpu") -> dict[str, Any] | None:
        """Return the dictionary of `State.to_dict`; None before the first checkpoint.

        Raises:
            WeightsError: if the file is damaged.
            ConfigError: if ``config.toml`` was edited where it may not change.
        """
        if not self.checkpoint.exists():
            return None
        try:
            content: dict[str, Any] = torch.load(self.checkpoint, map_location=device, weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
            raise WeightsError(
                f"{self.checkpoint} is damaged and the run cannot be resumed from it; remove it to start again, or "
                f"give {self.model} to another run as network.start"
            ) from error
        before = read_table(TrainingConfig, content["training_config"])
        for key, (old, new) in differences(before, self.config).items():
            if key not in _resumable(before):
                raise ConfigError(
                    f"{self.config_file} says {key} = {new!r}, but the run was trained with {old!r}; restore it, or "
                    "start another run"
                )
        return content

    def save(self, state: State) -> None:
        """Write the checkpoint and the model; if that fails, the old ones remain.

        Raises:
            OutputError: if a file cannot be written.
            TrainingError: if a weight is not finite.
        """
        if not state.is_finite():
            raise self.not_finite("the weights became infinite", state.step)
        self.save_model(state, self.model)  # first, so that a checkpoint of the last step never lacks it
        self.write(self.checkpoint, lambda path: _save(state.to_dict(), path))

    def not_finite(self, problem: str, step: int) -> TrainingError:
        """Return the error for numbers that are no longer finite, with what to do."""
        if not self.checkpoint.exists():
            return TrainingError(
                f"{problem} at step {step}, before the first checkpoint; start again with a lower "
                "optimizer.learning_rate"
            )
        return TrainingError(
            f"{problem} at step {step}; {self.checkpoint} is the last good state, so go on from it with "
            f"--resume {self.path} --set optimizer.learning_rate=LOWER"
        )

    def save_model(self, state: State, path: Path) -> None:
        """Write the moving average of the weights."""
        save_model(state.ema, path)

    def write(self, path: Path, write: Callable[[Path], object]) -> None:
        """Write a file of the run by a function of its path, whole or not at all."""
        with atomic_output(path, overwrite=True) as unfinished:
            write(unfinished)


def _resumable(config: TrainingConfig) -> tuple[str, ...]:
    return *_RESUMABLE, *(f"data.{name}" for name in config.data.resumable)


class _Stream:
    """A binary file that remembers the OSError of a failed write, which torch replaces by a RuntimeError."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self.file.flush()


def _save(content: dict[str, Any], path: Path) -> None:
    """Write a checkpoint; raise the OSError of the file system, or an OutputError for another failure of torch."""
    with path.open("wb") as file:
        stream = _Stream(file)
        try:
            torch.save(content, stream)  # type: ignore[arg-type]  # needs only write and flush
        except RuntimeError as error:
            if stream.error is not None:
                raise stream.error from error
            reason = str(error).partition("\n")[0]
            raise OutputError(
                f"the checkpoint in {path.parent} cannot be written ({reason}); go on from the last one with --resume"
            ) from error
