"""The site of the docs: it is built without a warning, no link is dead, nothing comes from elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from pages.blocks import ROOT

LOADED = {("img", "src"), ("script", "src"), ("link", "href"), ("source", "srcset"), ("iframe", "src")}
"""Attributes that make a browser load something."""


class Page(HTMLParser):
    """What a page links to and loads, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif (tag, name) in LOADED and value and ("rel", "canonical") not in attributes:
                self.loads.append(value)
            elif (tag, name) == ("a", "href") and value:
                self.links.append(value)


def build(source: Path, folder: Path) -> tuple[Path, str]:
    """Build the site of a project into `folder`; return where it is, and what was printed."""
    folder.mkdir()
    shutil.copytree(source / "docs", folder / "docs")
    shutil.copy(ROOT / "zensical.toml", folder)
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict"],
        cwd=folder,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    return folder / "build/docs", f"exit code {done.returncode}\n{done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site, printed = build(ROOT, tmp_path_factory.mktemp("site") / "project")
    assert printed.startswith("exit code 0\n") and "No issues found" in printed, printed
    return site


@pytest.fixture(scope="module")
def parsed(site: Path) -> dict[Path, Page]:
    return {file.resolve(): Page(file.read_text(encoding="utf-8")) for file in site.rglob("*.html")}


def dead_links(parsed: dict[Path, Page]) -> Iterator[str]:
    """Yield links, pictures, scripts and styles of the pages that do not exist, and anchors without a place."""
    for file, page in parsed.items():
        if file.name == "404.html":  # its links are those of a server's root
            continue
        for link in (*page.links, *page.loads):
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (file.parent / unquote(url.path)).resolve() if url.path else file
            target = target / "index.html" if target.is_dir() else target
            anchors = parsed[target].anchors if target in parsed else None
            if not target.exists() or (url.fragment and anchors is not None and url.fragment not in anchors):
                yield f"{file.name}: {link}"


def test_every_page_is_in_the_navigation(site: Path) -> None:
    config = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f'"{page.name}"' not in config] == []


def test_no_link_is_dead(parsed: dict[Path, Page]) -> None:
    assert len(parsed) > 20
    assert [*dead_links(parsed)] == []


def test_a_dead_link_is_noticed(tmp_path: Path) -> None:
    file = (tmp_path / "a.html").resolve()
    file.write_text("")
    text = '<h1 id="top"><a href="#top">1</a><a href="#gone">2</a><a href="b.html">3</a><img src="c.png">'
    assert [*dead_links({file: Page(text)})] == ["a.html: #gone", "a.html: b.html", "a.html: c.png"]


def test_a_page_that_links_to_nothing_is_not_built(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("# Home\n\n[gone](gone.md)\n")
    _, printed = build(tmp_path, tmp_path / "project")
    assert not printed.startswith("exit code 0\n")


def test_nothing_is_loaded_from_elsewhere(parsed: dict[Path, Page]) -> None:
    foreign = [
        f"{file.name}: {link}"
        for file, page in parsed.items()
        for link in page.loads
        if urlsplit(link).netloc or urlsplit(link).scheme not in ("", "data")
    ]
    assert foreign == []


@pytest.mark.parametrize("name", ["quickstart-photographers", "benchmarks"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_in_a_browser(site: Path, chromium: Any, name: str, width: int, scheme: str) -> None:
    requests: list[str] = []
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    try:
        page.on("request", lambda request: requests.append(request.url))
        page.goto((site / f"{name}.html").as_uri())
        page.wait_for_load_state("networkidle")
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        pictures = page.evaluate("[...document.images].filter(x => x.complete && !x.naturalWidth).length")
    finally:
        page.close()
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert overflow <= 0 and pictures == 0
