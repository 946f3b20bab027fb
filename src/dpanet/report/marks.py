"""One colour and one shape per method, the same in tables, plots and pictures."""

from __future__ import annotations

from dpanet.report.markup import Html, element

SHAPES = (
    "M-4.5 0A4.5 4.5 0 1 1 4.5 0A4.5 4.5 0 1 1-4.5 0Z",  # disc
    "M0-5.8L5.8 0L0 5.8L-5.8 0Z",  # diamond
    "M-4.2-4.2H4.2V4.2H-4.2Z",  # square
    "M0-5.2L5.4 4.4H-5.4Z",  # triangle
    "M0 5.2L5.4-4.4H-5.4Z",  # triangle on its tip
)
"""Paths around the origin, about 10 px wide."""

COLOURS = 8
"""How many the style sheet has, ``m0`` to ``m7``; doing nothing is the gray ``m-none``."""


def colour_class(index: int) -> str:
    """Class of the method at `index` of the table, whose first is doing nothing."""
    return "m-none" if index == 0 else f"m{(index - 1) % COLOURS}"


def shape(index: int) -> Html:
    """The method's mark inside a drawing, around the origin."""
    path = SHAPES[0] if index == 0 else SHAPES[(index - 1) % len(SHAPES)]
    return element("path", d=path, class_=f"mark {colour_class(index)}")


def mark(index: int) -> Html:
    """The method's mark inside a text."""
    return element("svg", shape(index), viewBox="-7 -7 14 14", class_="swatch", aria_hidden="true")
