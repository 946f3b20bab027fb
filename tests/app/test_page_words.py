"""Sentences of the library as the page says them."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from app.running_app import Visitor

from dpanet import Picture, read_pair, write_picture
from dpanet.app.page_words import CAMERAS, merge_notes, use_page_words
from dpanet.images.raw import PIXEL4


def write_raw(path: Path, seed: int, size: tuple[int, int]) -> Path:
    """Write gray codes between a black level and half of white, as a sensor's."""
    rng = np.random.default_rng(seed)
    codes = rng.uniform(1100, 16000, size).astype(np.float32) / 65535
    write_picture(Picture(codes[..., None].repeat(3, 2), "srgb", {"gray": True}), path, bits=16)
    return path


@pytest.mark.parametrize("size", [(40, 56), PIXEL4.size])
def test_notes_on_raw_views_name_no_option(tmp_path: Path, size: tuple[int, int]) -> None:
    left, right = (
        write_raw(tmp_path / f"{side}.png", seed, size) for seed, side in enumerate(("left", "right"))
    )
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        read_pair(left, right)
    raw = [str(warning.message) for warning in seen if "looks like raw values" in str(warning.message)]
    assert len(raw) == 2
    for sentence in raw:
        assert "--black-level" in sentence
        assert sentence.endswith(", and --output-encoding srgb for a picture to look at")
        text = use_page_words(sentence)
        assert not re.search(r"--[a-z]", text)
        if size == PIXEL4.size:
            end = "under Camera, and for a picture to look at “as on screen” under Brightness values"
            assert text.endswith(f"choose “{CAMERAS['pixel4']}” {end}")
        else:
            assert text.endswith("use the command dpanet deblur, which takes the levels of its camera")


def test_a_camera_is_named_as_in_the_page() -> None:
    text = "taken for views of the Pixel capture app (--camera pixel-app), as"
    assert (
        use_page_words(text)
        == f"taken for views of the Pixel capture app (“{CAMERAS['pixel-app']}” under Camera), as"
    )
    assert use_page_words("leave out --camera canon-right") == "choose “Recognize it” under Camera"
    assert use_page_words("add --camera canon-right") == f"choose “{CAMERAS['canon-right']}” under Camera"
    text = "x.png is a text, which is not read; name a picture file"
    assert use_page_words(text) == "x.png is not a picture; choose another file"


def test_what_holds_for_both_files_is_said_once() -> None:
    notes = ("a.png ends at 1023; choose x", "aa.png ends at 1019; choose x", "aa.png is old", "both differ")
    assert merge_notes(notes, "a.png", "aa.png") == (
        "a.png ends at 1023; choose x. The same is true of aa.png",
        "aa.png is old",
        "both differ",
    )
    assert merge_notes(("c.dng is odd", "c.dng is odd"), "c.dng", None) == ("c.dng is odd",)


def test_notes_are_there_while_the_network_runs(visitor: Visitor, tmp_path: Path) -> None:
    paths = [
        write_raw(tmp_path / f"{side}.png", seed, (300, 400)) for seed, side in enumerate(("left", "right"))
    ]
    job = visitor.send(*paths)
    early = []
    while (state := visitor.json("GET", job))["state"] in ("waiting", "working"):
        early.append(state["notes"])
    assert early[-1] == state["notes"]
    (note,) = (text for text in state["notes"] if "raw values of a sensor" in text)
    assert note.endswith("The same is true of right.png")
