"""`dpanet deblur --defocus-map`."""

from pathlib import Path

import numpy as np
import pytest
from cli.conftest import Run, Weighted, listing

from dpanet.images.defocus_map import decode_defocus_map
from dpanet.images.reading import read_codes
from dpanet.network.description import Description


def expected(views: tuple[Path, Path]) -> np.ndarray:
    left, right = (read_codes(view).astype(float) / 65535 for view in views)
    return (left - right).mean(axis=-1) * 8


def test_one_run_gives_the_picture_and_the_map(
    run: Run, views: tuple[Path, Path], tmp_path: Path, small_model: Weighted
) -> None:
    assert run("deblur", *views, "-o", tmp_path / "plain.png", "--precision", "float32").code == 0
    options = ("--precision", "float32", "--defocus-map", tmp_path / "map.png")
    result = run("deblur", *views, "-o", tmp_path / "out.png", *options)
    assert (result.code, result.err) == (0, "")
    assert small_model.runs == 2, "one for each command"
    assert (tmp_path / "out.png").read_bytes() == (tmp_path / "plain.png").read_bytes()
    codes = read_codes(tmp_path / "map.png")
    assert (codes.dtype, codes.shape) == (np.uint16, (40, 56))
    np.testing.assert_allclose(decode_defocus_map(codes), expected(views), atol=1 / 512)
    assert "map-colour.png" in listing(tmp_path)


@pytest.mark.usefixtures("small_model")
def test_a_folder_of_maps(run: Run, folder: Path, tmp_path: Path) -> None:
    result = run("deblur", folder, "-o", tmp_path / "out", "--defocus-map", tmp_path / "maps")
    assert (result.code, result.err) == (0, "")
    names = ("1", "10", "2")
    assert listing(tmp_path / "maps") == sorted(f"{n}{kind}.png" for n in names for kind in ("", "-colour"))
    views = folder / "10_left.png", folder / "10_right.png"
    np.testing.assert_allclose(
        decode_defocus_map(read_codes(tmp_path / "maps" / "10.png")), expected(views), atol=0.05
    )


@pytest.mark.usefixtures("small_model")
def test_a_map_that_exists_is_not_replaced(run: Run, views: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "map-colour.png").write_text("mine")
    result = run("deblur", *views, "-o", tmp_path / "out.png", "--defocus-map", tmp_path / "map.png")
    assert result.code == 1 and "map-colour.png exists already" in result.sentence
    assert listing(tmp_path) == ["l.png", "map-colour.png", "r.png"]


def test_a_model_without_a_map_is_refused_before_the_work(
    run: Run, folder: Path, tmp_path: Path, small_model: Weighted
) -> None:
    small_model.description = Description(multiple_of=8, halo=8)
    result = run("deblur", folder, "-o", tmp_path / "out", "--defocus-map", tmp_path / "maps")
    assert result.code == 2 and "this model has no defocus map; choose one" in result.sentence
    assert small_model.runs == 0 and not (tmp_path / "out").exists()
