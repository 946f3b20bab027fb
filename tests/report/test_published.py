"""Figures that others published, beside those of the run."""

import re
from collections.abc import Callable
from dataclasses import astuple
from typing import Any, get_args

import pytest

from dpanet.report import build_page
from dpanet.report.published import Figures, Origin, Source, Views, load_published_scores


def section(page: str, name: str) -> str:
    _, _, rest = page.partition(f'<section id="{name}">')
    return rest.partition("</section>")[0]


@pytest.fixture
def published(fabricate: Callable[..., Any]) -> Callable[[str], str]:
    return lambda layout: section(
        build_page(*fabricate(layout=layout, defocus=True)).read_text(), "published"
    )


@pytest.mark.parametrize("layout", ["dpdd", "restormer", "pixel4"])
def test_each_quoted_row_has_bit_depth_size_and_origin(published: Callable[[str], str], layout: str) -> None:
    text = published(layout)
    quoted = text[text.index("Published by others") :]
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", quoted, re.DOTALL)
    assert len(rows) == len(load_published_scores()[layout].rows)
    for row in rows:
        assert re.search(r"\d{3,4} × \d{3,4}", row)
        assert 'class="origin ' in row
        if "from memory" in row:
            assert len(re.findall(r"<i>[.\d]+</i><sup", row)) >= 3  # each figure, not only the row


def test_every_published_figure_is_a_number_of_a_known_origin() -> None:
    known = set(get_args(Origin))
    for published in load_published_scores().values():
        sources = {row.source for row in (*published.rows, *published.maps)}
        assert {source.origin for source in sources if source} <= known
        assert {row.views for row in published.rows} <= set(get_args(Views))
        for row in published.rows:
            for figures in filter(None, (row.mean, row.indoor, row.outdoor)):
                printed = [text for text in astuple(figures) if text is not None]
                assert printed and all(re.fullmatch(r"≈?\d*\.\d+", text) for text in printed), row
        for errors in published.maps:
            assert all(0 < float(text) < 1 for text in (errors.aiwe1, errors.aiwe2, errors.spearman))


def test_figures_are_in_the_row_and_column_of_their_source() -> None:
    dpdd, pixel4 = load_published_scores()["dpdd"], load_published_scores()["pixel4"]
    restormer = next(row for row in dpdd.rows if (row.method, row.views) == ("Restormer", "dual"))
    assert restormer.mean == Figures("26.66", ".833", ".035", ".155")
    assert restormer.indoor == Figures("29.48", ".895", ".023", ".134")
    assert restormer.outdoor == Figures("23.97", ".773", ".047", ".175")
    assert restormer.source == Source("Table 3 of GRL (CVPR 2023)", "read directly")
    assert (restormer.size, pixel4.rows[0].size) == ((1680, 1120), (1344, 1008))
    assert (len(dpdd.rows), len(pixel4.rows), len(pixel4.maps)) == (29, 3, 5)
    assert (pixel4.maps[-1].aiwe1, pixel4.maps[-1].spearman) == (".041", ".037")


def test_rows_quoted_from_memory_have_that_origin() -> None:
    dpdd, pixel4 = load_published_scores()["dpdd"], load_published_scores()["pixel4"]
    assert {row.source.origin for row in (*pixel4.rows, *pixel4.maps) if row.source} == {"from memory"}
    memory = [row.method for row in dpdd.rows if row.source and row.source.origin == "from memory"]
    assert memory == ["Input"]


def test_no_figure_of_the_papers_own_network_is_quoted(published: Callable[[str], str]) -> None:
    assert not any(
        "dpanet" in row.method.lower() for known in load_published_scores().values() for row in known.rows
    )
    text = " ".join(published("dpdd").split())
    assert "DPANet itself is missing because its published figures could not be read" in text


def test_means_over_other_images_come_with_a_warning(published: Callable[[str], str]) -> None:
    assert "all 17 images, while this run has 3: do not compare" in published("pixel4")


def test_other_data_has_no_published_figures(published: Callable[[str], str]) -> None:
    assert published("pairs") == ""


def test_errors_of_defocus_maps_are_beside_the_published_ones(fabricate: Callable[..., Any]) -> None:
    text = section(build_page(*fabricate(defocus=True)).read_text(), "defocus")
    assert (
        ".104" in text
        and "Wadhwa et al. 2018" in text
        and text.count('<sup title="quoted from memory"') == 15
    )


def test_without_defocus_scores_the_page_does_not_mention_them(fabricate: Callable[..., Any]) -> None:
    assert "efocus map" not in build_page(*fabricate()).read_text()
