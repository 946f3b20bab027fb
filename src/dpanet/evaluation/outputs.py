"""Finished pictures from folders: the outputs of any method, to be scored beside the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dpanet.datasets import Dataset
from dpanet.datasets.dataset_check import MAX_SHOWN
from dpanet.errors import ConfigError, DatasetError, shown
from dpanet.evaluation.scores import NOTHING, TRUTH

SUFFIXES = (".png", ".tif", ".tiff")


def add_outputs(dataset: Dataset, folders: Sequence[Path]) -> Dataset:
    """Return the data set with finished pictures from folders added to its scenes.

    Args:
        dataset: The data set.
        folders: Each has one picture for each scene, ``SCENE.png`` (or TIFF), and gives its name to a row. A picture
            has the size of the truth: sRGB at 8 or 16 bits, or for raw captures 16 bits, linear, on the scale of the
            views, as `dpanet deblur --camera` writes.

    Raises:
        ConfigError: If a folder's name is another method's.
        DatasetError: If pictures are missing; it lists all of them.
    """
    names = [folder.resolve().name for folder in folders]
    missing = [
        shown(folder / f"{scene.name}{SUFFIXES[0]}")
        for folder in folders
        for scene in dataset.scenes
        if _picture(folder, scene.name) is None
    ]
    if missing:
        raise DatasetError(
            f"missing pictures: {_listed(missing)}; add them, one for each scene", tuple(missing)
        )
    scenes = []
    for scene in dataset.scenes:
        finished = dict(scene.finished)
        for name, folder in zip(names, folders, strict=True):
            picture = _picture(folder, scene.name)
            if name in (NOTHING, TRUTH) or name in finished or picture is None:
                raise ConfigError(
                    f"{shown(folder)} gives its pictures the name {shown(name)!r}, which is taken; rename it"
                )
            finished[name] = picture
        scenes.append(replace(scene, finished=finished))
    return replace(dataset, scenes=tuple(scenes))


def _picture(folder: Path, name: str) -> Path | None:
    paths = (folder / f"{name}{suffix}" for suffix in SUFFIXES)
    return next((path for path in paths if path.is_file()), None)


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - MAX_SHOWN
    return ", ".join(names[:MAX_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
