"""What tests of several parts share."""

import shutil
import sys
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def keep_threads_of_torch() -> Iterator[None]:
    """Fail if a test changes how many threads torch computes with: later results would depend on what ran before."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else None
    yield
    if torch:
        after = torch.get_num_threads()
        torch.set_num_threads(before)
        assert after == before, f"torch computes with {after} threads, and before this test with {before}"


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
