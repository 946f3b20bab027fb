"""Published figures beside ours."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dpanet.report import build_page
from dpanet.report.published import DPDD, PIXEL4, PUBLISHED


def section(page: str, name: str) -> str:
    found = re.search(rf'<section id="{name}">', page)
    return page[found.start() : page.index("</section>", found.start())] if found else ""


@pytest.fixture
def published(fabricate: Callable[..., Path]) -> Callable[[str], str]:
    return lambda layout: section(build_page(fabricate(layout=layout, defocus=True)).read_text(), "published")


@pytest.mark.parametrize("layout", ["dpdd", "restormer", "pixel4"])
def test_each_quoted_row_has_depth_size_and_origin(published: Callable[[str], str], layout: str) -> None:
    text = published(layout)
    quoted = text[text.index("Published by others") :]
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", quoted)
    assert len(rows) == len(PUBLISHED[layout].rows)
    for row in rows:
        assert re.search(r"\d{3,4} × \d{3,4}", row)
        assert 'class="origin ' in row
        if "from memory" in row:
            assert len(re.findall(r"<i>[.\d]+</i><sup", row)) >= 3  # each figure, not only the row


def test_what_is_quoted_from_memory_says_so() -> None:
    assert {row.origin for row in (*PIXEL4.rows, *PIXEL4.maps)} == {"from memory"}
    assert [row.method for row in DPDD.rows if row.origin == "from memory"] == ["Input"]


def test_no_figure_of_the_papers_own_network_is_quoted(published: Callable[[str], str]) -> None:
    assert not any("dpanet" in row.method.lower() for known in PUBLISHED.values() for row in known.rows)
    assert "DPANet itself is missing because its published figures could not be read" in published("dpdd")


def test_means_over_other_images_are_not_to_be_compared(published: Callable[[str], str]) -> None:
    assert "all 17 images, while this run holds 3: do not compare" in published("pixel4")


def test_pairs_of_ones_own_have_no_published_figures(published: Callable[[str], str]) -> None:
    assert published("pairs") == ""


def test_defocus_maps_stand_beside_the_published_ones(fabricate: Callable[..., Path]) -> None:
    text = section(build_page(fabricate(defocus=True)).read_text(), "defocus")
    assert (
        ".104" in text
        and "Wadhwa et al. 2018" in text
        and text.count('<sup title="quoted from memory"') == 15
    )


def test_without_defocus_scores_there_is_no_word_of_them(fabricate: Callable[..., Path]) -> None:
    assert "efocus map" not in build_page(fabricate()).read_text()
