"""Where the marks of the gain plot are."""

import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from dpanet.report import build_page
from dpanet.report.plot import GainPlot, axis_over, gain_plots


@pytest.mark.parametrize(
    "values",
    [[0.3, 2.4], [-1.7, -0.2], [12.0, -3.0], [0.0], [], [0.004], [5.0, math.inf], [-math.inf], [-0.4, 0.4]],
)
def test_the_axis_has_every_finite_value_and_zero(values: list[float]) -> None:
    axis = axis_over(values)
    finite = [value for value in values if math.isfinite(value)]
    assert axis.low <= min([0.0, *finite]) and axis.high >= max([0.0, *finite]) and axis.high > axis.low
    ticks = axis.ticks()
    assert 3 <= len(ticks) <= 10 and any(abs(tick) < 1e-9 for tick in ticks)
    assert all(0 <= axis.place(tick) <= 100 for tick in ticks)
    assert axis.place(math.inf) == 100 and axis.place(-math.inf) == 0


def test_marks_are_where_their_gain_is(fabricate: Callable[..., Any]) -> None:
    def put(scores: dict[str, Any]) -> None:
        for scene in scores["scenes"]:
            scene["scores"]["none"]["aligned"]["psnr"] = 20.0
        for method, psnr in (("deconvolution", 20.0), ("nano", 24.0), ("compact", "inf")):
            scores["scenes"][0]["scores"][method]["aligned"]["psnr"] = psnr
        scores["scenes"][1]["scores"]["none"]["aligned"]["psnr"] = "inf"

    scores, folder = fabricate(change=put)
    published, aligned = gain_plots(scores)
    first, second, _ = aligned.rows
    assert [dot.x for dot in first.dots] == [axis_zero(aligned), first.dots[1].x, 100]
    assert axis_zero(aligned) < first.dots[1].x < 100
    assert [(dot.x, dot.infinite) for dot in second.dots] == [(0, "−∞")] * 3
    assert [dot.infinite for dot in first.dots] == ["", "", "∞"]
    assert axis_zero(published) == axis_zero(aligned)

    page = build_page(scores, folder).read_text()
    drawing = page[page.rindex('<svg class="plot"') :]
    places = dict(re.findall(r'x="([\d.]+)%"[^>]*><title>(001, \w+):', drawing))
    assert {float(place) for place in places} == {dot.x for dot in first.dots}
    assert drawing.count('class="row"') == 3
    assert drawing.count(">−∞</text>") == 3


def axis_zero(plot: GainPlot) -> float:
    return next(tick.x for tick in plot.ticks if tick.label == "0")


def test_an_infinite_mean_gain_is_drawn_with_its_sign_and_no_interval(fabricate: Callable[..., Any]) -> None:
    infinite = {"mean": "-inf", "median": "-inf", "low": None, "high": None}
    scores, _ = fabricate(change=lambda s: s["summary"]["nano"]["aligned"].update(gain=infinite))
    mean = gain_plots(scores)[1].means[1]
    assert (mean.dot.x, mean.dot.infinite, mean.interval) == (0, "−∞", None)
    assert mean.dot.title == "nano: mean −∞ dB"
