"""`dpanet deblur --defocus-map`."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from cli.conftest import Run, Weighted, listing, write_view

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
def test_a_map_as_float_tiff(run: Run, views: tuple[Path, Path], tmp_path: Path) -> None:
    options = ("--precision", "float32", "--defocus-map", tmp_path / "map.tif")
    result = run("deblur", *views, "-o", tmp_path / "out.png", *options)
    assert (result.code, result.err) == (0, "")
    np.testing.assert_allclose(tifffile.imread(tmp_path / "map.tif"), expected(views), atol=1e-5)
    assert "map-colour.png" in listing(tmp_path)
    wrong = run("deblur", *views, "-o", tmp_path / "b.png", "--defocus-map", tmp_path / "map.jpg")
    assert wrong.code == 2 and ".png" in wrong.sentence and not (tmp_path / "b.png").exists()


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


@pytest.mark.parametrize(
    ("names", "output", "defocus_map", "says"),
    [
        (("l", "r"), "out", "l", "l.png is one of the views; write the defocus map elsewhere"),
        (
            ("l-colour", "r"),
            "out",
            "l",
            "l-colour.png is one of the views; write the color picture of the map",
        ),
        (("l", "r"), "r", "map", "r.png is one of the views; write the picture elsewhere"),
        (("l", "r"), "x", "x", "x.png would be both the picture and the defocus map; name another place"),
        (("l", "r"), "x-colour", "x", "would be both the picture and the color picture of the map"),
    ],
)
def test_no_output_replaces_an_input_or_another_output(
    run: Run,
    tmp_path: Path,
    small_model: Weighted,
    names: tuple[str, str],
    output: str,
    defocus_map: str,
    says: str,
) -> None:
    views = [write_view(tmp_path / f"{name}.png", seed) for seed, name in enumerate(names)]
    before = [view.read_bytes() for view in views]
    paths = ("-o", tmp_path / f"{output}.png", "--defocus-map", tmp_path / "." / f"{defocus_map}.png")
    result = run("deblur", *views, *paths, "--overwrite")
    assert result.code == 1 and says in result.sentence
    assert [view.read_bytes() for view in views] == before and small_model.runs == 0
    assert len(listing(tmp_path)) == 2


@pytest.mark.parametrize(
    ("output", "maps", "says"),
    [
        ("out", "out", "would be both the picture"),
        ("out", "in/inputL", "is one of the views; write the defocus map elsewhere"),
        ("in/inputR", "maps", "is one of the views; write the picture elsewhere"),
    ],
)
def test_no_output_of_a_folder_replaces_an_input_or_another_output(
    run: Run, tmp_path: Path, small_model: Weighted, output: str, maps: str, says: str
) -> None:
    (tmp_path / "in").mkdir()
    views = [write_view(tmp_path / "in" / side / "a.png", 1) for side in ("inputL", "inputR")]
    before, names = [view.read_bytes() for view in views], listing(tmp_path)
    paths = ("-o", tmp_path / output, "--defocus-map", tmp_path / maps)
    result = run("deblur", tmp_path / "in", *paths, "--overwrite")
    assert result.code == 1 and says in result.sentence
    assert ([view.read_bytes() for view in views], listing(tmp_path)) == (before, names)
    assert small_model.runs == 0


@pytest.mark.usefixtures("small_model")
def test_a_white_sheet_is_not_replaced(run: Run, tmp_path: Path) -> None:
    files = [write_view(tmp_path / f"{name}.png", 1, shape=(240, 240)) for name in ("l", "r", "a", "b")]
    raw = ("--black-level", 0, "--white-level", 65535, "--flat-field", *files[2:])
    paths = ("-o", tmp_path / "out.png", "--defocus-map", files[3])
    result = run("deblur", *files[:2], *raw, *paths, "--overwrite")
    assert result.code == 1 and "b.png is one of the white sheets; write the defocus map" in result.sentence
    result = run("deblur", *files[:2], *raw, "-o", files[2], "--overwrite")
    assert result.code == 1 and "a.png is one of the white sheets; write the picture" in result.sentence


@pytest.mark.parametrize(
    ("maps", "code", "says"),
    [
        ("map.png", 2, "map.png names a picture, but a folder of pairs makes many maps; name a folder"),
        ("a_file", 1, "a_file is a file, but a folder of pairs makes many maps; name a folder"),
        ("no/maps", 1, "no does not exist; create it first"),
    ],
)
def test_the_maps_of_a_folder_need_a_folder(
    run: Run, folder: Path, tmp_path: Path, small_model: Weighted, maps: str, code: int, says: str
) -> None:
    (tmp_path / "a_file").write_text("mine")
    before = listing(tmp_path)
    result = run("deblur", folder, "-o", tmp_path / "out", "--defocus-map", tmp_path / maps)
    assert result.code == code and says in result.sentence
    assert (listing(tmp_path), small_model.runs) == (before, 0)


@pytest.mark.usefixtures("small_model")
def test_maps_in_the_new_folder_of_the_pictures(run: Run, folder: Path, tmp_path: Path) -> None:
    maps = tmp_path / "out" / "maps"
    result = run("deblur", folder, "-o", tmp_path / "out", "--defocus-map", maps)
    assert (result.code, result.err, len(listing(maps))) == (0, "", 6)
