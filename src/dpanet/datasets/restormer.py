"""DPDD as Restormer's authors pass it on: ``{test,train}/DPDD/{inputL,inputR,inputC,target}``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dpanet.datasets.captures import load_display
from dpanet.datasets.inspection import Inspection, existing
from dpanet.datasets.labels import read_labels
from dpanet.datasets.scene import Scene
from dpanet.errors import ConfigError
from dpanet.images.pairing import natural_key

SPLITS = ("train", "test")

_PARTS = ("inputL", "inputR", "target")


def find_restormer(
    inspection: Inspection, root: Path, split: str, bits: int, match_color: bool = False
) -> list[Scene]:
    """The scenes of a split in natural order of name.

    Layout: the views ``inputL/NAME.png`` and ``inputR/NAME.png``, the truth ``target/NAME.png``, and, where
            there is the folder, the combined picture ``inputC/NAME.png``; all in ``SPLIT/DPDD`` of the root,
            or in the root itself. ``indoor_labels.npy`` and ``outdoor_labels.npy`` beside them label the
            test split, by position in natural order.
    Raises: ConfigError if the root is a DPDD folder that may be of another split.
    Source: Zamir et al., CVPR 2022, and their `test_dual_pixel_defocus_deblur.py`.
    """
    base = _base(root, split)
    listings = [inspection.listing(base / part) for part in _PARTS]
    combined = inspection.listing(base / "inputC") if (base / "inputC").is_dir() else None
    names = inspection.agree(listings if combined is None else [*listings, combined], natural_key)
    labels = read_labels(inspection, base, names) if split == "test" else {}
    scenes = []
    for name in names:
        left, right, truth = (None if part is None else part.files.get(name) for part in listings)
        own = None if combined is None else combined.files.get(name)
        inspection.scene(existing(left, right), existing(truth, own), bits)
        if left is not None and right is not None and truth is not None:
            load = partial(load_display, name, left, right, truth, match_color)
            scenes.append(Scene(name, left, right, truth, load, labels.get(name), combined=own))
    return scenes


def _base(root: Path, split: str) -> Path:
    """Where the parts lie. A DPDD folder without its split above it passes for the test set, never for training."""
    if (root / split / "DPDD").is_dir() or not any((root / part).is_dir() for part in _PARTS):
        return root / split / "DPDD"
    above = root.resolve().parent.name
    if above != split and "train" in (above, split):
        raise ConfigError(
            f"{root} lies in {above!r} and not in {split!r}, so it may be of another split; "
            f"give the folder that holds {split}/DPDD"
        )
    return root
