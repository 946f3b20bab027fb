"""How a download is mixed: strength, and background that stays soft."""

from pathlib import Path

import numpy as np
from app.running_app import Visitor, codes, read_png

from dpanet import Deblurrer, Picture, read_pair, write_picture
from dpanet.deblurrer.control import Control


def test_strength_is_exact_in_a_download(visitor: Visitor, views: tuple[Path, Path]) -> None:
    job = visitor.send(*views)
    visitor.wait(job)
    pair = read_pair(*views)
    output = Deblurrer("nano", threads=1)(pair).pixels
    for strength in (0.0, 0.3):
        picture, _ = read_png(visitor.get(f"{job}/picture.png?strength={strength}"))
        expected = codes(Control(strength=strength).apply(output, pair.combined.pixels))
        assert np.abs(picture.astype(int) - expected).max() <= 1
    assert b"strength" in visitor.get(f"{job}/picture.png?strength=2", status=400)
    assert b"number" in visitor.get(f"{job}/after?keep=nan", status=400)
    assert b"no defocus map" in visitor.get(f"{job}/after?keep=3", status=400)
    assert visitor.ask("PUT", f"{job}/left", b"again")[0] == 409


def test_values_beyond_black_and_white_are_mixed_before_they_are_clipped(
    visitor: Visitor, tmp_path: Path
) -> None:
    paths = [tmp_path / f"edges_{side}.png" for side in ("left", "right")]
    for seed, path in enumerate(paths):  # whose output goes beyond both
        noise = np.random.default_rng(seed).random((40, 56, 3)).astype(np.float32)
        write_picture(Picture(np.clip(1.6 * noise - 0.3, 0, 1), "srgb", {}), path, bits=16)
    job = visitor.send(*paths)
    visitor.wait(job)
    pair = read_pair(*paths)
    output = Deblurrer("nano", threads=1)(pair).pixels
    expected = codes(Control(strength=0.7).apply(output, pair.combined.pixels))
    clipped = codes(Control(strength=0.7).apply(np.clip(output, 0, 1), pair.combined.pixels))
    assert np.abs(clipped - expected).max() > 100
    picture, _ = read_png(visitor.get(f"{job}/picture.png?strength=0.7"))
    assert np.abs(picture.astype(int) - expected).max() <= 1


def test_the_background_can_stay_soft(visitor: Visitor, views: tuple[Path, Path]) -> None:
    job = visitor.send(*views, model="compact")
    state = visitor.wait(job)
    assert state["defocus"]
    assert state["span"] >= 2
    pair = read_pair(*views)
    output, radius = Deblurrer("compact", threads=1).with_defocus_map(pair)
    expected = codes(
        Control(keep_background=0.0).apply(output.pixels, pair.combined.pixels, radius, pair.encoding)
    )
    picture, _ = read_png(visitor.get(f"{job}/picture.png?keep=0"))
    assert np.abs(picture.astype(int) - expected).max() <= 1
    assert read_png(visitor.get(f"{job}/defocus"))[0].shape == (40, 56, 3)
    shown, _ = read_png(visitor.get(f"{job}/after?keep=0"))
    assert np.abs(shown.astype(float) - expected / 257).max() <= 0.51
