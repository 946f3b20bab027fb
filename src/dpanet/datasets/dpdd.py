"""DPDD as its authors publish it: ``{train,val,test}_{c,l,r}/{source,target}``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dpanet.datasets.captures import load_display
from dpanet.datasets.inspection import Inspection, existing
from dpanet.datasets.labels import read_labels
from dpanet.datasets.scene import Scene

SPLITS = ("train", "val", "test")


def find_dpdd(
    inspection: Inspection, root: Path, split: str, bits: int, match_color: bool = False
) -> list[Scene]:
    """The scenes of a split in plain order of name, named as their combined pictures.

    Layout: ``SPLIT_c/source/NAME.png``, the combined picture; ``SPLIT_l/source/NAME_L.png`` and
            ``SPLIT_r/source/NAME_R.png``, its views; ``SPLIT_c/target/OTHER.png``, the truth, taken one shot
            before or after. OTHER is no function of NAME, so the truths are paired with the scenes in sorted
            order: a truth that is missing cannot be told from its neighbours, and only the counts are
            compared. ``indoor_labels.npy`` and ``outdoor_labels.npy`` beside ``test_c`` label the test split.
    Source: Abuolaim and Brown, ECCV 2020, and their `data.py`.
    """
    sources = inspection.listing(root / f"{split}_c" / "source")
    left = inspection.listing(root / f"{split}_l" / "source", "_L")
    right = inspection.listing(root / f"{split}_r" / "source", "_R")
    truths = inspection.pictures(root / f"{split}_c" / "target")
    names = inspection.agree([sources, left, right])
    if sources is None or left is None or right is None or truths is None:
        return []
    if len(truths) != len(names):
        inspection.note(
            f"{split}_c/target holds {len(truths)} pictures for {len(names)} scenes, "
            "which are paired in sorted order"
        )
    labels = read_labels(inspection, root, names) if split == "test" else {}
    scenes = []
    paired = truths if len(truths) == len(names) else [None] * len(names)
    for name, truth in zip(names, paired, strict=True):
        combined, one, other = (listing.files.get(name) for listing in (sources, left, right))
        inspection.scene(existing(one, other), existing(combined, truth), bits)
        if one is not None and other is not None and truth is not None:
            load = partial(load_display, name, one, other, truth, match_color)
            scenes.append(Scene(name, one, other, truth, load, labels.get(name), combined=combined))
    return scenes
