"""The picture of a page in a window of Chromium."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from dpanet.files.output import atomic_output

QUALITY = 88
"""Of WebP: letters stay clear."""


def take_picture(
    browser: str, page_file: Path, picture: Path, size: tuple[int, int], heading: str = ""
) -> None:
    """Open a page in a window of (width, height) px, scrolled to a heading if one is named; write what it shows."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport={"width": size[0], "height": size[1]})
        page.goto(page_file.as_uri())
        if heading:
            page.get_by_role("heading", name=heading).evaluate("heading => heading.scrollIntoView()")
        page.wait_for_timeout(1000)
        image = Image.open(io.BytesIO(page.screenshot()))
        chromium.close()
    with atomic_output(picture, overwrite=True) as unfinished:
        image.convert("RGB").save(unfinished, format="WEBP", quality=QUALITY, method=6)
