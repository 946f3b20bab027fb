import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from cli.conftest import Run, Weighted, listing, use_model, weighted, write_view

from dpanet.images.encoding import linear_to_srgb, srgb_to_linear
from dpanet.images.reading import read_codes

LOG = (".dpanet.jsonl", ".lock")
"""Hidden files in an output folder."""

pytestmark = pytest.mark.usefixtures("small_model")


def test_a_pair_becomes_a_picture_of_its_own_depth(
    run: Run, views: tuple[Path, Path], tmp_path: Path
) -> None:
    result = run("deblur", *views, "-o", tmp_path / "out.png", "--precision", "float32")
    assert (result.code, result.err) == (0, "")
    assert re.fullmatch(rf"{re.escape(str(tmp_path / 'out.png'))}: 56 x 40 px, \d+\.\d s\n", result.out)
    codes = read_codes(tmp_path / "out.png")
    assert codes.dtype == np.uint16
    expected = weighted(*(read_codes(view).astype(float) for view in views))
    assert np.abs(codes - expected).max() <= 0.51
    assert listing(tmp_path) == ["l.png", "out.png", "r.png"]


def test_eight_bits_and_tiff(run: Run, tmp_path: Path) -> None:
    views = [write_view(tmp_path / name, 1, np.uint8, (40, 56)) for name in ("l.tif", "r.tif")]
    assert run("deblur", *views, "-o", tmp_path / "out.tif").code == 0
    codes = read_codes(tmp_path / "out.tif")
    assert (codes.dtype, codes.shape) == (np.uint8, (40, 56)), "gray in, gray out"


def test_compression(run: Run, tmp_path: Path) -> None:
    views = [write_view(tmp_path / f"view {i}.png", 0, shape=(70, 90, 3)) for i in (1, 2)]
    for view in views:
        assert cv2.imwrite(str(view), np.full((70, 90, 3), 777, np.uint16))
    sizes = {}
    for level in (0, 1, 9):
        for suffix in ("png", "tif"):
            out = tmp_path / f"{level}.{suffix}"
            assert run("deblur", *views, "-o", out, "--compression", level).code == 0
            sizes[out.name] = out.stat().st_size
            assert (read_codes(out) == read_codes(tmp_path / "0.png")).all()
    assert sizes["0.png"] > 37_800 > 3 * sizes["1.png"] and sizes["0.tif"] > 37_800 > 3 * sizes["1.tif"]
    result = run("deblur", *views, "-o", tmp_path / "out.png", "--compression", "10")
    assert (result.code, result.sentence) == (2, "--compression is 10; give 0 (none) to 9 (slowest)")


@pytest.mark.parametrize("tile", ["0", "40", "auto"])
def test_tiles(run: Run, tmp_path: Path, tile: str) -> None:
    views = [write_view(tmp_path / f"{i}.png", i, shape=(70, 90, 3)) for i in (1, 2)]
    assert run("deblur", *views, "-o", tmp_path / "out.png", "--tile", tile, "--device", "cpu").code == 0
    expected = weighted(*(read_codes(view).astype(float) for view in views))
    assert np.abs(read_codes(tmp_path / "out.png") - expected).max() <= 0.51


def test_overwrite(run: Run, views: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    out.write_text("old")
    assert run("deblur", *views, "-o", out, "--overwrite").code == 0
    assert read_codes(out).shape == (40, 56, 3)


def test_a_folder(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("deblur", folder, "-o", out).code == 0
    assert listing(out) == [*LOG, "1.png", "10.png", "2.png"]
    for name in ("1", "10"):
        sides = (read_codes(folder / f"{name}_{side}.png").astype(float) for side in ("left", "right"))
        assert np.abs(read_codes(out / f"{name}.png") - weighted(*sides)).max() <= 0.51


def test_folders_of_views_and_other_formats(run: Run, tmp_path: Path) -> None:
    for side in ("inputL", "inputR"):
        write_view(tmp_path / "in" / "x.png", 1).unlink()
        write_view(tmp_path / "in" / side / "a.tif", 3)
        write_view(tmp_path / "in" / side / "b.jpg", 4, np.uint8)
    assert run("deblur", tmp_path / "in", "-o", tmp_path / "out").code == 0
    assert listing(tmp_path / "out") == [*LOG, "a.tif", "b.png"]


def raw_views(folder: Path, size: tuple[int, int] = (1512, 2016)) -> dict[str, np.ndarray]:
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(3)
    made = {name: rng.integers(1024, 9000, size, dtype=np.uint16) for name in ("001_left", "001_right")}
    made["white_left"], made["white_right"] = np.full(size, 5024, np.uint16), np.full(size, 6024, np.uint16)
    for name, codes in made.items():
        path = folder / f"{name}.png" if name[0] == "0" else folder.parent / f"{name}.png"
        assert cv2.imwrite(str(path), codes)
    return made


def test_pixel4_captures(run: Run, tmp_path: Path) -> None:
    made = raw_views(tmp_path / "in")
    sheets = tmp_path / "white_left.png", tmp_path / "white_right.png"
    result = run(
        "deblur", "--camera", "pixel4", tmp_path / "in", "-o", tmp_path / "out", "--flat-field", *sheets,
        "--precision", "float32", "--no-refine",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert result.err == (
        "dpanet: note: of the Pixel 4's 2016 x 1512 px only the central field is written, 1344 x 1008 px; it is "
        "linear, --output-encoding srgb gives a picture to look at\n"
    )
    codes = read_codes(tmp_path / "out" / "001.png")
    assert (codes.shape, codes.dtype) == ((1008, 1344), np.uint16)
    light = [
        (made[f"001_{side}"][252:1260, 336:1680].astype(float) - 1024) / 16383 for side in ("left", "right")
    ]
    views = light[0], light[1] * 0.8  # the right half of the lens passes more light
    white = max(view.max() for view in views)
    shown = (linear_to_srgb((view / white).astype(np.float32)) for view in views)
    np.testing.assert_allclose(codes / 65535, srgb_to_linear(weighted(*shown)) * white, atol=1e-4)


def test_other_raw_views_and_output_encoding(run: Run, tmp_path: Path) -> None:
    one = write_view(tmp_path / "l.png", 1, np.uint16, (40, 56))
    other = tmp_path / "r.png"
    other.write_bytes(one.read_bytes())
    levels = ("--black-level", 1000, "--white-level", 60000)
    assert run("deblur", one, other, "-o", tmp_path / "a.png", *levels, "--precision", "float32").code == 0
    light = np.maximum(read_codes(one).astype(float) - 1000, 0) / 59000
    np.testing.assert_allclose(read_codes(tmp_path / "a.png") / 65535, light.clip(0, 1), atol=2e-5)
    assert run("deblur", one, other, "-o", tmp_path / "b.png", *levels, "--output-encoding", "srgb").code == 0
    assert (read_codes(tmp_path / "b.png") >= read_codes(tmp_path / "a.png")).mean() > 0.99


def test_linear_views(run: Run, views: tuple[Path, Path], tmp_path: Path) -> None:
    assert run("deblur", *views, "-o", tmp_path / "a.png", "--encoding", "linear").code == 0
    assert run("deblur", *views, "-o", tmp_path / "b.png").code == 0
    assert (read_codes(tmp_path / "a.png") != read_codes(tmp_path / "b.png")).any()


def test_an_interrupt_leaves_nothing(
    run: Run, views: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(Weighted):
        def forward(self, *views: object) -> object:
            raise KeyboardInterrupt

    use_model(monkeypatch, Interrupted())
    result = run("deblur", *views, "-o", tmp_path / "out.png")
    assert (result.code, result.err) == (130, "dpanet: interrupted\n")
    assert listing(tmp_path) == ["l.png", "r.png"]


def test_a_bug_is_one_line_too(
    run: Run, views: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Weighted):
        def forward(self, *views: object) -> object:
            raise ZeroDivisionError("of\nall things")

    use_model(monkeypatch, Broken())
    result = run("deblur", *views, "-o", tmp_path / "out.png")
    assert result.code == 1
    assert "unexpected ZeroDivisionError: of all things; run it again with --debug" in result.sentence
