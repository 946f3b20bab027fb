"""Which scenes of DPDD's test split are indoor and which outdoor, as Restormer's authors tell them apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dpanet.datasets.inspection import Inspection

LABELS = ("indoor", "outdoor")


def read_labels(inspection: Inspection, folder: Path, names: list[str]) -> dict[str, str]:
    """The label of each scene, from ``indoor_labels.npy`` and ``outdoor_labels.npy``; none without the files.

    Each file holds positions in `names`, counted from 1. A position that is in both, in neither or out of
    range is a problem.
    """
    files = {label: folder / f"{label}_labels.npy" for label in LABELS}
    missing = [path for path in files.values() if not path.is_file()]
    if missing:
        if len(missing) == 1:
            inspection.note(f"{inspection.name(missing[0])} is missing")
        return {}
    labels: dict[str, str] = {}
    for label, path in files.items():
        positions = _positions(inspection, path)
        if positions is None:
            return {}
        for position in positions:
            if not 1 <= position <= len(names):
                inspection.note(
                    f"{inspection.name(path)} names scene {position} of {len(names)} (counted from 1)"
                )
            elif names[position - 1] in labels:
                inspection.note(f"{inspection.name(path)} names scene {position}, which is named already")
            else:
                labels[names[position - 1]] = label
    for position, name in enumerate(names, start=1):
        if name not in labels:
            inspection.note(f"scene {position}, {name}, has no label")
    return labels


def _positions(inspection: Inspection, path: Path) -> list[int] | None:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        inspection.note(f"{inspection.name(path)} is no readable NumPy array")
        return None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iu":
        inspection.note(f"{inspection.name(path)} holds no whole numbers")
        return None
    return [int(position) for position in array.ravel()]
