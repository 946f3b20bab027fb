"""What the site says of values that look raw, or have another white: what the package says of the same files."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import png
import pytest
from app.site.site_page import open_site, read

from dpanet import read_picture

RAMP = np.random.default_rng(4).random((40, 60))

PICTURES: dict[str, tuple[Any, str]] = {
    "raw-14": (1024 + RAMP * 0.5 * 15359, "looks like raw values of a sensor"),
    "raw-12": (256 + RAMP * 3839, "looks like raw values of a sensor"),
    "raw-with-a-dead-pixel": (
        np.where(RAMP.min() == RAMP, 0, 600 + RAMP * 9000),
        "looks like raw values",
    ),
    "twelve-bits": (RAMP * 4095, "no value above"),
    "fog": (20000 + RAMP * 20000, ""),
    "dark": (RAMP * 9000, ""),
    "eight-bits": (np.rint(10 + RAMP * 40) * 257, ""),
    "flat": (np.full_like(RAMP, 5000), ""),
}
"""Gray codes of 16 bits, and how the note begins; none if it is empty."""


@pytest.fixture(scope="module")
def page(chromium: Any, site: Path, serve: Callable[[Path], str]) -> Iterator[Any]:
    context = chromium.new_context()
    yield open_site(context, serve(site))
    context.close()


@pytest.mark.parametrize("kind", PICTURES)
def test_the_notes_on_values_are_those_of_the_package(page: Any, tmp_path: Path, kind: str) -> None:
    codes, start = PICTURES[kind]
    path = tmp_path / "view.png"
    with path.open("wb") as file:
        rows = np.rint(codes).astype(np.uint16).tolist()
        png.Writer(60, 40, bitdepth=16, greyscale=True).write(file, rows)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        read_picture(path)
    sentences = [str(warning.message).replace(str(path), "view.png") for warning in seen]
    notes = read(page, "view.png", path.read_bytes())["notes"]
    # up to the remedy, which is a command's option there and the program here
    assert [note.partition("; if")[0] for note in notes] == [one.partition("; if")[0] for one in sentences]
    assert [start in note for note in notes] == ([True] if start else [])
    assert not [note for note in notes if "--" in note]


def test_an_empty_file_is_named(page: Any) -> None:
    assert read(page, "view.tif", b"") == {"error": "view.tif is empty; export or copy it again"}
