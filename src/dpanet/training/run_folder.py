"""The folder of a run: what lies in it, and how it is taken up again.

config.toml        the settings in full; `dpanet train RUN/config.toml -o OTHER` repeats the run
checkpoint.pt      the state at some step; the run goes on from there
model.safetensors  the moving average at the last checkpoint; at the end, the finished model
best.safetensors   the moving average that was best on the validation scenes
log.csv, tensorboard/, curves.png, samples/
.lock              held by the process that trains there
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

from dpanet.checkpoints.model_file import save_model
from dpanet.errors import ConfigError, OutputError, TrainingError, WeightsError
from dpanet.files.lock import contains_files, lock_folder
from dpanet.files.output import atomic_output
from dpanet.training.config import TrainingConfig
from dpanet.training.config_file import changed, differences, load_config, read_table, recorded, to_toml
from dpanet.training.state import State

FREE = (
    "steps",
    "epochs",
    "accumulate",
    "device",
    "log_every",
    "checkpoint_minutes",
    "optimiser.learning_rate",
    "optimiser.clip",
    "validation.samples",
    "data.photographs",
    "data.kernels",
    "data.pairs",
    "data.workers",
)
"""Settings that may change when a run goes on."""


_PLACE = ": on "
"""What begins the note that says where the run computes."""


class RunFolder:
    """One run's files.

    settings: what it now runs with. notes: what was changed on the way, and when. fresh: what is changed now.
    """

    def __init__(
        self, path: Path, settings: TrainingConfig, notes: Sequence[str] = (), fresh: Sequence[str] = ()
    ) -> None:
        self.path, self.settings, self.notes, self.fresh = path, settings, list(notes), list(fresh)
        self.config, self.checkpoint = path / "config.toml", path / "checkpoint.pt"
        self.model, self.best = path / "model.safetensors", path / "best.safetensors"
        self.samples = path / "samples"
        self._lock: FileLock | None = None

    @classmethod
    def new(cls, path: Path, settings: TrainingConfig) -> RunFolder:
        """Raises: OutputError if something lies there already."""
        if path.exists() and not path.is_dir():
            raise OutputError(f"{path} is a file; name a folder for the run")
        if (path / "config.toml").exists():
            raise OutputError(f"{path} holds a run; go on with it by --resume {path}, or name another folder")
        if contains_files(path):
            raise OutputError(f"{path} holds other files; name a new or an empty folder for the run")
        return cls(path, settings)

    @classmethod
    def held(cls, path: Path, changes: Sequence[str] = ()) -> RunFolder:
        """The run that lies there, with `changes` to its settings (KEY=VALUE; those of `FREE` only).

        Raises: ConfigError if there is none, or for another setting.
        """
        config = path / "config.toml"
        if not config.is_file():
            raise ConfigError(f"{path} holds no run (no config.toml); name the folder of one")
        before = load_config(str(config), record=True)
        text = config.read_text("utf-8").splitlines()
        notes = [line.removeprefix("# ") for line in text if line.startswith("# ")]
        after, fresh = changed(before, changes), []
        for key, (old, new) in differences(before, after).items():
            if key not in FREE:
                raise ConfigError(
                    f"{key} was {old!r} so far and cannot become {new!r} as the run goes on (only {', '.join(FREE)} "
                    "can); begin another run"
                )
            fresh.append(f"{key} = {new!r} instead of {old!r}")
        return cls(path, after, notes, fresh)

    def claim(self, step: int, where: str = "") -> None:
        """Make the folder, keep other processes from it until `release`, and write `config.toml`.

        step: where the run begins or goes on. where: device and versions, which decide the last bits; a comment.

        Raises: OutputError if that cannot be done, or another process trains there.
        """
        self._lock = lock_folder(self.path, self.samples.name)
        self.notes += [f"from step {step}: {note}" for note in self.fresh]
        self.fresh = []
        places = [note.partition(_PLACE)[2] for note in self.notes if _PLACE in note]
        if where and where not in places[-1:]:
            self.notes.append(f"from step {step}{_PLACE}{where}")
        text = "".join(f"# {note}\n" for note in self.notes) + to_toml(self.settings)
        if self.config.exists() and self.config.read_text("utf-8") == text:
            return
        self.write(self.config, lambda path: path.write_text(text, "utf-8"))

    def release(self) -> None:
        """Let other processes use the folder."""
        if self._lock is not None:
            self._lock.release()

    def read_checkpoint(self, device: torch.device | str = "cpu") -> dict[str, Any] | None:
        """What `State.to_dict` gave; None before the first.

        Raises: WeightsError for a damaged file; ConfigError if `config.toml` was changed by hand where it may not.
        """
        if not self.checkpoint.exists():
            return None
        try:
            held: dict[str, Any] = torch.load(self.checkpoint, map_location=device, weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
            raise WeightsError(
                f"{self.checkpoint} is damaged and the run cannot go on from it; remove it to begin anew, or give "
                f"{self.model} to another run as network.start"
            ) from error
        before = (
            read_table(TrainingConfig, recorded(held["settings"])) if "settings" in held else self.settings
        )
        for key, (old, new) in differences(before, self.settings).items():
            if key not in FREE:
                raise ConfigError(
                    f"{self.config} says {key} = {new!r}, but the run was made with {old!r}; put it back, or begin "
                    "another run"
                )
        return held

    def save(self, state: State) -> None:
        """Write the checkpoint and the model.

        Raises: OutputError if there is no room, TrainingError if a weight is no number any more; what was there
                remains.
        """
        if not state.is_finite():
            raise self.no_number("the weights became infinite", state.step)
        self.save_model(state, self.model)  # first, so that a checkpoint of the last step is never without it
        self.write(self.checkpoint, lambda path: _save(state.to_dict(), path))

    def no_number(self, what: str, step: int) -> TrainingError:
        """The error to raise where numbers have left the finite ones, with what to do."""
        if not self.checkpoint.exists():
            return TrainingError(
                f"{what} at step {step}, before the first checkpoint; begin again with a lower "
                "optimiser.learning_rate"
            )
        return TrainingError(
            f"{what} at step {step}; {self.checkpoint} is the last good state, so go on from it with "
            f"--resume {self.path} --set optimiser.learning_rate=LOWER"
        )

    def save_model(self, state: State, path: Path) -> None:
        """Write the moving average."""
        self.write(path, lambda part: save_model(state.averaged, part))

    def write(self, path: Path, how: Callable[[Path], object]) -> None:
        """Write a file of the run, whole or not at all."""
        with atomic_output(path, overwrite=True) as part:
            how(part)


def _save(state: dict[str, Any], path: Path) -> None:
    with path.open("wb") as stream:
        try:
            torch.save(state, stream)
        except RuntimeError as error:  # torch hides what the file system said
            stream.flush()
            raise OSError(28, str(error)) from error
