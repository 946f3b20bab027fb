"""The page of `--compare` in a real browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser_waiting import wait_until

from dpanet.jobs.compare import Comparison

HEIGHT, WIDTH = 600, 1600


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Red before, blue after."""
    before, after = np.zeros((2, HEIGHT, WIDTH, 3), np.uint8)
    before[..., 0], after[..., 2] = 250, 250
    path = tmp_path_factory.mktemp("page") / "page.html"
    Comparison("a b", "compact", before, after, {}, "srgb").write(path, ".html")
    return path


@pytest.fixture
def open_page(chromium: Any, page_file: Path) -> Iterator[Callable[..., Any]]:
    """Return a function that opens the page; a request to elsewhere or a message in the console fails the test."""
    faults: list[str] = []
    contexts = []

    def show(width: int = 1280, height: int = 800, **options: Any) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: faults.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith("data:") or request.url == page_file.as_uri()
                else faults.append(request.url)
            ),
        )
        page.goto(page_file.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert faults == []


def color(page: Any, x: float, y: float) -> str:
    """What is seen at a place of the window: red (before), blue (after) or none."""
    import io

    from PIL import Image

    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    red, _, blue = shot.getpixel((int(x), int(y)))
    return "red" if red > 200 > blue else "blue" if blue > 200 > red else "none"


def picture(page: Any) -> dict[str, float]:
    """The place and size of the picture in the window; the same of both."""
    boxes = page.evaluate(
        "[...document.querySelectorAll('.layer img')].map((image) => image.getBoundingClientRect().toJSON())"
    )
    assert boxes[0] == boxes[1]
    return dict(boxes[0])


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_it_fits_and_the_border_is_in_the_middle(open_page: Any, width: int, height: int) -> None:
    page = open_page(width, height)
    box = picture(page)
    assert box["width"] == pytest.approx(width) and box["left"] == pytest.approx(0)
    middle = box["top"] + box["height"] * 0.25
    assert (color(page, width * 0.3, middle), color(page, width * 0.7, middle)) == ("red", "blue")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    small = page.evaluate(
        "[...document.querySelectorAll('button')].filter((b) => b.offsetHeight < 40).length"
    )
    assert small == 0


def test_the_border_follows_mouse_and_keys(open_page: Any) -> None:
    page = open_page()
    box = picture(page)
    y = box["top"] + 60
    page.mouse.move(640, y)
    page.mouse.down()
    page.mouse.move(900, y, steps=3)
    page.mouse.up()
    handle = page.get_by_role("slider")
    assert handle.get_attribute("aria-valuenow") == "70"
    assert (color(page, 800, y), color(page, 1000, y)) == ("red", "blue")
    for key in ["ArrowLeft"] * 5:
        page.keyboard.press(key)
    page.keyboard.press("Shift+ArrowRight")
    assert handle.get_attribute("aria-valuenow") == "70"
    page.keyboard.press("Home")
    assert (color(page, 200, y), handle.get_attribute("aria-valuetext")) == (
        "blue",
        "0 % before, 100 % after",
    )
    page.keyboard.press("End")
    assert color(page, 1200, y) == "red"


def test_zoom_and_pan_of_both_pictures(open_page: Any) -> None:
    page = open_page()
    page.get_by_role("button", name="100 %").click()
    box = picture(page)
    assert (box["width"], box["height"]) == (WIDTH, HEIGHT)
    assert page.locator("#zoom").text_content() == "100 %"
    page.mouse.move(300, 400)
    page.mouse.down()
    page.mouse.move(260, 400, steps=2)
    page.mouse.up()
    assert picture(page)["left"] == pytest.approx(box["left"] - 40)
    page.locator("#stage").focus()
    page.keyboard.press("ArrowLeft")
    assert picture(page)["left"] == pytest.approx(box["left"])
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    assert picture(page)["left"] == 0, "not beyond its edge"
    page.mouse.move(200, 400)
    page.mouse.wheel(0, -400)
    larger = picture(page)
    assert larger["width"] > 1.5 * WIDTH
    share = (200 - larger["left"]) / larger["width"]
    assert share == pytest.approx(200 / WIDTH, abs=0.002), "the place under the pointer stays"
    page.keyboard.press("0")
    assert picture(page)["width"] == pytest.approx(1280)


def test_the_wheel_zooms_from_fit_at_the_place_under_the_pointer(open_page: Any) -> None:
    page = open_page()
    fit = page.get_by_role("button", name="Fit")
    assert fit.get_attribute("aria-pressed") == "true"
    before = picture(page)
    x, y = 960, before["top"] + 0.75 * before["height"]
    page.mouse.move(x, y)
    page.mouse.wheel(0, -1000)
    wait_until(page, "document.querySelector('#fit').getAttribute('aria-pressed') === 'false'")
    after = picture(page)
    assert after["width"] == pytest.approx(1280 * np.exp(1.5), rel=1e-3)
    assert page.locator("#zoom").text_content() == f"{round(100 * after['width'] / WIDTH)} %"
    assert (x - after["left"]) / after["width"] == pytest.approx(0.75, abs=0.001)
    stage = page.locator("#stage").bounding_box()
    assert after["height"] > stage["height"], "so that nothing centers it"
    assert (y - after["top"]) / after["height"] == pytest.approx(0.75, abs=0.001)
    assert page.evaluate("scrollY") == 0
    page.mouse.wheel(0, 5000)  # back to the whole picture, and not beyond it
    wait_until(page, "document.querySelector('.layer img').getBoundingClientRect().width < 1300")
    assert picture(page)["width"] == pytest.approx(1280)
    assert fit.get_attribute("aria-pressed") == "true", "a window of another size shows the whole picture"
    page.set_viewport_size({"width": 900, "height": 800})
    wait_until(page, "document.querySelector('.layer img').getBoundingClientRect().width < 1000")
    assert picture(page)["width"] == pytest.approx(900)


def test_a_pixel_is_a_pixel_of_the_screen_at_100_percent(open_page: Any) -> None:
    page = open_page(390, 844, device_scale_factor=3)
    page.keyboard.press("1")
    assert picture(page)["width"] == pytest.approx(WIDTH / 3)


def test_two_fingers_zoom_and_one_moves(open_page: Any) -> None:
    page = open_page(390, 844, has_touch=True)
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y, "id": place} for place, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    before = picture(page)
    touch("touchStart", (100, 300))
    touch("touchStart", (100, 300), (150, 300))
    touch("touchMove", (100, 300), (300, 300))
    touch("touchEnd")
    after = picture(page)
    assert after["width"] == pytest.approx(4 * before["width"], rel=0.01)
    touch("touchStart", (100, 300))
    touch("touchMove", (60, 300))
    touch("touchEnd")
    assert picture(page)["left"] == pytest.approx(after["left"] - 40, abs=1)
    touch("touchStart", (195, 300))  # the border
    touch("touchMove", (273, 300))
    touch("touchEnd")
    assert page.get_by_role("slider").get_attribute("aria-valuenow") == "70"
