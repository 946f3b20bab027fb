"""The page as a file: what it says, what is refused."""

import base64
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from dpanet.errors import ReportError
from dpanet.report import build_page
from dpanet.report.windows import choose_windows

Fabricate = Callable[..., Any]


class Reader(HTMLParser):
    """All tags with their attributes, and all text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("img", "meta", "link", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += data + "\n"


def read(evaluation: Any) -> Reader:
    return Reader(build_page(*evaluation).read_text(encoding="utf-8"))


def test_the_page_is_one_file_that_refers_to_no_other(fabricate: Fabricate) -> None:
    scores, folder = fabricate(defocus=True)
    before = {path for path in folder.rglob("*") if path.is_file()}
    page = build_page(scores, folder)
    assert (
        {path for path in folder.rglob("*") if path.is_file()} - before == {folder / "report.html"} == {page}
    )
    reader = Reader(page.read_text())
    assert reader.open == []
    for tag, attributes in reader.tags:
        for key in ("src", "href", "srcset", "action", "data"):
            assert (attributes.get(key) or "#").startswith(("#", "data:")), (tag, attributes)
    policy = next(a["content"] for t, a in reader.tags if t == "meta" and "http-equiv" in a)
    assert policy is not None and policy.startswith("default-src 'none'; img-src data:;")
    assert "@import" not in page.read_text() and "url(" not in page.read_text()


def test_it_says_what_was_measured(fabricate: Fabricate) -> None:
    text = read(fabricate()).text
    for text_part in (
        "captures of mine, layout pixel4",
        "as published and aligned",
        "16 bits",
        "cpu, 2 threads",
        "dpanet 0.1.0, python 3.11.2, torch 2.13.0",
        "2026-11-24 12:00:00 UTC",
        "dpanet evaluate 'captures of mine' --layout pixel4 -o OUT --model compact",
        "01234567",
        "absent: no weights were available",
        "onnxruntime 1.32.0, int8, cpu; 2 passes; scale auto; tile 512; refined by the lens measured lens (89abcdef)",
    ):
        assert text_part in text, text_part


def test_no_crop_is_both_among_the_worst_and_the_best(fabricate: Fabricate) -> None:
    def put(scores: dict[str, Any]) -> None:
        del scores["scenes"][0]["windows"]["nano"][0]

    scores = fabricate(scenes=2, change=put).scores
    worst, best = choose_windows(scores, "nano")
    assert [(index, window.gain) for index, window in worst] == [(1, -2), (0, 1)]
    assert [(index, window.gain) for index, window in best] == [(1, 2)]


def test_a_missing_picture_of_a_crop_is_named(fabricate: Fabricate) -> None:
    scores, folder = fabricate()
    (folder / "scenes" / "002" / "nano" / "5-2-output.png").unlink()
    with pytest.raises(ReportError, match=r"5-2-output\.png is missing; run dpanet evaluate again"):
        build_page(scores, folder)


def test_the_program_is_named_once_in_the_command(fabricate: Fabricate) -> None:
    text = read(fabricate(change=lambda scores: scores["command"].insert(0, "dpanet"))).text
    assert "dpanet evaluate" in text and "dpanet dpanet" not in text


def test_every_table_has_a_caption_and_every_picture_an_alternative(fabricate: Fabricate) -> None:
    reader = read(fabricate(defocus=True, labels=True, layout="dpdd"))
    tags = [tag for tag, _ in reader.tags]
    assert tags.count("table") == tags.count("caption") == 2 + 1 + 1 + 3
    assert all(attributes.get("alt") for tag, attributes in reader.tags if tag == "img")
    assert all(
        attributes.get("aria-label") for tag, attributes in reader.tags if attributes.get("role") == "slider"
    )


@pytest.mark.parametrize(
    "place", ["root", "device", "date", "dpanet", "command", "checkpoint", "label", "layout"]
)
def test_foreign_text_is_escaped(fabricate: Fabricate, place: str) -> None:
    evil = "</title></script><script>alert(1)</script><!-- \"'&"

    def put(scores: dict[str, Any]) -> None:
        if place == "command":
            scores["command"].append(evil)
        elif place == "checkpoint":
            scores["methods"][-1]["checkpoint"] = evil
        elif place == "label":
            for scene in scores["scenes"]:
                scene["label"] = evil
            for part in scores["summary"].values():
                part["labels"] = {evil: {name: part[name] for name in scores["protocols"]}}
        else:
            scores[place] = evil

    evaluation = fabricate(change=put)
    reader = read(evaluation)
    scripts = [attributes for tag, attributes in reader.tags if tag == "script"]
    assert [attributes.get("class") for attributes in scripts] == ["titles", "pictures"] * 3 + [None]
    assert reader.open == []
    assert "<script>alert" not in (evaluation.folder / "report.html").read_text()


def test_each_label_has_rows(fabricate: Fabricate) -> None:
    text = read(fabricate(labels=True, layout="dpdd")).text
    assert "All 3 images" in text and "Indoor, 2 images" in text and "Outdoor, 1 image\n" in text


def test_an_infinite_mean_is_shown(fabricate: Fabricate) -> None:
    def put(scores: dict[str, Any]) -> None:
        scores["scenes"][0]["scores"]["compact"]["aligned"]["psnr"] = "inf"
        for metric in ("psnr", "gain"):
            scores["summary"]["compact"]["aligned"][metric].update(mean="inf", high="inf")

    text = read(fabricate(change=put)).text
    assert "+∞" in text and "\n∞\n" in text
    assert not re.search(r"\b(inf|nan|NaN|None|null)\b", text)


@pytest.mark.parametrize(
    ("methods", "finding"),
    [
        (["nano"], "and the best method, compact"),
        (["deconvolution", "nano", "compact"], "no method has a finite mean gain over doing nothing"),
    ],
)
def test_a_mean_gain_of_minus_infinity_keeps_its_sign_and_is_never_best(
    fabricate: Fabricate, methods: list[str], finding: str
) -> None:
    def spoil_a_perfect_input(scores: dict[str, Any]) -> None:
        scores["scenes"][0]["scores"]["none"]["aligned"]["psnr"] = "inf"
        for name in methods:
            infinite = {"mean": "-inf", "median": 1.0, "low": None, "high": None}
            scores["summary"][name]["aligned"]["gain"] = infinite

    page = build_page(*fabricate(change=spoil_a_perfect_input)).read_text()
    assert page.count('<span class="value">−∞</span>') == len(methods)
    assert not re.search(r'class="value (best|second)">−∞', page)
    assert finding in page


def test_the_seconds_of_a_method_are_the_median_over_scenes(fabricate: Fabricate) -> None:
    def put(scores: dict[str, Any]) -> None:
        scores["summary"]["nano"]["seconds"] = 2.0

    text = read(fabricate(change=put)).text
    assert "Median s per image" in text and "Seconds are the median over images" in text
    assert text.count("\n2.00\n") == 2  # one per protocol


def test_lpips_that_was_measured_is_shown(fabricate: Fabricate) -> None:
    def put(scores: dict[str, Any]) -> None:
        scores["lpips"] = "fedcba98" * 8
        for place, part in enumerate(scores["summary"].values()):
            part["aligned"]["lpips"] = {"mean": 0.2 + place / 100, "median": 0.2, "low": 0.1, "high": 0.3}

    text = read(fabricate(change=put)).text
    assert "weights fedcba98" in text and "\n.2300\n" in text


def test_there_is_a_page_if_only_doing_nothing_was_scored(fabricate: Fabricate) -> None:
    assert "Only doing nothing was scored" in read(fabricate(methods={"none": 4.0})).text


def test_an_older_page_is_replaced(fabricate: Fabricate) -> None:
    scores, folder = fabricate()
    (folder / "report.html").write_text("old")
    assert build_page(scores, folder).read_text().startswith("<!doctype html>")


def test_missing_pictures_are_refused_in_a_sentence(fabricate: Fabricate) -> None:
    scores, folder = fabricate()
    (folder / "scenes" / "002" / "nano.webp").unlink()
    (folder / "scenes" / "003" / "truth-crop.png").unlink()
    with pytest.raises(ReportError, match=r"002/nano\.webp and 1 more is missing; run dpanet evaluate"):
        build_page(scores, folder)
    assert [path.name for path in folder.iterdir() if path.is_file()] == []


def test_the_pictures_are_those_of_the_folder(fabricate: Fabricate) -> None:
    scores, folder = fabricate()
    text = build_page(scores, folder).read_text()
    blocks = re.findall(r'<script type="application/json" class="pictures">(.*?)</script>', text)
    assert len(blocks) == 3
    preview, crop = json.loads(blocks[1])["nano"]
    assert base64.b64decode(preview.partition(",")[2]) == (folder / "scenes/002/nano.webp").read_bytes()
    assert base64.b64decode(crop.partition(",")[2]) == (folder / "scenes/002/nano-crop.png").read_bytes()
    assert preview.startswith("data:image/webp;base64,") and crop.startswith("data:image/png;base64,")
