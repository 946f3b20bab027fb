"""Visits of the page: a cancel, and two visitors at once."""

import time
from pathlib import Path

from app.browser_page import Open, deblur, save
from app.running_app import RunningApp, write_view


def test_cancel_and_try_again(open_page: Open, large_views: tuple[Path, Path], app: RunningApp) -> None:
    page = open_page()
    before = app.files()
    page.set_input_files("#files", [str(file) for file in large_views])
    page.get_by_role("button", name="Deblur", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector("#pair:not([hidden])")
    assert page.locator("#message").is_hidden()
    for _ in range(200):
        if {*app.files()} <= {*before}:
            break
        time.sleep(0.05)
    assert {*app.files()} <= {*before}


def test_two_visitors_see_their_own_pictures(
    open_page: Open, views: tuple[Path, Path], tmp_path: Path
) -> None:
    one, two = open_page(), open_page()
    other = [write_view(tmp_path / f"OTHER_{side}.png", size=(32, 48)) for side in ("left", "right")]
    for page, files in ((one, views), (two, other)):
        page.set_input_files("#files", [str(file) for file in files])
        page.select_option("#model", "nano")
    for page in (one, two):
        page.get_by_role("button", name="Deblur", exact=True).click()
    for page, size in ((one, "56 × 40 px"), (two, "48 × 32 px")):
        page.wait_for_selector("#result:not([hidden])")
        assert size in page.locator("#summary").inner_text()
    one.close(run_before_unload=True)
    assert save(two, "Download PNG")[0] == "OTHER_sharp.png"


def test_a_result_that_was_not_downloaded_is_not_lost_without_a_question(
    open_page: Open, views: tuple[Path, Path]
) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))

    def questions() -> int:
        asked.clear()
        page.reload()
        page.wait_for_selector("body[data-ready]")
        return len(asked)

    assert questions() == 0
    deblur(page, *views)
    assert questions() == 1 and asked == ["beforeunload"]
    deblur(page, *views)
    save(page, "Download PNG")
    assert questions() == 0
    page.select_option("#model", "nano", force=True)
    page.get_by_role("button", name="Try the example").click()
    page.wait_for_selector("#result:not([hidden])")
    assert questions() == 0
