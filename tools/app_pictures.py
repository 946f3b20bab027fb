"""Make the pictures of the page in docs/pictures: python -m tools.app_pictures. It needs Chromium."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from dpanet.files.output import atomic_output

FOLDER = Path(__file__).parents[1] / "docs/pictures"

WINDOWS: tuple[tuple[str, int, int, Literal["light", "dark"]], ...] = (
    ("app-wide", 1280, 860, "light"),
    ("app-narrow", 390, 844, "dark"),
)
"""Name of the picture, width and height of the window in px, and colors."""

QUALITY = 88
"""Of WebP: letters stay clear."""


def main() -> None:
    """Start the app, deblur its example, and take pictures of a wide and of a narrow window."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("there is no Chromium on PATH; install it")
    command = [sys.executable, "-m", "dpanet", "app", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[0]
            take_pictures(browser, address)
        finally:
            server.terminate()


def take_pictures(browser: str, address: str) -> None:
    """Write app-wide.webp, app-narrow.webp and app-map.webp."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        for name, width, height, scheme in WINDOWS:
            page = chromium.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(address)
            page.get_by_role("button", name="Try the example").click()
            page.wait_for_selector("#result:not([hidden])", timeout=300_000)
            page.wait_for_timeout(500)
            save(page, name)
            if name == "app-wide":
                page.get_by_label("Show over the picture").check()
                page.wait_for_timeout(500)
                save(page, "app-map")
            page.close()
        chromium.close()


def save(page: Any, name: str) -> None:
    """Write what a page shows."""
    picture = Image.open(io.BytesIO(page.screenshot()))
    with atomic_output(FOLDER / f"{name}.webp", overwrite=True) as unfinished:
        picture.save(unfinished, quality=QUALITY, method=6)
    print(FOLDER / f"{name}.webp")


if __name__ == "__main__":
    main()
