"""What a visitor does in the page, in a real browser."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

Open = Callable[..., Any]
"""Opens the page in a window of its own: `open_page` of conftest.py."""


def deblur(page: Any, *files: Path, model: str = "nano") -> None:
    page.set_input_files("#files", [str(file) for file in files])
    page.select_option("#model", model)
    page.get_by_role("button", name="Deblur", exact=True).click()
    page.wait_for_selector("#result:not([hidden])")


def split(page: Any) -> float:
    return float(page.locator(".handle").get_attribute("aria-valuenow"))


def place(page: Any) -> tuple[float, float, float]:
    """Return x, y and scale of the pictures; all three have the same."""
    all_ = page.locator("#stage-box .pane img").evaluate_all("all => all.map(one => one.style.transform)")
    assert len(set(all_)) == 1
    x, y, scale = map(float, re.findall(r"-?[\d.]+(?:e-?\d+)?", all_[0]))
    return x, y, scale


def error(page: Any) -> str:
    page.wait_for_selector("#message:not([hidden])")
    return str(page.locator("#message p").inner_text())


def save(page: Any, name: str) -> tuple[str, bytes]:
    with page.expect_download() as info:
        page.get_by_role("button", name=name).click()
    return info.value.suggested_filename, Path(info.value.path()).read_bytes()
