"""Where scenes to train on come from."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from dpanet.errors import ConfigError, DatasetError, counted
from dpanet.simulation.kernels import MeasuredKernels
from dpanet.simulation.photo_cache import PhotoCache, find_photographs
from dpanet.simulation.scene import Scenes, Simulator
from dpanet.simulation.scene_config import SceneConfig
from dpanet.training.config import DataConfig, TrainingConfig
from dpanet.training.pairs import Augmentation, PairSource, split_folders

OWN = "scikit-image"
"""The word for the photographs that need no folder."""

HELD_OUT = 20
"""Every so manieth photograph is kept for validation, where no list says which."""

NOT_JUDGED = "none held out, so no PSNR and no best model"
"""What a run has to say of its data where nothing is kept for validation."""

_VALIDATION = 7
"""Run seed of the validation scenes: all runs are judged on the same."""

_PAGES = 20
"""Seed of the printed pages to train on; the next one is that of the pages to be judged on."""

_KEPT = 2**29
"""Bytes of validation scenes that are kept for the next time."""


class Source(Protocol):
    """Gives scenes by their seeds; `Simulator` and `PairSource` are such."""

    def scenes(self, seeds: Sequence[Sequence[int]], size: int, strength: float = 1.0) -> Scenes:
        """One scene for each of `seeds`, (N, 3, size, size) each part.

        seeds:    [run seed, step, number in the global batch]; nothing else decides a scene, so that it is the same
                  in whichever process, and a run that goes on needs no other state than its step.
        strength: what remains of every simulated blur.
        """
        ...


class ValidationSet:
    """The validation scenes: `count` of `source`, always the same, `size` px a side."""

    def __init__(self, source: Source, count: int, size: int) -> None:
        self.source, self.count, self.size = source, count, size
        self._kept: dict[tuple[int, ...], Scenes] = {}

    def scenes(self, rank: int, processes: int, together: int) -> Iterator[Scenes]:
        """Those that fall to process `rank`, up to `together` at once."""
        numbers = range(rank, self.count, processes)
        for start in range(0, len(numbers), together):
            chunk = tuple(numbers[start : start + together])
            if chunk not in self._kept:
                made = self.source.scenes([[_VALIDATION, 0, number] for number in chunk], self.size)
                if self.count * made.truth[0].nbytes * 3 > _KEPT:
                    yield made
                    continue
                self._kept[chunk] = made
            yield self._kept[chunk]


@dataclass(frozen=True)
class Data:
    """training: what is learned from. validation: what it is judged on, if anything is. epoch: how many different
    pictures there are, where they repeat. told: in words.
    """

    training: Source
    validation: ValidationSet | None
    epoch: int | None
    told: str


def open_data(settings: TrainingConfig, device: torch.device | str = "cpu") -> Data:
    """Open what `settings.data` says; everything about it that can be known to fail does so here.

    Raises: ConfigError naming the key, DatasetError or UnreadableImageError naming the files.
    """
    data, judged = settings.data, settings.validation
    if data.kind == "pairs":
        return _real_pairs(settings)
    training, other = simulator(data, device), simulator(data, device, held_out=True)
    assert training is not None
    return Data(
        training,
        None if other is None else ValidationSet(other, judged.scenes, judged.patch),
        None,
        f"{counted(len(training.photographs), 'photograph')}, "
        + (NOT_JUDGED if other is None else f"{len(other.photographs)} held out"),
    )


def _real_pairs(settings: TrainingConfig) -> Data:
    data, judged = settings.data, settings.validation
    folder = _folder(data.pairs, "data.pairs", "pairs (NAME_left, NAME_right, NAME_sharp)")
    training_folder, validation_folder = split_folders(folder)
    with _prefixed("data."):
        augmentation = Augmentation(data.mirror, data.flip, data.resize)
    with _prefixed("stages: "):
        training = PairSource(
            training_folder, batch=settings.batch, patch=settings.largest_patch, augmentation=augmentation
        )
    validation = None
    if validation_folder is not None:
        still = Augmentation(mirror=False, flip=False)
        with _prefixed("validation."):
            other = PairSource(validation_folder, batch=judged.scenes, patch=judged.patch, augmentation=still)
        validation = ValidationSet(other, min(judged.scenes, len(other)), judged.patch)
    judged_on = NOT_JUDGED if validation is None else f"{validation.count} of folder val held out"
    return Data(training, validation, len(training), f"{counted(len(training), 'pair')}, {judged_on}")


@contextmanager
def _prefixed(place: str) -> Iterator[None]:
    """An impossible setting is told with the place it has in the configuration."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{place}{error}") from error


def simulator(
    data: DataConfig, device: torch.device | str = "cpu", *, held_out: bool = False
) -> Simulator | None:
    """The simulator of the photographs for training, or of those held out; None if none are.

    Raises: ConfigError or DatasetError naming what is missing.
    """
    measured = data.scenes.measured > 0
    if measured and not data.kernels and not data.photographs:
        raise ConfigError(
            "data.photographs and data.kernels are missing; give a folder of sharp photographs and one of measured "
            "kernels by --set data.photographs=FOLDER data.kernels=FOLDER, or do without kernels by "
            "--set data.scenes.measured=0"
        )
    kernels = None
    if measured:
        kernels = MeasuredKernels.read(
            _folder(data.kernels, "data.kernels", "measured kernels", "or data.scenes.measured=0")
        )
    scenes = replace(data.scenes, pages=max(1, data.scenes.pages // 8)) if held_out else data.scenes
    photographs: Sequence[torch.Tensor]
    if data.photographs == OWN:
        photographs = own_photographs(held_out)
    else:
        folder = _folder(data.photographs, "data.photographs", "sharp photographs", f"or {OWN}")
        photographs = PhotoCache(split_photographs(folder)[held_out])
    if not len(photographs):
        return None
    return Simulator(photographs, kernels, scenes, device, page_seed=_PAGES + held_out)


def _folder(text: str, key: str, what: str, other: str = "") -> Path:
    advice = f"give a folder of {what} by --set {key}=FOLDER" + (f", {other}" if other else "")
    if not text:
        raise ConfigError(f"{key} is missing; {advice}")
    if not Path(text).is_dir():
        raise ConfigError(f"{key} is {text}, which is no folder; {advice}")
    return Path(text)


def split_photographs(folder: Path) -> tuple[list[Path], list[Path]]:
    """The photographs of a folder for training, and those held out.

    `SOURCES.csv` (columns file and split; ``train``, or another word) says which, where there is one; otherwise the
    first of every `HELD_OUT` is held out.

    Raises: DatasetError if there are none, or a file of the list is missing; UnreadableImageError for a bad header.
    """
    files = find_photographs(folder)
    sources = folder / "SOURCES.csv"
    if not sources.exists():
        if len(files) < HELD_OUT:
            return list(files), []
        held = set(files[::HELD_OUT])
        return [file for file in files if file not in held], sorted(held)
    try:
        with sources.open(newline="", encoding="utf-8") as stream:
            split = {row["file"]: row["split"] for row in csv.DictReader(stream)}
    except (KeyError, UnicodeDecodeError) as error:
        raise DatasetError(f"{sources} has no columns file and split; mend or remove it") from error
    named = {file.name: file for file in files}
    missing = [name for name in split if name not in named]
    if missing:
        raise DatasetError(
            f"{folder / missing[0]} is missing, but {sources} names it; restore it or its line"
        )
    training = [named[name] for name in split if split[name] == "train"]
    if not training:
        raise DatasetError(f"{sources} has no line whose split is train; mend or remove it")
    return training, [named[name] for name in split if split[name] != "train"]


def own_photographs(held_out: bool = False) -> list[torch.Tensor]:
    """Photographs that scikit-image brings, (3, H, W) uint8: three to train on, one held out."""
    from skimage.data import astronaut, chelsea, coffee, rocket

    pictures = (coffee,) if held_out else (astronaut, chelsea, rocket)
    arrays = [np.asarray(picture()).transpose(2, 0, 1) for picture in pictures]  # type: ignore[no-untyped-call]
    return [torch.from_numpy(array.copy()) for array in arrays]


__all__ = [
    "Data",
    "SceneConfig",
    "Scenes",
    "Source",
    "ValidationSet",
    "open_data",
    "own_photographs",
    "simulator",
]
