"""The result in the page: before and after, its controls, its downloads."""

import io
import time
from pathlib import Path

import numpy as np
import tifffile
from app.browser_page import Open, deblur, save
from app.running_app import RunningApp, read_png


def test_upload_slide_download(open_page: Open, views: tuple[Path, Path]) -> None:
    page = open_page()
    deblur(page, views[1], views[0])  # the names say which is the left one
    assert page.locator("#left-name").text_content() == "IMG_left.png"
    assert "56 × 40 px, model nano" in page.locator("#summary").inner_text()
    sizes = page.locator("img.before, img.after").evaluate_all("all => all.map(one => one.naturalWidth)")
    assert sizes == [56, 56]
    name, content = save(page, "Download PNG")
    assert name == "IMG_sharp.png"
    values, bits = read_png(content)
    assert (values.shape, bits) == ((40, 56, 3), 16)
    assert len(np.unique(values)) > 1000  # not 8 bits widened
    name, content = save(page, "Download TIFF")
    assert name == "IMG_sharp.tif"
    assert np.array_equal(tifffile.imread(io.BytesIO(content)), values)


def test_the_map_the_strength_and_the_background(open_page: Open, views: tuple[Path, Path]) -> None:
    page = open_page()
    deblur(page, *views, model="compact")
    page.get_by_label("Show over the picture").check()
    assert page.locator(".tag").evaluate_all("all => all.map(one => one.checkVisibility())") == [False, False]
    assert page.locator(".map-pane").is_visible()
    assert page.locator("#legend").inner_text().count("px") >= 2
    page.locator("#stage-box").focus()
    page.keyboard.press("m")
    assert not page.locator(".map-pane").is_visible()
    assert page.locator(".tag-left").is_visible()
    page.get_by_label("Strength").fill("30")
    assert page.locator("img.after").evaluate("one => getComputedStyle(one).opacity") == "0.3"
    page.get_by_label("Strength").fill("0")
    _, content = save(page, "Download TIFF")
    left, right = (read_png(path.read_bytes())[0] for path in views)
    mean = (left.astype(float) + right) / 2
    assert np.abs(tifffile.imread(io.BytesIO(content)) - mean).max() <= 1
    page.get_by_label("Strength").fill("100")
    before = page.locator("img.after").get_attribute("src")
    page.get_by_label("Leave strong blur as it is").check()
    assert page.locator("#stage-busy").is_visible()
    page.locator(f'img.after:not([src="{before}"])').wait_for()
    page.locator("#stage-busy").wait_for(state="hidden")
    assert page.get_by_label("From a blur radius of").is_enabled()


def test_the_lens_gives_nano_a_map(open_page: Open) -> None:
    page = open_page()
    page.select_option("#refine", "yes", force=True)
    page.select_option("#model", "nano", force=True)
    page.get_by_role("button", name="Try the example").click()
    page.wait_for_selector("#result:not([hidden])")
    assert "512 × 512 px, model nano, not refined" in page.locator("#summary").inner_text()
    assert "dB of the blur" in page.locator("#notes").inner_text()
    assert page.get_by_label("Show over the picture").is_visible()


def test_the_example_needs_one_click(open_page: Open, app: RunningApp) -> None:
    page = open_page()
    before = app.files()
    page.select_option("#model", "nano", force=True)
    page.get_by_role("button", name="Try the example").click()
    page.wait_for_selector("#result:not([hidden])")
    assert "512 × 512 px" in page.locator("#summary").inner_text()
    page.get_by_role("button", name="Other options").click()
    assert page.locator("#left-name").inner_text() == "example_left.webp"
    for _ in range(100):  # the result is forgotten by the server too
        if {*app.files()} <= {*before}:
            break
        time.sleep(0.05)
    assert {*app.files()} <= {*before}
    page.locator("#options").get_by_role("button", name="Other pictures").click()
    assert page.get_by_role("button", name="Choose files").is_visible()
