"""Find the two views of each capture in a folder, by name, never by position in a listing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dpanet.errors import PairError

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".webp")

_VIEW = re.compile(r"(?P<name>.+)_(?P<side>left|right)", re.IGNORECASE)


@dataclass(frozen=True)
class NamedPair:
    """The files of one capture."""

    name: str
    """Of the capture."""
    left: Path
    """Its left view."""
    right: Path
    """Its right view."""


def find_pairs(folder: str | os.PathLike[str]) -> tuple[list[NamedPair], list[str]]:
    """List the pairs of a folder, and the views without a partner.

    Pairs are NAME_left.* with NAME_right.*, or, where there is a folder inputL or inputR, inputL/NAME.* with
    inputR/NAME.*. If a name has two candidates for one side, all its files are unpaired. Other pictures are ignored.

    Returns:
        The pairs, and the paths of unpaired views relative to the folder; both in natural order (2 before 10).

    Raises:
        PairError: if the folder does not exist or contains no views.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise PairError(f"{folder} is not a folder; give a folder of pairs, or a left and a right view")
    sides: dict[str, dict[str, list[Path]]] = {}
    for name, side, path in _by_folders(folder) if _has_folders(folder) else _by_names(folder):
        sides.setdefault(name, {"left": [], "right": []})[side].append(path)
    if not sides:
        raise PairError(
            f"{folder} contains no views; they are named NAME_left.png and NAME_right.png (or .tif, .jpg), "
            "or lie under one name in inputL and inputR"
        )
    pairs, unpaired = [], []
    for name, found in sides.items():
        if len(found["left"]) == len(found["right"]) == 1:
            pairs.append(NamedPair(name, found["left"][0], found["right"][0]))
        else:
            unpaired += [path.relative_to(folder).as_posix() for path in found["left"] + found["right"]]
    return sorted(pairs, key=lambda pair: natural_key(pair.name)), sorted(unpaired, key=natural_key)


def _has_folders(folder: Path) -> bool:
    return (folder / "inputL").is_dir() or (folder / "inputR").is_dir()


def _by_folders(folder: Path) -> Iterable[tuple[str, str, Path]]:
    for side, inside in (("left", folder / "inputL"), ("right", folder / "inputR")):
        if inside.is_dir():
            yield from ((path.stem, side, path) for path in _pictures(inside))


def _by_names(folder: Path) -> Iterable[tuple[str, str, Path]]:
    for path in _pictures(folder):
        if view := _VIEW.fullmatch(path.stem):
            yield view["name"], view["side"].lower(), path


def _pictures(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]


def natural_key(name: str) -> list[tuple[int, int | str]]:
    """Return a sorting key under which 2 comes before 10."""
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", name)]
