"""The layout ``pairs``: a folder of ``NAME_left``, ``NAME_right``, ``NAME_sharp``, and other methods' pictures."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dpanet.datasets.captures import read_picture_capture
from dpanet.datasets.dataset_check import DatasetCheck, NamedFiles, existing
from dpanet.datasets.scene import Scene
from dpanet.images.pairing import natural_key

SUFFIXES = (".png", ".tif", ".tiff")

_ROLES = ("left", "right", "sharp")
_RESERVED = ("none", "truth")
"""The report's names of the mean of the views and of the truth."""


def find_pairs_with_truth(
    check: DatasetCheck, root: Path, bits: int, match_color: bool = False
) -> list[Scene]:
    """List the scenes of a folder in natural order of name (2 before 10); problems go to `check`.

    Files: PNG or TIFF, sRGB. ``NAME_METHOD`` is the finished picture of another method. Every scene must have it, so
    that the means of all methods are over the same scenes.
    """
    parts: dict[str, list[tuple[str, Path]]] = {role: [] for role in _ROLES}
    rest: list[Path] = []
    for path in check.list_pictures(root) or []:
        name, _, role = path.stem.rpartition("_")
        if path.suffix.lower() not in SUFFIXES:
            check.add_problem(f"{path.name} is an extra file (neither PNG nor TIFF)")
        elif name and role.lower() in parts:
            parts[role.lower()].append((name, path))
        else:
            rest.append(path)
    listings = [NamedFiles(root, check.index_by_name(parts[role]), f"_{role}.png") for role in _ROLES]
    names = check.match_names(listings, natural_key)
    finished = _find_finished(check, rest, names)
    scenes = []
    for name in names:
        left, right, sharp = (listing.files.get(name) for listing in listings)
        check.check_scene(existing(left, right), existing(sharp), bits, finished[name].values())
        if left is not None and right is not None and sharp is not None:
            load = partial(read_picture_capture, name, left, right, sharp, match_color)
            scenes.append(Scene(name, left, right, sharp, load, finished=finished[name]))
    return scenes


def _find_finished(check: DatasetCheck, paths: list[Path], names: list[str]) -> dict[str, dict[str, Path]]:
    """Return the finished pictures of each scene by method; a name that fits two scenes belongs to the longer one."""
    finished: dict[str, dict[str, Path]] = {name: {} for name in names}
    for path in paths:
        name = max((name for name in names if path.stem.startswith(f"{name}_")), key=len, default="")
        method = path.stem.removeprefix(f"{name}_")
        if not name or not method:
            check.add_problem(f"{path.name} is an extra file (it belongs to no scene)")
        elif method.lower() in _RESERVED:
            check.add_problem(f"{path.name} gives a method the reserved name {method}")
        elif method in finished[name]:
            check.add_problem(f"{finished[name][method].name} and {path.name} have one name")
        else:
            finished[name][method] = path
    for method in sorted({method for files in finished.values() for method in files}):
        for name in names:
            if method not in finished[name]:
                check.add_problem(f"{name}_{method}.png is missing (other scenes have it)")
    return finished
