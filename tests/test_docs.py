"""Pages of docs name files and names that exist, link to pages that exist, and are those of the code as it is."""

import pkgutil
import re
from pathlib import Path

import pytest
from architecture import ROOMS

from dpanet import Deblurrer
from tools import api_reference, command_reference, room_diagram
from tools.docstring_text import to_markdown

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def missing_files(text: str, folder: Path) -> list[str]:
    """Return the files in backquotes and the relative links of a page that do not exist."""
    files = re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|md|json|npz|toml))`", text)
    places = (ROOT, ROOT / "src", ROOT / "src/dpanet")
    absent = [file for file in files if not any((place / file).exists() for place in places)]
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    return absent + [link for link in links if link and "://" not in link and not (folder / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_links_exist(page: Path) -> None:
    assert missing_files(page.read_text(encoding="utf-8"), page.parent) == []


def test_a_missing_file_is_noticed() -> None:
    text = "see `network/dpanet.py`, `network/gone.py` and [a page](docs/network.md), [another](docs/gone.md)"
    assert missing_files(text, ROOT) == ["network/gone.py", "docs/gone.md"]


def links_named_by_their_file(text: str) -> list[str]:
    """Return the links whose text is the name of a page's file, in place of what the page is about."""
    return re.findall(r"\[[^]\n]*\.md\]\([^)]*\)", text)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.name
)
def test_links_say_what_they_lead_to(page: Path) -> None:
    assert links_named_by_their_file(page.read_text(encoding="utf-8")) == []
    assert len(links_named_by_their_file("see [docs/files.md](files.md#a), [files](files.md)")) == 1


def test_the_command_reference_is_up_to_date() -> None:
    assert command_reference.PAGE.read_text(encoding="utf-8") == command_reference.build_page(), (
        "a command has changed; run: make docs-reference"
    )


def test_the_python_reference_is_up_to_date() -> None:
    assert api_reference.PAGE.read_text(encoding="utf-8") == api_reference.build_page(), (
        "a signature or docstring has changed; run: make docs-reference"
    )


def test_docstrings_become_markdown() -> None:
    text = "Return x.\n\nMore ``y``.\n\nArgs:\n    a: of b,\n        or c.\n    d: e.\n\n"
    text += "Raises:\n    Oops: if so.\n\n>>> 1\n1"
    assert to_markdown(text) == (
        "Return x.\n\nMore `y`.\n\n**Args**\n\n- `a`: of b, or c.\n- `d`: e.\n\n**Raises**\n\n- `Oops`: if so.\n\n"
        "```pycon\n>>> 1\n1\n```"
    )


def test_a_section_whose_entries_share_a_row_is_refused() -> None:
    with pytest.raises(ValueError, match=r"begin in the row of its name: a: of b\. c: of d"):
        to_markdown("Return x.\n\nArgs:   a: of b. c: of d.\n        e: of f.")


def test_the_python_reference_has_all_methods_of_a_deblurrer() -> None:
    text = api_reference.build_page()
    signature = "```py\nDeblurrer.{}("
    names = [name for name in dir(Deblurrer) if not name.startswith("_")]
    methods = [name for name in names if callable(getattr(Deblurrer, name))]
    assert {"from_pretrained", "push_to_hub", "save_pretrained", "with_defocus_map"} <= set(methods)
    assert [name for name in methods if text.count(signature.format(name)) != 1] == []


def test_the_drawing_has_every_folder_in_the_order_of_imports() -> None:
    drawn = [room for _, rooms in room_diagram.ROWS for room, _ in rooms]
    assert drawn == [room for room in ROOMS if room != "__main__"]
    assert (ROOT / "docs/pictures/rooms.svg").read_text(encoding="utf-8") == room_diagram.draw_rooms(), (
        "run: make docs-pictures"
    )


def test_every_benchmark_is_named_for_those_who_reproduce_numbers() -> None:
    text = (ROOT / "docs/quickstart-researchers.md").read_text(encoding="utf-8")
    scripts = [file.name for file in (ROOT / "benchmarks").glob("*.py")]
    assert [name for name in scripts if f"benchmarks/{name}" not in text] == []


def test_names_in_the_notation_exist() -> None:
    text = (ROOT / "docs/notation.md").read_text(encoding="utf-8")
    names = [name for name in re.findall(r"`((?:[a-z_]+\.)+\w+)`", text) if not name.endswith(".png")]
    assert len(names) > 20
    assert [name for name in names if resolves(name) is False] == []
    assert not resolves("pair.Absent")


def resolves(name: str) -> bool:
    """Whether the path of a module, or of a thing in it, exists below dpanet."""
    try:
        pkgutil.resolve_name(f"dpanet.{name}")
    except (AttributeError, ImportError):
        return False
    return True
