from xml.etree import ElementTree

import numpy as np
import pytest
import pyvips
from benchmark.example import RESULTS

from dpanet.benchmark.picture import draw, round_ticks

SVG = "{http://www.w3.org/2000/svg}"


def test_bars_are_as_long_as_their_values() -> None:
    root = ElementTree.fromstring(draw(RESULTS))
    bars = [float(rect.get("width", 0)) for rect in root.iter(f"{SVG}rect")][1:]
    assert bars[0] == pytest.approx(2 * bars[1], abs=0.2), "250 and 125 ms"
    assert bars[2] == pytest.approx(1.5 * bars[3], abs=0.2), "150 and 100 ms of a part"
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "compact, openvino, bfloat16" in texts and "a|b" in texts
    assert any(text and "A & B" in text for text in texts), "names are escaped"


def test_points_lie_where_the_axes_say() -> None:
    root = ElementTree.fromstring(draw(RESULTS))
    lines = [line.get("points", "") for line in root.iter(f"{SVG}polyline")]
    assert len(lines) == 2, "seconds and memory"
    points = np.array([[float(value) for value in point.split(",")] for point in lines[0].split()])
    across, up = np.diff(points[:, 0]), -np.diff(points[:, 1])
    assert across[1] / across[0] == pytest.approx(3.0 / 0.75, rel=0.01)
    assert up[1] / up[0] == pytest.approx(2.0 / 0.5, rel=0.01)


def test_it_can_be_drawn() -> None:
    picture = pyvips.Image.new_from_buffer(draw(RESULTS).encode(), "")
    assert picture.width == 820 and picture.min() < 100


@pytest.mark.parametrize(
    "largest", [0.003, 0.07, 0.9, 1.0, 3.4, 4.0, 10.0, 49.9, 120.0, 950.0, 1400.0, 54321.0]
)
def test_ticks_are_few_round_and_reach_the_largest(largest: float) -> None:
    ticks = round_ticks(largest)
    assert ticks[0] == 0 and 4 <= len(ticks) <= 11
    assert ticks[-2] < largest <= ticks[-1] * (1 + 1e-9)
    assert len(f"{ticks[1]:g}".replace(".", "").strip("0")) <= 2
