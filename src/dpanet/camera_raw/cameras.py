"""What is known of the makers whose files contain the two halves of a dual-pixel sensor."""

from __future__ import annotations

from typing import Literal

Side = Literal["left", "right"]

SIDE_OF_SECOND_FRAME: dict[str, Side] = {"canon": "left"}
"""Maker, the first word that the file states, in lower case -> the half of the sensor that its second frame is.

The first frame is the light of both halves. No published source says which half Canon records; "left" is not
confirmed on a real capture, so the command line looks at each picture and says if its views look swapped.
"""

STATED: dict[str, Side] = {"canon": "left", "canon-right": "right"}
"""What a user may state of a file with frames like Canon's -> the half that its second frame is."""


def second_frame(make: str, stated: str | None = None) -> Side | None:
    """Return the half of the sensor that the second frame is; None for an unknown maker.

    Args:
        make: maker, as the file states it.
        stated: a key of `STATED`, which counts more; None to believe the file.
    """
    if stated is not None:
        return STATED[stated]
    words = make.lower().split()
    return SIDE_OF_SECOND_FRAME.get(words[0]) if words else None
