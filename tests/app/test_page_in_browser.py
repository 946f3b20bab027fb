"""The page of the server in a real browser, used as a visitor would."""

import io
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import tifffile
from app.running_app import RunningApp, read_png, write_view

Open = Callable[..., Any]


@pytest.fixture
def open_page(chromium: Any, app: RunningApp) -> Iterator[Open]:
    """Return a function that opens the page; a foreign request or an error of the page fails the test."""
    faults: list[str] = []
    contexts = []

    def show(width: int = 1280, **options: Any) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on(
            "console",
            lambda message: "Failed to load resource" in message.text or faults.append(message.text),
        )
        page.on("request", lambda request: note(request.url))
        page.goto(app.url)
        page.wait_for_selector("body[data-ready]")
        return page

    def note(url: str) -> None:
        if not url.startswith("blob:") and urlsplit(url).netloc != app.address:
            faults.append(f"request: {url}")

    yield show
    for context in contexts:
        context.close()
    assert faults == []


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


@pytest.fixture
def large_views(tmp_path: Path) -> tuple[Path, Path]:
    return tuple(
        write_view(tmp_path / f"BIG_{side}.png", size=(400, 700), bits=8) for side in ("left", "right")
    )  # type: ignore[return-value]


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


def test_views_without_a_side_can_be_swapped(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    one, two = write_view(tmp_path / "b.png", 1), write_view(tmp_path / "a.png", 2)
    page.set_input_files("#files", [str(one)])
    assert error(page).startswith("b.png is only one view; add the other view")
    page.set_input_files("#files", [str(two)])  # the other one comes later
    assert page.locator("#left-name").inner_text() == "a.png"
    assert "names do not say" in page.locator("#guess").inner_text()
    page.get_by_role("button", name="Swap left and right").click()
    assert page.locator("#left-name").inner_text() == "b.png"
    assert page.locator("#right-name").inner_text() == "a.png"


def test_two_left_views_are_no_pair(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    left = [write_view(tmp_path / f"{name}_left.png", size=(32, 48)) for name in ("08", "05")]
    page.set_input_files("#files", [str(file) for file in left])
    assert error(page) == (
        "05_left.png and 08_left.png are both left views, of 05 and of 08; give the left and the right view of one "
        "capture."
    )
    assert page.locator("#pair").is_hidden()
    right = write_view(tmp_path / "05_right.png", size=(32, 48))
    page.set_input_files("#files", [str(left[0]), str(right)])
    assert page.locator("#guess").inner_text() == "By their names these are views of two captures, 08 and 05."
    page.set_input_files("#files", [str(left[1]), str(right)])
    assert page.locator("#guess").inner_text() == ""


QUEUE = """async () => {
  const { Queue } = await import('./queue.js');
  const started = [], file = (name) => new File([name], name);
  const deblur = ({ left, onProgress }) => new Promise((done) => started.push({ name: left.name, onProgress, done }));
  const queue = new Queue(deblur, 2, () => {}, () => {}, () => {});
  queue.list(['001', '002', '003'].map((name) => ({ name, left: file(name), right: file(name) })), []);
  const seen = [], text = () => document.querySelector('#queue-list .state').textContent;
  const look = () => seen.push([started.map(({ name }) => name).join(' '), text(), !queue.items[0].bar.hidden]);
  queue.start({});
  look();
  started[0].onProgress(0.1, null, 'Waiting');
  look();
  started[0].onProgress(0.6, null, 'Deblurring');
  look();
  started[0].onProgress(0.4, null, 'Deblurring');
  started[0].done({ seconds: 2, notes: ['odd'] });
  await new Promise((later) => setTimeout(later));
  look();
  started[1].onProgress(0.1, null, 'Waiting');
  look();
  return seen;
}"""


def test_the_list_is_worked_off_from_top_to_bottom(open_page: Open) -> None:
    assert open_page().evaluate(QUEUE) == [
        ["001", "Sending, 0 %", True],
        ["001 002", "Waiting", False],  # the second is sent when the first has been
        ["001 002", "Deblurring, 60 %", True],
        ["001 002", "Done in 2.0 s, with 1 note", False],
        ["001 002 003", "Done in 2.0 s, with 1 note", False],
    ]


def test_wrong_and_large_files(open_page: Open, views: tuple[Path, Path], tmp_path: Path) -> None:
    page = open_page()
    movie = tmp_path / "film.mp4"
    movie.write_bytes(b"0")
    page.set_input_files("#files", [str(movie)])
    assert "film.mp4 is no picture that can be read" in error(page)
    for name, content, sentence in (
        ("x_right.png", b"hello", "x_right.png is not a picture"),
        ("y_right.png", b"0" * 1_000_001, "y_right.png has 1.0 MB, and at most 1 MB are taken"),
    ):
        wrong = tmp_path / name
        wrong.write_bytes(content)
        page.set_input_files("#files", [str(views[0]), str(wrong)])
        page.get_by_text("PNG, no preview").wait_for()
        page.get_by_role("button", name="Deblur", exact=True).click()
        assert sentence in error(page)
        page.get_by_role("button", name="Close this message").click()
        assert page.get_by_role(
            "button", name="Deblur", exact=True
        ).is_visible()  # with the files still there


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


def test_a_folder_is_a_queue(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    folder = tmp_path / "day"
    folder.mkdir()
    for name in ("IMG_10", "IMG_2"):
        for number, side in enumerate(("left", "right")):
            write_view(folder / f"{name}_{side}.png", number)
    (folder / "BAD_left.png").write_text("no")
    (folder / "BAD_right.png").write_text("no")
    write_view(folder / "alone_left.png")
    (folder / "notes.txt").write_text("beside")
    page.set_input_files("#folder", str(folder))
    titles = page.locator("#queue-list .title")
    assert titles.all_inner_texts() == ["BAD", "IMG_2", "IMG_10"]
    assert page.locator("#left-out li").all_inner_texts() == ["alone_left.png has no right view."]
    page.get_by_role("button", name="Cancel IMG_10").click()
    page.select_option("#model", "nano")
    page.get_by_role("button", name="Deblur", exact=True).click()
    page.locator("#queue-list .done").wait_for()
    page.locator("#queue-list .failed").wait_for()
    states = dict(
        zip(titles.all_inner_texts(), page.locator("#queue-list .state").all_inner_texts(), strict=True)
    )
    assert "BAD_left.png is not a picture" in states["BAD"]
    assert states["IMG_10"] == "Canceled"
    assert page.locator("#queue-summary").inner_text() == "1 of 3 pairs done, 1 failed, 1 canceled"
    page.get_by_role("button", name="Show IMG_2").click()
    page.wait_for_selector("#result:not([hidden])")
    assert save(page, "Download TIFF")[0] == "IMG_2_sharp.tif"
    page.get_by_role("button", name="Back to the list").click()
    _, content = save(page, "Download all as zip")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["IMG_2_sharp.tif"]
        assert archive.testzip() is None
        assert tifffile.imread(io.BytesIO(archive.read("IMG_2_sharp.tif"))).dtype == np.uint16


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_window_fits_and_can_be_read(open_page: Open, views: tuple[Path, Path], scheme: str) -> None:
    page = open_page(width=390, color_scheme=scheme)
    deblur(page, *views)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    ratios = page.evaluate(CONTRAST)
    assert ratios
    assert {text: ratio for text, ratio in ratios.items() if ratio < 4.5} == {}
    unnamed = page.evaluate("""() => [...document.querySelectorAll('button, input, select, [tabindex]')]
        .filter(one => !(one.labels?.length || one.ariaLabel || one.textContent.trim() || one.hidden)).length""")
    assert unnamed == 0


CONTRAST = """() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const linear = (v) => (v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    const [r, g, b] = channels(color).map((v) => linear(v / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = (one) => { for (; one; one = one.parentElement) {
    const color = getComputedStyle(one).backgroundColor;
    if ((channels(color)[3] ?? 1) > .5) return color;
  } return 'rgb(255, 255, 255)'; };
  const found = {};
  for (const one of document.querySelectorAll('body *:not(option)')) {
    const text = [...one.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join('');
    if (!text || !one.checkVisibility() || one.disabled || ['SCRIPT', 'NOSCRIPT'].includes(one.tagName)) continue;
    const [a, b] = [light(getComputedStyle(one).color), light(ground(one))].sort((x, y) => y - x);
    found[text.slice(0, 40)] = (a + .05) / (b + .05);
  }
  return found;
}"""
"""WCAG 2.2, 1.4.3: contrast of each visible text with the ground behind it."""


def test_names_are_text_and_never_markup(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    name = "<img src=x onerror=alert(1)>&amp;"
    for number, side in enumerate(("left", "right")):
        write_view(tmp_path / f"{name}_{side}.png", number)
    files = [str(tmp_path / f"{name}_{side}.png") for side in ("left", "right")]
    page.set_input_files("#files", files)
    assert page.locator("#left-name").inner_text() == f"{name}_left.png"
    assert page.locator("img[onerror]").count() == 0


PAIRS = """async (names) => {
  const { findCaptures } = await import('./pairing.js');
  const { captures, leftOut } = findCaptures(names.map((name) => new File([], name)), true);
  const shown = ({ name, left, right, sure }) => [name, left.name, right?.name ?? null, sure];
  return [captures.map(shown), leftOut.length];
}"""


def test_pairs_are_found_by_name(open_page: Open) -> None:
    page = open_page()

    def find(*names: str) -> tuple[list[list[Any]], int]:
        captures, left_out = page.evaluate(PAIRS, [*names])
        return captures, left_out

    assert find("a_RIGHT.tif", "a_left.tif") == ([["a", "a_left.tif", "a_RIGHT.tif", True]], 0)
    assert find("right.png", "left.png") == ([["picture", "left.png", "right.png", True]], 0)
    assert find("x-L.jpg", "x-R.jpg") == ([["x", "x-L.jpg", "x-R.jpg", True]], 0)
    assert find("10.png", "2.png") == ([["2", "2.png", "10.png", False]], 0)
    raw = [["a", "a.CR3", None, True], ["b", "b.dng", None, True]]
    both = ("a.CR3", "b.dng", "c_left.png", "c_right.png")
    assert find(*both) == ([*raw, ["c", "c_left.png", "c_right.png", True]], 0)
    assert find("a_left.png", "a_left.tif", "a_right.png") == ([], 1)
    assert find(".hidden.png", "x.xmp") == ([], 0)
