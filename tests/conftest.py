"""What tests of several parts share."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Start a headless browser; skip the test where there is none."""
    browser_path = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if browser_path is None:
        pytest.skip("no Chromium on PATH; install it, on Debian with: apt install chromium")
    playwright = pytest.importorskip(
        "playwright.sync_api",
        reason="no playwright; install it with: pip install -c constraints.txt -e '.[develop]'",
    )
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=browser_path,
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--disable-background-networking",
            ],
        )
        yield browser
        browser.close()
