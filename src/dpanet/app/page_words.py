"""Sentences of the library in the words of the page, which has controls where the command line has options."""

from __future__ import annotations

import re
from collections.abc import Iterable

CAMERAS = {
    "pixel4": "Pixel 4: raw views as two files",
    "pixel-app": "Views of the Pixel capture app",
    "canon": "Raw file of an unknown maker, like Canon's",
    "canon-right": "Canon, the second frame is the right half",
}
"""Values of the option ``--camera``, and what the page calls them."""

RECOGNIZE = "Recognize it"
"""What the page calls no camera."""

_LEVELS = "--black-level and --white-level"

_FOR_VIEWING = ", and --output-encoding srgb for a picture to look at"

_SENTENCES = (
    (f", or state its levels with {_LEVELS} for another camera", ""),
    (
        f"state its levels with {_LEVELS}{_FOR_VIEWING}",
        "use the command dpanet deblur, which takes the levels of its camera",
    ),
    (_FOR_VIEWING, ", and for a picture to look at “as on screen” under Brightness values"),
    (f"state it with {_LEVELS}", "use the command dpanet deblur, which takes it"),
    ("add --encoding linear", "use the command dpanet deblur with --encoding linear"),
    ("is a text, which is not read; name a picture file", "is not a picture; choose another file"),
)
"""What the library says, and what is said instead."""

_CAMERA = re.compile(rf"(add |leave out |)--camera ({'|'.join(sorted(CAMERAS, reverse=True))})")


def use_page_words(text: str) -> str:
    """Return a sentence that names the page's controls instead of the command line's options."""
    for theirs, ours in _SENTENCES:
        text = text.replace(theirs, ours)

    def name_camera(match: re.Match[str]) -> str:
        chosen = RECOGNIZE if match[1] == "leave out " else CAMERAS[match[2]]
        return f"choose “{chosen}” under Camera" if match[1] else f"“{chosen}” under Camera"

    return _CAMERA.sub(name_camera, text)


def merge_notes(notes: Iterable[str], left: str, right: str | None) -> tuple[str, ...]:
    """Return notes on two files, each once: what is said of both files alike is said of the left one.

    Args:
        notes: one sentence each, without a period.
        left: name of the left file in them.
        right: name of the right file; None if there is one file only.
    """
    if right is None:
        return tuple(dict.fromkeys(notes))
    names = sorted((left, right), key=len, reverse=True)  # one may contain the other
    either = re.compile("|".join(map(re.escape, names)))
    merged: dict[str, str] = {}
    for note in dict.fromkeys(notes):
        alike = re.sub(r"\d+(\.\d+)?", "#", either.sub("@", note))  # values differ a little
        first = merged.setdefault(alike, note)
        if first != note:
            also = f". The same is true of {right}"
            merged[alike] = first.removesuffix(also) + also
    return tuple(merged.values())
