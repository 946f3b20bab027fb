"""A data set: its scenes, found and checked as a whole, and read one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from dpanet.datasets import dpdd, restormer
from dpanet.datasets.dpdd import find_dpdd
from dpanet.datasets.inspection import Inspection
from dpanet.datasets.pairs import find_pairs_with_truth
from dpanet.datasets.pixel4 import find_pixel4
from dpanet.datasets.restormer import find_restormer
from dpanet.datasets.scene import Scene
from dpanet.errors import ConfigError, DatasetError

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
"""The splits of the layouts that have any."""

TrainingSplit = Literal["train", "val"]
"""What training may see: weights are fitted on ``train`` and chosen on ``val``; there is no ``test``."""
TRAINING_SPLITS: tuple[TrainingSplit, ...] = get_args(TrainingSplit)


@dataclass(frozen=True)
class Dataset:
    """Scenes whose files were all found, and found to fit each other.

    split:   None where the layout has none.
    aligned: whether the aligned protocol is reported besides the published one.
    bits:    8 or 16; the lowest depth among views and truths.
    match_color: whether outputs are brought to the truth's colors before they are scored.
    """

    layout: Layout
    split: str | None
    scenes: tuple[Scene, ...]
    aligned: bool
    bits: int
    match_color: bool = False


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

    Args:   split: of ``dpdd`` (train, val, test) and ``restormer`` (train, test); the other layouts have none
            and take the default.
            calibration: folder of the white sheets, ``pixel4`` only; ``ROOT/calibration`` unless given.
            match_color: bring outputs to the truth's colours, since it was exposed on its own; not ``pixel4``.
            align: report the aligned protocol too; ``pixel4`` always does.
            bits: lowest depth to accept. Unless given 16, and 8 for ``pairs``; raw Pixel 4 files always have 16.
    Raises: ConfigError for arguments that do not go together; DatasetError, once, with all problems of the
            files: a missing view or truth, unequal counts, an extra file, mixed sizes, too few bits, a file
            that cannot be read, labels that do not fit, two files of one name, no calibration, no scenes.
    """
    root = Path(root)
    _check_arguments(layout, split, calibration, match_color, bits)
    if not root.is_dir():
        raise DatasetError(
            f"{root} is not a folder; give the folder of a data set", (f"{root} is not a folder",)
        )
    inspection = Inspection(root)
    if layout == "dpdd":
        scenes = find_dpdd(inspection, root, split, bits or 16, match_color)
    elif layout == "restormer":
        scenes = find_restormer(inspection, root, split, bits or 16, match_color)
    elif layout == "pixel4":
        scenes = find_pixel4(inspection, root, calibration)
    else:
        scenes = find_pairs_with_truth(inspection, root, bits or 8, match_color)
    part = split if layout in SPLITS else None
    inspection.finish(f"a data set of layout {layout}" + (f", split {part}" if part else ""))
    return Dataset(layout, part, tuple(scenes), align or layout == "pixel4", inspection.bits, match_color)


def open_training_dataset(
    root: Path, layout: Layout, split: TrainingSplit, *, bits: int | None = None
) -> Dataset:
    """A split that training may see, as `open_dataset` finds it.

    Raises: ConfigError for ``test``, here and not only in the types, and for a layout without such a split.
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
            "layout pixel4 has one exposure for views and truth; leave the matching of colours out"
        )
