"""What is known of the makers whose files contain the two halves of a dual-pixel sensor."""

from __future__ import annotations

from typing import Literal

Side = Literal["left", "right"]

SIDE_OF_SECOND_FRAME: dict[str, Side] = {"canon": "left"}
"""Maker, as the file states it, in lower case -> the half of the sensor that its second frame is.

The first frame is the light of both halves. No published source says which half Canon records; "left" is not
confirmed on a real capture. `dpanet inspect` says of a picture whether its views look swapped.
"""


def second_frame(make: str) -> Side | None:
    """Return the half of the sensor that the second frame of this maker's files is; None for an unknown maker."""
    words = make.lower().split()
    return SIDE_OF_SECOND_FRAME.get(words[0]) if words else None
