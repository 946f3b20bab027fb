"""How errors show the names of files."""

import os
from pathlib import Path

import pytest

from dpanet.errors import shown


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.png", "a.png"),
        ("Größe und 写真.png", "Größe und 写真.png"),
        (os.fsdecode(b"a\xff.png"), r"a\xff.png"),
        ("a\nb.png", r"a\nb.png"),
        ("a\x1b[31m.png", r"a\x1b[31m.png"),
        ("a\u00a0b", r"a\u00a0b"),
        ("a\u2028b\u202eb", r"a\u2028b\u202eb"),
    ],
)
def test_a_name_is_shown_on_one_line_that_can_be_printed(name: str, text: str) -> None:
    assert shown(name) == text
    assert shown(Path(name)) == text
    text.encode()
