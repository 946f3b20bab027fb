"""`dpanet deblur --compare`."""

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from cli.conftest import Run, Weighted, listing, weighted, write_view
from PIL import Image

import dpanet.jobs.job
from dpanet.images.reading import read_codes

PRECISE = ("--precision", "float32")


def halves(views: tuple[Path, Path]) -> tuple[np.ndarray, np.ndarray]:
    """Before and after as they are shown, by the small network's own formula."""
    left, right = (read_codes(view).astype(float) / 65535 * 255 for view in views)
    return (left + right) / 2, weighted(left, right)


@pytest.mark.usefixtures("small_model")
@pytest.mark.parametrize("largest", [8_000_000, 100])  # by rows above
def test_a_strip(
    run: Run, views: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    monkeypatch.setattr(dpanet.jobs.job, "LARGE", largest)
    plain = run("deblur", *views, "-o", tmp_path / "plain.png", *PRECISE)
    result = run("deblur", *views, "-o", tmp_path / "out.png", "--compare", tmp_path / "c.png", *PRECISE)
    assert (plain.code, result.code, result.err) == (0, 0, "")
    assert (tmp_path / "out.png").read_bytes() == (tmp_path / "plain.png").read_bytes()
    strip = np.asarray(Image.open(tmp_path / "c.png"))
    before, after = halves(views)
    np.testing.assert_allclose(strip[-40:, :56], before, atol=0.51)
    np.testing.assert_allclose(strip[-40:, -56:], after, atol=0.51)


@pytest.mark.usefixtures("small_model")
def test_a_folder_of_pages(run: Run, folder: Path, tmp_path: Path) -> None:
    command = ("deblur", folder, "-o", tmp_path / "out", *PRECISE)
    assert run(*command).code == 0
    pages = ("--compare", tmp_path / "pages", "--json")
    result = run(*command, *pages)
    assert (result.code, result.err) == (0, "")
    assert listing(tmp_path / "pages") == ["1.html", "10.html", "2.html"]
    records = [json.loads(line) for line in result.out.splitlines()]
    assert [record["status"] for record in records] == ["deblurred"] * 3, "again, for their pages"
    assert records[2]["compare"] == str(tmp_path / "pages" / "10.html")
    page = (tmp_path / "pages" / "10.html").read_bytes()
    expected = halves((folder / "10_left.png", folder / "10_right.png"))
    found = re.findall(rb"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", page)
    for data, half in zip(found, expected, strict=True):
        error = np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) - half
        assert np.sqrt((error**2).mean()) < 8, "noise, as JPEG shows it; the halves differ by 26"
    again = [json.loads(line)["status"] for line in run(*command, *pages).out.splitlines()]
    assert again == ["skipped"] * 3


@pytest.mark.parametrize(
    ("compare", "code", "says"),
    [
        ("l.png", 1, "l.png is one of the views; write the comparison elsewhere"),
        ("out.png", 1, "would be both the picture and the comparison; name another place with --compare"),
        ("page.jpg", 2, "page.jpg"),
        ("mine.html", 1, "mine.html exists already"),
    ],
)
def test_what_is_refused_before_the_work(
    run: Run,
    views: tuple[Path, Path],
    tmp_path: Path,
    small_model: Weighted,
    compare: str,
    code: int,
    says: str,
) -> None:
    (tmp_path / "mine.html").write_text("mine")
    result = run("deblur", *views, "-o", tmp_path / "out.png", "--compare", tmp_path / compare)
    assert result.code == code and says in result.sentence
    assert small_model.runs == 0 and listing(tmp_path) == ["l.png", "mine.html", "r.png"]


def test_the_pages_of_a_folder_need_a_folder(
    run: Run, folder: Path, tmp_path: Path, small_model: Weighted
) -> None:
    result = run("deblur", folder, "-o", tmp_path / "out", "--compare", tmp_path / "page.html")
    assert result.code == 2 and "a folder of pairs makes many pages; name a folder with" in result.sentence
    assert small_model.runs == 0


@pytest.mark.usefixtures("small_model")
def test_gray_views_and_a_picture_without_compare(run: Run, tmp_path: Path) -> None:
    views = [write_view(tmp_path / f"{name}.png", seed, np.uint8, (40, 56)) for seed, name in enumerate("lr")]
    result = run("deblur", *views, "-o", tmp_path / "out.png", "--compare", tmp_path / "c.html", *PRECISE)
    assert (result.code, result.err) == (0, "")
    assert len(re.findall(b"data:image/jpeg;base64", (tmp_path / "c.html").read_bytes())) == 2
