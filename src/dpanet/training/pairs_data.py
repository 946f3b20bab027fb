"""Training data that is a folder of real pairs with truths."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import torch

from dpanet.datasets.dpdd_patches import UNFINISHED
from dpanet.errors import ConfigError, DatasetError, counted
from dpanet.training.data import (
    NO_VALIDATION,
    Loader,
    OpenedData,
    Source,
    ValidationSet,
    load_batch,
    require_folder,
)
from dpanet.training.pair_source import Augmentation, PairSource

if TYPE_CHECKING:
    from dpanet.training.config import TrainingConfig


@dataclass(frozen=True)
class PairsData:
    """Real pairs with truths."""

    kind: Literal["pairs"] = "pairs"
    pairs: str = ""
    """Folder of NAME_left, NAME_right and NAME_sharp, or one with such folders ``train`` and ``val``."""
    mirror: bool = True
    """See `Augmentation`."""
    flip: bool = True
    """See `Augmentation`."""
    resize: tuple[int, int] | None = None
    """See `Augmentation`."""

    # See `SimulatedData`.
    repeats: ClassVar[bool] = True
    paths: ClassVar[tuple[str, ...]] = ("pairs",)
    resumable: ClassVar[tuple[str, ...]] = ("pairs",)

    def __post_init__(self) -> None:
        _ = self.augmentation  # checks `resize`

    @property
    def augmentation(self) -> Augmentation:
        """The random changes to each picture."""
        return Augmentation(self.mirror, self.flip, self.resize)

    def strength(self, step: int, steps: int) -> float:
        """Return 1: the blur is the camera's."""
        return 1.0

    def open(self, config: TrainingConfig, device: torch.device | str = "cpu") -> OpenedData:
        """Open the pairs, and check all that can be checked before training.

        Raises:
            ConfigError: naming the key that is missing, not a folder, or does not fit the patches.
            DatasetError: with all problems of the files.
        """
        folder = require_folder(self.pairs, "data.pairs", "pairs (NAME_left, NAME_right, NAME_sharp)")
        training_folder, validation_folder = split_folders(folder)
        with _prefix_errors("stages: "):
            training = PairSource(
                training_folder,
                batch=config.batch,
                patch=config.largest_patch,
                augmentation=self.augmentation,
            )
        text = counted(len(training), "pair")
        if validation_folder is None:
            return OpenedData(training, None, len(training), f"{text}, {NO_VALIDATION}")
        scenes, patch = config.validation.scenes, config.validation.patch
        unchanged = Augmentation(mirror=False, flip=False)
        with _prefix_errors("validation."):
            held_out = PairSource(validation_folder, batch=scenes, patch=patch, augmentation=unchanged)
        validation = ValidationSet(held_out, min(scenes, len(held_out)), patch)
        return OpenedData(
            training, validation, len(training), f"{text}, {validation.count} of folder val held out"
        )

    def loader(self, source: Source) -> Loader:
        """Return a loader of batches that a thread reads ahead."""
        return Loader(partial(load_batch, source), ThreadPoolExecutor(1), 2)


def split_folders(folder: Path) -> tuple[Path, Path | None]:
    """Return the folder of the pairs to train on, and that of the pairs for validation, if there is one.

    A folder has subfolders ``train`` and ``val``, as `dpanet prepare-dpdd` writes them, or contains the pairs itself.

    Raises:
        DatasetError: if `dpanet prepare-dpdd` has not finished there.
    """
    unfinished = [split for split in ("train", "val") if (folder / f"{split}{UNFINISHED}").is_dir()]
    if unfinished:
        problem = f"{folder / unfinished[0]}{UNFINISHED} is not finished"
        raise DatasetError(
            f"{problem}; give the same dpanet prepare-dpdd command again to finish it", (problem,)
        )
    if not (folder / "train").is_dir():
        return folder, None
    return folder / "train", folder / "val" if (folder / "val").is_dir() else None


@contextmanager
def _prefix_errors(prefix: str) -> Iterator[None]:
    """Put the place in the config before the text of a ConfigError."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{prefix}{error}") from error
