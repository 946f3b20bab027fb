"""The page in a real browser; skipped where there is none."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser_waiting import wait_until

from dpanet.report import build_page

METHODS = ["none", "deconvolution", "nano", "compact"]


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that opens the page; any foreign request or message in the console fails the test."""
    faults: list[str] = []
    pages = []

    def show(evaluation: Any, width: int = 1280) -> Any:
        file = build_page(*evaluation)
        page = chromium.new_page(viewport={"width": width, "height": 900})
        pages.append(page)
        page.on("console", lambda message: faults.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith("data:") or request.url == file.as_uri()
                else faults.append(f"request: {request.url}")
            ),
        )
        page.goto(file.as_uri())
        return page

    yield show
    for page in pages:
        page.close()
    assert faults == []


def scene(page: Any, index: int = 0) -> Any:
    article = page.locator(".scene").nth(index)
    article.scroll_into_view_if_needed()
    wait_until(
        page,
        "index => [...document.querySelectorAll('.scene')[index].querySelectorAll('img')]"
        ".every(picture => picture.complete && picture.naturalWidth)",
        index,
    )
    return article


def shown(scene: Any, side: str) -> str:
    return str(scene.locator(f"img.{side}").get_attribute("src"))


def covered(scene: Any) -> float:
    """Return the share of the stage in per cent, from the left, that shows the left picture."""
    clip = scene.locator("img.left").evaluate("picture => getComputedStyle(picture).clipPath")
    right = clip.removeprefix("inset(").removesuffix(")").split()[1]
    if right.startswith("calc("):
        right = right.removeprefix("calc(").removesuffix(")")
    return 100 - float(right.removesuffix("%"))


def column(scene: Any, side: str) -> list[str]:
    return list(scene.locator(f".pair-scores td[data-side={side}]").all_inner_texts())


def test_the_page_makes_no_request_and_no_complaint(
    open_page: Callable[..., Any], fabricate: Callable[..., Any]
) -> None:
    page = open_page(fabricate(defocus=True))
    for index in range(3):
        scene(page, index)
    assert page.title() == "Scores on Pixel 4 captures (Xin et al., ICCV 2021), 3 images"


def test_the_policy_of_the_page_blocks_foreign_files_and_scripts(
    open_page: Callable[..., Any], fabricate: Callable[..., Any], chromium: Any
) -> None:
    file = build_page(*fabricate())
    page = chromium.new_page()
    page.goto(file.as_uri())
    page.evaluate("document.body.append(Object.assign(new Image(), {id: 'x', src: 'file:///etc/hostname'}))")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))"
    )
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.getElementById('x').naturalWidth") == 0
    page.close()


def test_the_slider_follows_the_keys(open_page: Callable[..., Any], fabricate: Callable[..., Any]) -> None:
    page = open_page(fabricate())
    one = scene(page)
    handle = one.get_by_role("slider")
    handle.focus()
    assert covered(one) == pytest.approx(50)
    page.keyboard.press("ArrowRight")
    assert covered(one) == pytest.approx(52)
    page.keyboard.press("Shift+ArrowLeft")
    assert covered(one) == pytest.approx(42)
    assert handle.get_attribute("aria-valuenow") == "42"
    assert handle.get_attribute("aria-valuetext") == "42 % none (input), 58 % compact"
    page.keyboard.press("Home")
    assert covered(one) == pytest.approx(0)
    page.keyboard.press("ArrowLeft")
    assert covered(one) == pytest.approx(0)
    page.keyboard.press("End")
    assert covered(one) == pytest.approx(100)


def test_the_slider_follows_the_pointer(open_page: Callable[..., Any], fabricate: Callable[..., Any]) -> None:
    page = open_page(fabricate())
    one = scene(page)
    one.locator(".stage").scroll_into_view_if_needed()
    box = one.locator(".stage").bounding_box()
    y = box["y"] + box["height"] / 4
    page.mouse.move(box["x"] + box["width"] * 0.2, y)
    assert covered(one) == pytest.approx(50)
    page.mouse.down()
    assert covered(one) == pytest.approx(20, abs=0.5)
    page.mouse.move(box["x"] + box["width"] * 0.7, y, steps=4)
    assert covered(one) == pytest.approx(70, abs=0.5)
    page.mouse.move(box["x"] + box["width"] + 80, y)
    assert covered(one) == pytest.approx(100)
    page.mouse.up()
    page.mouse.move(box["x"], y)
    assert covered(one) == pytest.approx(100)


def test_another_method_shows_another_picture_and_its_numbers(
    open_page: Callable[..., Any], fabricate: Callable[..., Any]
) -> None:
    page = open_page(fabricate())
    one, two = scene(page), page.locator(".scene").nth(1)
    picture, numbers, others = shown(one, "right"), column(one, "right"), column(two, "right")
    left = shown(one, "left")
    one.get_by_label("Picture on the right, image 001").select_option("nano")
    assert shown(one, "right") not in (picture, left)
    assert shown(one, "left") == left
    assert column(one, "right") != numbers
    assert column(two, "right") == others
    assert one.locator("img.right").get_attribute("alt") == "Image 001, nano"
    assert one.locator(".tag-right").inner_text() == "nano"
    one.get_by_label("Picture on the right, image 001").select_option("truth")
    assert set(column(one, "right")) == {"–"}
    one.get_by_label("Picture on the right, image 001").select_option("compact")
    assert (shown(one, "right"), column(one, "right")) == (picture, numbers)


def test_the_lists_above_choose_for_all_images(
    open_page: Callable[..., Any], fabricate: Callable[..., Any]
) -> None:
    page = open_page(fabricate())
    page.get_by_label("Picture on the left, all images").select_option("deconvolution")
    assert page.locator(".tag-left").all_inner_texts() == ["deconvolution"] * 3


def test_the_table_marks_the_best(open_page: Callable[..., Any], fabricate: Callable[..., Any]) -> None:
    page = open_page(fabricate())
    for table in page.locator("table.scores").all():
        best = table.locator("tr", has=page.locator(".best"))
        second = table.locator("tr", has=page.locator(".second"))
        assert [row.locator("th .name").inner_text() for row in best.all()] == ["compact"]
        assert [row.locator("th .name").inner_text() for row in second.all()] == ["nano"]
        weight = best.locator("td .best").first.evaluate("one => Number(getComputedStyle(one).fontWeight)")
        assert weight >= 700
        line = second.locator("td .second").first.evaluate("one => getComputedStyle(one).textDecorationLine")
        assert line == "underline"


def test_the_crops_show_all_methods_and_move_together(
    open_page: Callable[..., Any], fabricate: Callable[..., Any]
) -> None:
    page = open_page(fabricate(width=640), width=700)
    one = scene(page)
    figures = one.locator(".strip figure")
    names = figures.evaluate_all("all => all.map(one => one.dataset.method)")
    assert names == [*METHODS, "truth"]
    sources = figures.locator("img").evaluate_all("all => all.map(picture => picture.src)")
    assert len(set(sources)) == 5
    native, drawn, drawing = figures.locator("img").first.evaluate(
        "picture => [picture.naturalWidth, picture.offsetWidth, getComputedStyle(picture).imageRendering]"
    )
    assert (drawn, drawing) == (2 * native, "pixelated")

    def places() -> set[int]:
        return set(
            figures.locator("img").evaluate_all("all => all.map(picture => Math.round(picture.offsetLeft))")
        )

    before = places()
    one.locator(".strip").focus()
    page.keyboard.press("ArrowRight")
    after = places()
    assert len(before) == len(after) == 1
    assert before.pop() - after.pop() == 24


def test_the_worst_and_best_crops_are_shown_as_large_as_they_are(
    open_page: Callable[..., Any], fabricate: Callable[..., Any]
) -> None:
    page = open_page(fabricate(width=640, scenes=7), width=390)
    section = page.locator("#windows")
    shown = section.locator("details[open]")
    assert shown.locator("summary .name").all_inner_texts() == ["compact"]
    gains = shown.locator("figcaption strong").all_inner_texts()
    assert gains == [f"−{n}.00 dB" for n in (7, 6, 5, 4, 3)] + [f"+{n}.00 dB" for n in (7, 6, 5, 4, 3)]
    assert shown.locator("figcaption").first.inner_text().endswith("007, x 1, y 2")
    first = shown.locator("figure").first
    assert [text.strip() for text in first.locator("span").all_inner_texts()] == ["input", "output", "truth"]
    for picture in first.locator("img").all():
        picture.scroll_into_view_if_needed()
        wait_until(page, "picture => picture.complete && picture.naturalWidth", picture.element_handle())
        native, drawn = picture.evaluate("one => [one.naturalWidth, one.getBoundingClientRect().width]")
        assert native == drawn == 224
    section.locator("summary").filter(has_text="nano").click()
    assert section.locator("details[open]").count() == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_pictures_far_away_are_released(open_page: Callable[..., Any], fabricate: Callable[..., Any]) -> None:
    page = open_page(fabricate(scenes=12))
    scene(page, 0)
    assert page.locator(".scene").nth(11).locator("img[src]").count() == 0
    scene(page, 11)
    wait_until(page, "() => !document.querySelector('.scene').querySelector('img[src]')")


def test_images_can_be_ordered_by_gain(open_page: Callable[..., Any], fabricate: Callable[..., Any]) -> None:
    def put(scores: dict[str, Any]) -> None:
        for one, psnr in zip(scores["scenes"], (29, 26, 28), strict=True):
            one["scores"]["none"]["aligned"]["psnr"] = 25
            one["scores"]["compact"]["aligned"]["psnr"] = psnr

    page = open_page(fabricate(change=put))
    page.get_by_label("Order by").select_option("compact")
    assert page.locator(".scene").evaluate_all("all => all.map(one => one.dataset.name)") == [
        "002",
        "003",
        "001",
    ]
    labels = page.locator(".plot").first.locator(".row")
    heights = labels.evaluate_all(
        "all => all.map(one => [one.getBoundingClientRect().y, one.textContent.trim().slice(0, 3)])"
    )
    assert [name for _, name in sorted(heights)] == ["002", "003", "001"]
    page.get_by_label("Order by").select_option("")
    assert page.locator(".scene").evaluate_all("all => all.map(one => one.dataset.name)") == [
        "001",
        "002",
        "003",
    ]


@pytest.mark.parametrize("layout", ["pixel4", "dpdd"])
def test_a_narrow_window_never_scrolls_sideways(
    open_page: Callable[..., Any], fabricate: Callable[..., Any], layout: str
) -> None:
    name = "a-scene-with-a-name-that-is-far-too-long-for-any-phone-{}".format
    page = open_page(fabricate(layout=layout, labels=True, defocus=True, names=name), width=400)
    scene(page)
    width = page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
    assert width <= 400


def test_names_are_text_and_never_markup(
    open_page: Callable[..., Any], fabricate: Callable[..., Any]
) -> None:
    evil = "<img src=x onerror=alert(1)>\"'&{}".format
    page = open_page(fabricate(names=evil, methods={"none": 4, "<!--<script><b>": 2}))
    one = scene(page)
    assert page.locator("img[onerror], td b, th b, option b").count() == 0
    assert one.locator("h3 span").first.inner_text() == evil(1)
    assert one.locator(".tag-right").inner_text() == "<!--<script><b>"
