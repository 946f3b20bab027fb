"""The files of the page, read once: what is asked for is looked up in a table and is never a path."""

from __future__ import annotations

from pathlib import Path

from dpanet.images.demo_pair import FOLDER

PAGE = Path(__file__).parent / "page"

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
"""Media types by suffix."""

ENGINE = "server_deblur.js"
"""The engine of this server, which the page imports as deblur.js."""


def shared_files() -> dict[str, Path]:
    """Return the files that the page consists of besides its engine: name in the address -> file."""
    files = {
        path.name: path
        for path in sorted(PAGE.iterdir())
        if path.is_file() and path.suffix in TYPES and path.name != ENGINE
    }
    return files | {f"example/{side}.webp": FOLDER / f"{side}.webp" for side in ("left", "right")}


def load_page() -> dict[str, tuple[bytes, str]]:
    """Return the files of the served page: name in the address -> content and media type."""
    files = {**shared_files(), "deblur.js": PAGE / ENGINE}
    return {name: (path.read_bytes(), TYPES[path.suffix]) for name, path in files.items()}
