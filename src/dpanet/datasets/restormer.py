"""The layout ``restormer``: DPDD as Restormer's authors pass it on, ``SPLIT/DPDD/{inputL,inputR,inputC,target}``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dpanet.datasets.captures import read_picture_capture
from dpanet.datasets.dataset_check import DatasetCheck, existing
from dpanet.datasets.labels import read_labels
from dpanet.datasets.scene import Scene
from dpanet.errors import ConfigError
from dpanet.images.pairing import natural_key

SPLITS = ("train", "test")

_PARTS = ("inputL", "inputR", "target")


def find_restormer(
    check: DatasetCheck, root: Path, split: str, bits: int, match_color: bool = False
) -> list[Scene]:
    """List the scenes of a split in natural order of name (2 before 10); problems go to `check`.

    Files, in ``SPLIT/DPDD`` of the root or in the root itself: the views ``inputL/NAME.png`` and
    ``inputR/NAME.png``, the truth ``target/NAME.png``, and the combined picture ``inputC/NAME.png`` if there is that
    folder. ``indoor_labels.npy`` and ``outdoor_labels.npy`` beside them label the test split, by position in natural
    order.

    Raises:
        ConfigError: if the root is a DPDD folder that may be of another split.

    Source:
        Zamir et al., CVPR 2022, and their `test_dual_pixel_defocus_deblur.py`.
    """
    base = _find_base(root, split)
    listings = [check.list_by_name(base / part) for part in _PARTS]
    combined = check.list_by_name(base / "inputC") if (base / "inputC").is_dir() else None
    names = check.match_names(listings if combined is None else [*listings, combined], natural_key)
    labels = read_labels(check, base, names) if split == "test" else {}
    scenes = []
    for name in names:
        left, right, truth = (None if part is None else part.files.get(name) for part in listings)
        own = None if combined is None else combined.files.get(name)
        check.check_scene(existing(left, right), existing(truth, own), bits)
        if left is not None and right is not None and truth is not None:
            load = partial(read_picture_capture, name, left, right, truth, match_color)
            scenes.append(Scene(name, left, right, truth, load, labels.get(name), combined=own))
    return scenes


def _find_base(root: Path, split: str) -> Path:
    """Return the folder of the parts; without its split's name above it, it is a test set, never for training."""
    if (root / split / "DPDD").is_dir() or not any((root / part).is_dir() for part in _PARTS):
        return root / split / "DPDD"
    above = root.resolve().parent.name
    if above != split and "train" in (above, split):
        raise ConfigError(
            f"{root} lies in {above!r} and not in {split!r}, so it may be of another split; "
            f"give the folder that holds {split}/DPDD"
        )
    return root
