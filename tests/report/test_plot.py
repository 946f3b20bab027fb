"""Where the marks of the gain plot lie."""

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dpanet.report.plot import axis_over, gain_axis, gain_plot


@pytest.mark.parametrize(
    "values",
    [[0.3, 2.4], [-1.7, -0.2], [12.0, -3.0], [0.0], [], [0.004], [5.0, math.inf], [-math.inf], [-0.4, 0.4]],
)
def test_the_axis_holds_every_finite_value_and_zero(values: list[float]) -> None:
    axis = axis_over(values)
    finite = [value for value in values if math.isfinite(value)]
    assert axis.low <= min([0.0, *finite]) and axis.high >= max([0.0, *finite]) and axis.high > axis.low
    ticks = axis.ticks()
    assert 3 <= len(ticks) <= 10 and any(abs(tick) < 1e-9 for tick in ticks)
    assert all(0 <= axis.place(tick) <= 100 for tick in ticks)
    assert axis.place(math.inf) == 100 and axis.place(-math.inf) == 0


def test_marks_lie_where_their_gain_is(fabricate: Callable[..., Path]) -> None:
    def put(scores: dict[str, Any]) -> None:
        for scene in scores["scenes"]:
            scene["scores"]["none"]["aligned"]["psnr"] = 20.0
        for method, psnr in (("deconvolution", 20.0), ("nano", 24.0), ("compact", "inf")):
            scores["scenes"][0]["scores"][method]["aligned"]["psnr"] = psnr

    scores = json.loads((fabricate(change=put) / "scores.json").read_text())
    axis = gain_axis(scores)
    plot = gain_plot(scores, "aligned", axis)
    dots = re.findall(r'x="([\d.]+)%"[^>]*><title>001, (\w+):', plot)
    places = {name: float(place) for place, name in dots}
    assert places == {"deconvolution": axis.place(0), "nano": axis.place(4), "compact": 100}
    assert plot.count('class="row"') == 3
    assert "dB" in plot and "∞" in plot
