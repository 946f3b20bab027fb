"""The boundary, the zoom and the place of the pictures in the page, by keys, mouse and fingers."""

from pathlib import Path

import pytest
from app.browser_page import Open, deblur, place, split


def test_the_boundary_and_the_picture_follow_the_keys(
    open_page: Open, large_views: tuple[Path, Path]
) -> None:
    page = open_page()
    deblur(page, *large_views)
    assert split(page) == 50
    page.locator(".handle").focus()
    for key, expected in (
        *(("ArrowRight", 52), ("Shift+ArrowLeft", 42), ("End", 100), ("ArrowRight", 100), ("Home", 0)),
    ):
        page.keyboard.press(key)
        assert split(page) == expected
    assert page.locator(".handle").get_attribute("aria-valuetext") == "0 % before, 100 % after"
    stage = page.locator("#stage-box")
    stage.focus()
    assert place(page)[2] == 1
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert place(page)[2] == pytest.approx(1.5625)
    assert page.locator("#zoom").inner_text() == "156 %"
    x = place(page)[0]
    page.keyboard.press("ArrowRight")
    assert place(page)[0] == pytest.approx(x - 50)
    page.keyboard.press("Shift+ArrowLeft")
    assert place(page)[0] == pytest.approx(min(0, x + 150))
    page.keyboard.press("0")
    assert place(page)[2] == 1
    for _ in range(6):
        page.keyboard.press("+")
    page.keyboard.press("Home")
    width = stage.evaluate("one => one.clientWidth")
    height = stage.evaluate("one => one.clientHeight")
    assert place(page)[2] == pytest.approx(min(width / 700, height / 400, 1), abs=1e-3)
    assert split(page) == 0
    page.keyboard.down("b")
    assert "holding" in stage.get_attribute("class")
    page.keyboard.up("b")
    assert "holding" not in stage.get_attribute("class")


def test_the_boundary_and_the_picture_follow_the_pointer(
    open_page: Open, large_views: tuple[Path, Path]
) -> None:
    page = open_page(width=700)
    deblur(page, *large_views)
    page.locator("#stage-box").scroll_into_view_if_needed()
    box = page.locator("#stage-box").bounding_box()
    middle = box["y"] + box["height"] / 3
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.2, middle, steps=3)
    page.mouse.up()
    assert split(page) == pytest.approx(20, abs=1)
    x = place(page)[0]
    page.mouse.move(box["x"] + box["width"] * 0.7, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7 + 15, middle, steps=3)
    page.mouse.up()
    assert place(page)[0] == pytest.approx(x + 15, abs=1)
    assert split(page) == pytest.approx(20, abs=1)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    page.wait_for_timeout(100)
    assert place(page)[2] > 1.5


def test_two_fingers_zoom(open_page: Open, large_views: tuple[Path, Path]) -> None:
    page = open_page(width=390, has_touch=True)
    deblur(page, *large_views)
    box = page.locator("#stage-box").bounding_box()
    x, y = box["x"] + 250, box["y"] + 100
    client = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": px, "y": py, "id": number} for number, (px, py) in enumerate(points)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    before = place(page)[2]
    touch("touchStart", (x, y), (x + 40, y))
    touch("touchMove", (x - 20, y), (x + 60, y))
    touch("touchEnd")
    assert place(page)[2] == pytest.approx(2 * before, rel=0.1)
