"""Files that a visitor chooses in the page: which are a pair, and which are refused."""

from pathlib import Path
from typing import Any

from app.browser_page import Open, error
from app.running_app import write_view


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


def test_views_of_two_sizes_are_named_before_they_are_sent(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    files = [
        write_view(tmp_path / f"x_{side}.png", size=size)
        for side, size in (("left", (32, 48)), ("right", (32, 40)))
    ]
    page.set_input_files("#files", [str(file) for file in files])
    sentence = (
        "x_left.png is 48 × 32 px and x_right.png is 40 × 32 px; these are not two views of one capture."
    )
    page.get_by_text(sentence).wait_for()
    page.get_by_role("button", name="Deblur", exact=True).click()
    assert error(page) == (
        "x_left.png is 48 x 32 px and x_right.png is 40 x 32 px; give the two views of the same capture."
    )


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
