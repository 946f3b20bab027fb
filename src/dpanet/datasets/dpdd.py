"""The layout ``dpdd``: DPDD as its authors publish it, ``{train,val,test}_{c,l,r}/{source,target}``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dpanet.datasets.captures import read_picture_capture
from dpanet.datasets.dataset_check import DatasetCheck, existing
from dpanet.datasets.labels import read_labels
from dpanet.datasets.scene import Scene

SPLITS = ("train", "val", "test")


def find_dpdd(
    check: DatasetCheck, root: Path, split: str, bits: int, match_color: bool = False
) -> list[Scene]:
    """List the scenes of a split, sorted by the name of the combined picture; problems go to `check`.

    Files: the combined picture ``SPLIT_c/source/NAME.png``; its views ``SPLIT_l/source/NAME_L.png`` and
    ``SPLIT_r/source/NAME_R.png``; the truth ``SPLIT_c/target/OTHER.png``, taken one shot before or after.
    ``indoor_labels.npy`` and ``outdoor_labels.npy`` beside ``test_c`` label the test split.

    OTHER does not follow from NAME, so scenes and truths are paired in sorted order. Only their numbers can be
    compared: which truth is missing cannot be seen.

    Source:
        Abuolaim and Brown, ECCV 2020, and their `data.py`.
    """
    sources = check.list_by_name(root / f"{split}_c" / "source")
    left = check.list_by_name(root / f"{split}_l" / "source", "_L")
    right = check.list_by_name(root / f"{split}_r" / "source", "_R")
    truths = check.list_pictures(root / f"{split}_c" / "target")
    names = check.match_names([sources, left, right])
    if sources is None or left is None or right is None or truths is None:
        return []
    if len(truths) != len(names):
        check.add_problem(
            f"{split}_c/target has {len(truths)} pictures for {len(names)} scenes, "
            "which are paired in sorted order"
        )
    labels = read_labels(check, root, names) if split == "test" else {}
    scenes = []
    paired = truths if len(truths) == len(names) else [None] * len(names)
    for name, truth in zip(names, paired, strict=True):
        combined, one, other = (listing.files.get(name) for listing in (sources, left, right))
        check.check_scene(existing(one, other), existing(combined, truth), bits)
        if one is not None and other is not None and truth is not None:
            load = partial(read_picture_capture, name, one, other, truth, match_color)
            scenes.append(Scene(name, one, other, truth, load, labels.get(name), combined=combined))
    return scenes
