"""Find the capture of which one file is known: the other view lies beside it, under a name that says so."""

from __future__ import annotations

import re
from pathlib import Path

from dpanet.errors import PairError, UnreadableImageError, shown
from dpanet.images.pairing import SIDE_FOLDERS, VIEW, NamedPair, find_pairs

_OTHER = {"left": "right", "right": "left"}


def find_capture(file: Path) -> NamedPair:
    """Return both views of the capture that a file is one view of; no file is opened.

    Views are NAME_left.* and NAME_right.* in one folder, or have one name in inputL and inputR.

    Args:
        file: the left or the right view.

    Raises:
        UnreadableImageError: if there is no such file.
        PairError: if it is not named as a view, or the other view is missing or ambiguous; the text says how to
            name it.
    """
    if not file.is_file():
        what = "is a folder; name a picture in it" if file.is_dir() else "does not exist; check the name"
        raise UnreadableImageError(f"{shown(file)} {what}")
    place = file.absolute()
    view, inner = VIEW.fullmatch(file.stem), SIDE_FOLDERS.get(place.parent.name)
    if view is None and inner is None:
        stem, suffix = shown(file.stem), shown(file.suffix)
        raise PairError(
            f"{shown(file)} has no second view: name the two views {stem}_left{suffix} and {stem}_right{suffix} in "
            "one folder, or give a camera's raw file with both views"
        )
    found = find_pairs(place.parent.parent if inner else place.parent)
    for pair in found.pairs:
        if any(_is_same(path, place) for path in (pair.left, pair.right) if path is not None):
            return pair
    if inner:
        folder = next(name for name, side in SIDE_FOLDERS.items() if side != inner)
        start = re.escape(shown(place.parent.with_name(folder) / file.stem))
        advice = (
            f"put the {_OTHER[inner]} view, named {shown(file.name)}, into the folder {folder} beside "
            f"{place.parent.name}"
        )
    else:
        assert view is not None
        name, gap, other = shown(view["name"]), view["gap"], _OTHER[view["side"].lower()]
        start = f"(?i:{re.escape(shown(place.with_name(name)))}[_ ]{other})"
        advice = (
            f"name the {other} view {name}{gap}{other}{shown(file.suffix)} and put it into the same folder"
        )
    problem = next((text for text in found.problems if re.search(rf"{start}\.", text)), None)
    raise PairError(problem or f"{shown(file)} has no second view: {advice}")


def _is_same(path: Path, place: Path) -> bool:
    """Whether two paths lead to one file, which some disks find under other cases of its letters too."""
    return path.name.casefold() == place.name.casefold() and path.samefile(place)
