"""A plain folder: ``NAME_left``, ``NAME_right``, ``NAME_sharp``, and what other methods made of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dpanet.datasets.captures import load_display
from dpanet.datasets.inspection import Inspection, Listing, existing
from dpanet.datasets.scene import Scene
from dpanet.images.pairing import natural_key

SUFFIXES = (".png", ".tif", ".tiff")

_ROLES = ("left", "right", "sharp")
_TAKEN = ("none", "truth")
"""Names that the report gives to the mean of the views and to the truth."""


def find_pairs_with_truth(
    inspection: Inspection, root: Path, bits: int, match_color: bool = False
) -> list[Scene]:
    """The scenes of a folder in natural order of name.

    Layout: PNG or TIFF, sRGB. ``NAME_METHOD`` beside a scene is the finished picture of another method; a
            method has to come with every scene, so that its mean is over the same pictures as the others'.
    """
    parts: dict[str, list[tuple[str, Path]]] = {role: [] for role in _ROLES}
    rest: list[Path] = []
    for path in inspection.pictures(root) or []:
        name, _, role = path.stem.rpartition("_")
        if path.suffix.lower() not in SUFFIXES:
            inspection.note(f"{path.name} is an extra file (neither PNG nor TIFF)")
        elif name and role.lower() in parts:
            parts[role.lower()].append((name, path))
        else:
            rest.append(path)
    listings = [Listing(root, inspection.unique(parts[role]), f"_{role}.png") for role in _ROLES]
    names = inspection.agree(listings, natural_key)
    finished = _finished(inspection, rest, names)
    scenes = []
    for name in names:
        left, right, sharp = (listing.files.get(name) for listing in listings)
        inspection.scene(existing(left, right), existing(sharp), bits, finished[name].values())
        if left is not None and right is not None and sharp is not None:
            load = partial(load_display, name, left, right, sharp, match_color)
            scenes.append(Scene(name, left, right, sharp, load, finished=finished[name]))
    return scenes


def _finished(inspection: Inspection, paths: list[Path], names: list[str]) -> dict[str, dict[str, Path]]:
    """The methods' pictures of each scene; a name that fits two scenes belongs to the longer one."""
    finished: dict[str, dict[str, Path]] = {name: {} for name in names}
    for path in paths:
        name = max((name for name in names if path.stem.startswith(f"{name}_")), key=len, default="")
        method = path.stem.removeprefix(f"{name}_")
        if not name or not method:
            inspection.note(f"{path.name} is an extra file (it belongs to no scene)")
        elif method.lower() in _TAKEN:
            inspection.note(f"{path.name} gives a method the name {method}, which is taken")
        elif method in finished[name]:
            inspection.note(f"{finished[name][method].name} and {path.name} have one name")
        else:
            finished[name][method] = path
    for method in sorted({method for files in finished.values() for method in files}):
        for name in names:
            if method not in finished[name]:
                inspection.note(f"{name}_{method}.png is missing (other scenes have it)")
    return finished
