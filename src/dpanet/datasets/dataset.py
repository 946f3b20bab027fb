"""Open a data set: find its scenes and check all their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from dpanet.datasets import dpdd, restormer
from dpanet.datasets.dataset_check import DatasetCheck
from dpanet.datasets.dpdd import find_dpdd
from dpanet.datasets.pairs import find_pairs_with_truth
from dpanet.datasets.pixel4 import find_pixel4
from dpanet.datasets.restormer import find_restormer
from dpanet.datasets.scene import Scene
from dpanet.errors import ConfigError, DatasetError, why_no_folder

__all__ = [
    "LAYOUTS",
    "SPLITS",
    "TRAINING_SPLITS",
    "Dataset",
    "Layout",
    "Scene",
    "TrainingSplit",
    "open_dataset",
    "open_training_dataset",
]

Layout = Literal["dpdd", "restormer", "pixel4", "pairs"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)

SPLITS: dict[Layout, tuple[str, ...]] = {"dpdd": dpdd.SPLITS, "restormer": restormer.SPLITS}
"""The splits of each layout that has splits."""

TrainingSplit = Literal["train", "val"]
"""Splits for training: weights are fitted on ``train`` and chosen on ``val``; never ``test``."""
TRAINING_SPLITS: tuple[TrainingSplit, ...] = get_args(TrainingSplit)


@dataclass(frozen=True)
class Dataset:
    """A data set whose files are complete and fit each other."""

    layout: Layout
    """How its files are arranged."""
    split: str | None
    """Its split, None for a layout without splits."""
    scenes: tuple[Scene, ...]
    """Its scenes in order."""
    aligned: bool
    """Whether the aligned protocol is reported besides the published one."""
    bits: int
    """8 or 16, the lowest depth of views and truths."""
    match_color: bool = False
    """Whether outputs are brought to the truth's colors before they are scored."""


def open_dataset(
    root: Path,
    layout: Layout,
    *,
    split: str = "test",
    calibration: Path | None = None,
    match_color: bool = False,
    align: bool = False,
    bits: int | None = None,
) -> Dataset:
    """Find the scenes of a data set and check all its files; no picture is decoded.

    Args:
        root: the data set's folder.
        layout: how its files are arranged.
        split: of ``dpdd`` (train, val, test) or ``restormer`` (train, test); ignored defaults for other layouts.
        calibration: folder of the white sheets, ``pixel4`` only; ``ROOT/calibration`` if None.
        match_color: bring outputs to the truth's colors, since it was exposed separately; not for ``pixel4``.
        align: report the aligned protocol too; always done for ``pixel4``.
        bits: lowest depth to accept; if None 16, or 8 for ``pairs``. Raw Pixel 4 files always have 16.

    Raises:
        ConfigError: for arguments that contradict each other.
        DatasetError: once, with all problems of the files: a missing view or truth, unequal counts, an extra file,
            mixed sizes, too few bits, an unreadable file, labels that do not fit, two files of one name, no
            calibration, no scenes.
    """
    root = Path(root)
    _check_arguments(layout, split, calibration, match_color, bits)
    if not root.is_dir():
        problem = why_no_folder(root)
        raise DatasetError(f"{problem}; give the folder of a data set", (problem,))
    check = DatasetCheck(root)
    if layout == "dpdd":
        scenes = find_dpdd(check, root, split, bits or 16, match_color)
    elif layout == "restormer":
        scenes = find_restormer(check, root, split, bits or 16, match_color)
    elif layout == "pixel4":
        scenes = find_pixel4(check, root, calibration)
    else:
        scenes = find_pairs_with_truth(check, root, bits or 8, match_color)
    part = split if layout in SPLITS else None
    check.raise_problems(f"a data set of layout {layout}" + (f", split {part}" if part else ""))
    return Dataset(layout, part, tuple(scenes), align or layout == "pixel4", check.bits, match_color)


def open_training_dataset(
    root: Path, layout: Layout, split: TrainingSplit, *, bits: int | None = None
) -> Dataset:
    """Open a split that training may see.

    Raises:
        ConfigError: for ``test``, and for a layout without that split.
        DatasetError: as `open_dataset`.
    """
    if split not in TRAINING_SPLITS:
        raise ConfigError(
            f"the split is {split!r}; training may only see {' or '.join(TRAINING_SPLITS)}, so give one of these"
        )
    if split not in SPLITS.get(layout, ()):
        raise ConfigError(
            f"layout {layout} has no split {split}; give a data set that has one (dpdd has train and val)"
        )
    return open_dataset(root, layout, split=split, bits=bits)


def _check_arguments(
    layout: str, split: str, calibration: Path | None, match_color: bool, bits: int | None
) -> None:
    if layout not in LAYOUTS:
        raise ConfigError(f"the layout is {layout!r}; it must be one of {', '.join(LAYOUTS)}")
    splits = SPLITS.get(layout, ("test",))
    if split not in splits:
        raise ConfigError(
            f"layout {layout} has no split {split!r}; "
            + (
                f"it has {', '.join(splits)}"
                if layout in SPLITS
                else "its scenes are not split, so leave it out"
            )
        )
    if bits not in (None, 8, 16):
        raise ConfigError(f"bits is {bits}; it must be 8 or 16")
    if calibration is not None and layout != "pixel4":
        raise ConfigError(f"layout {layout} has no calibration; leave the folder out, or give layout pixel4")
    if match_color and layout == "pixel4":
        raise ConfigError(
            "layout pixel4 has one exposure for views and truth; leave the matching of colors out"
        )
