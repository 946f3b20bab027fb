"""Labels of DPDD's test scenes, indoor or outdoor, in the files of Restormer's authors."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dpanet.datasets.dataset_check import DatasetCheck

LABELS = ("indoor", "outdoor")


def read_labels(check: DatasetCheck, folder: Path, names: list[str]) -> dict[str, str]:
    """Read the label of each scene from ``indoor_labels.npy`` and ``outdoor_labels.npy``; empty without these files.

    Each file has positions in `names`, counted from 1. A position that is in both files, in neither or out of range
    is a problem.
    """
    files = {label: folder / f"{label}_labels.npy" for label in LABELS}
    missing = [path for path in files.values() if not path.is_file()]
    if missing:
        if len(missing) == 1:
            check.add_problem(f"{check.relative_name(missing[0])} is missing")
        return {}
    labels: dict[str, str] = {}
    for label, path in files.items():
        positions = _read_positions(check, path)
        if positions is None:
            return {}
        for position in positions:
            if not 1 <= position <= len(names):
                check.add_problem(
                    f"{check.relative_name(path)} names scene {position} of {len(names)} (counted from 1)"
                )
            elif names[position - 1] in labels:
                check.add_problem(
                    f"{check.relative_name(path)} names scene {position}, which is named already"
                )
            else:
                labels[names[position - 1]] = label
    for position, name in enumerate(names, start=1):
        if name not in labels:
            check.add_problem(f"scene {position}, {name}, has no label")
    return labels


def _read_positions(check: DatasetCheck, path: Path) -> list[int] | None:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        check.add_problem(f"{check.relative_name(path)} is not a readable NumPy array")
        return None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iu":
        check.add_problem(f"{check.relative_name(path)} is not an array of whole numbers")
        return None
    return [int(position) for position in array.ravel()]
