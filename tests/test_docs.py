"""Pages of docs name files that exist, and link to pages that exist."""

import re
from pathlib import Path

import pytest

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
