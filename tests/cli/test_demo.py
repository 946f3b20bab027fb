from pathlib import Path

import numpy as np
import pytest
from cli.conftest import Run, listing, weighted

from dpanet.images.demo_pair import read_demo_pair
from dpanet.images.reading import read_codes

pytestmark = pytest.mark.usefixtures("small_model")


def test_the_demo_writes_three_pictures_and_tells_the_gain(run: Run, tmp_path: Path) -> None:
    result = run("demo", "-o", tmp_path / "demo")
    assert (result.code, result.err) == (0, "")
    assert listing(tmp_path / "demo") == ["after.png", "before.png", "truth.png"]
    before, after, truth = (read_codes(tmp_path / "demo" / f"{n}.png") for n in ("before", "after", "truth"))
    pair, _ = read_demo_pair()
    lines = result.out.splitlines()
    error = np.mean((before / 255.0 - truth / 255.0) ** 2)
    assert float(lines[0].split()[1]) == pytest.approx(-10 * np.log10(error), abs=0.05)
    left, right = (view.astype(float) for view in (pair.left, pair.right))
    assert np.abs(after - 255 * weighted(left, right)).max() <= 1, "a left view, a right view, in this order"
    gain = float(lines[1].split()[1]) - float(lines[0].split()[1])
    assert f"gain    {gain:+.2f}"[:-1] in lines[2]


def test_the_demo_does_not_replace_pictures_unasked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "after.png").write_text("mine")
    result = run("demo", "-o", tmp_path)
    assert result.code == 1 and "after.png exists already" in result.sentence
    assert listing(tmp_path) == ["after.png"]
