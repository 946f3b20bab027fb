"""A pair that is read, deblurred and written by rows gives the file of one that is in memory, byte for byte."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from dpanet.containers.png_chunks import make_chunk
from dpanet.containers.vips import to_image
from dpanet.deblurrer.by_rows import deblur_by_rows
from dpanet.deblurrer.control import Control
from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.deblurrer.mirror import MIRRORS
from dpanet.errors import OutputError, PairError, UnreadableImageError
from dpanet.formats.png import encode_png
from dpanet.formats.row_stream import RowStream
from dpanet.images import reading
from dpanet.images.pixel_rows import PictureRows, PixelRows
from dpanet.images.reading import open_pair, read_pair
from dpanet.images.writing import write_picture
from dpanet.network.description import Description
from dpanet.pair import Encoding, Pixels
from dpanet.tiles.tiling import Grid

RNG = np.random.default_rng(3)
HEIGHT, WIDTH = 331, 149


class Engine:
    """The mean of three columns of the left view, less a quarter of the right one."""

    name, version, device, precision = "none", "0", "cpu", "float32"
    description = Description(multiple_of=8, halo=8, has_defocus=True, tta=2, tile_pixels=64 * 80)

    def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
        picture = (left + np.roll(left, 1, 1) + np.roll(left, -1, 1)) / 3 - right * np.float32(0.25)
        return np.concatenate([picture, left[..., :1]], axis=2) if defocus else picture


@pytest.fixture
def deblurrer() -> Deblurrer:
    one = object.__new__(Deblurrer)
    one.control = Control()
    one.engine, one.tile, one.progress = Engine(), "auto", None
    one.mirrors = MIRRORS[:2]
    one.scale, one.lens, one.threads = "auto", None, None
    return one


@pytest.fixture
def by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_LARGE", 0)


def codes(kind: str, channels: int) -> NDArray[Any]:
    noise = RNG.integers(0, 8, (HEIGHT, WIDTH, channels)) / 7  # so that deflate codes it
    ramp = np.linspace(0.1, 0.9, HEIGHT)[:, None, None]
    values = (ramp + 0.2 * (noise - 0.5)).squeeze()
    return (values * 3).astype(kind) if kind[-2] == "f" else (values * np.iinfo(kind).max).astype(kind)


def png(kind: str, channels: int, alpha: bool = False) -> Callable[[Path], None]:
    opaque = np.full((HEIGHT, WIDTH), np.iinfo(kind).max, kind) if alpha else None

    def write(path: Path) -> None:
        path.write_bytes(encode_png(codes(kind, channels), opaque))

    return write


def tiff(kind: str, channels: int, **options: Any) -> Callable[[Path], None]:
    photometric = "rgb" if channels >= 3 else "minisblack"

    def write(path: Path) -> None:
        tifffile.imwrite(path, codes(kind, channels), photometric=photometric, metadata=None, **options)

    return write


FILES: dict[str, tuple[Callable[[Path], None], bool]] = {
    "8.png": (png("u1", 3), True),
    "16.png": (png("u2", 3), True),
    "gray16.png": (png("u2", 1), True),
    "alpha.png": (png("u2", 3, alpha=True), False),
    "strips.tif": (tiff("u2", 3, rowsperstrip=17), True),
    "one-strip.tif": (tiff("u1", 3, rowsperstrip=HEIGHT), True),
    "deflate.tif": (tiff("u2", 3, compression="zlib", rowsperstrip=16, predictor=True), True),
    "lzw.tif": (lambda path: to_image(codes("u1", 3)).tiffsave(str(path), compression="lzw"), True),
    "tiles.tif": (tiff("u2", 3, tile=(32, 48), compression="zlib"), True),
    "planes.tif": (lambda path: planes(path), True),
    "big-endian.tif": (tiff("u2", 3, byteorder=">", rowsperstrip=100), True),
    "gray.tif": (tiff("u1", 1), True),
    "floats.tif": (tiff("f4", 3, rowsperstrip=9), True),
    "alpha.tif": (tiff("u2", 4, extrasamples=[2]), False),
}


def planes(path: Path) -> None:
    array = np.ascontiguousarray(codes("u2", 3).transpose(2, 0, 1))
    tifffile.imwrite(path, array, photometric="rgb", planarconfig="separate", rowsperstrip=31, metadata=None)


def write_views(folder: Path, name: str) -> tuple[Path, Path]:
    paths = folder / f"left-{name}", folder / f"right-{name}"
    for path in paths:
        FILES[name][0](path)
    return paths


def both_ways(
    deblurrer: Deblurrer, views: tuple[Path, Path], out: Path, encoding: Encoding | None
) -> tuple[bytes, bytes]:
    pair = read_pair(*views, encoding)
    write_picture(deblurrer(pair), out.with_stem("memory"))
    picture, _ = deblur_by_rows(deblurrer, open_pair(*views, encoding))
    assert isinstance(picture, PictureRows)
    write_picture(picture, out.with_stem("rows"))
    return out.with_stem("memory").read_bytes(), out.with_stem("rows").read_bytes()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.filterwarnings("ignore::dpanet.errors.ImageWarning")
def test_rows_give_the_same_file(
    tmp_path: Path, name: str, suffix: str, deblurrer: Deblurrer, by_rows: None
) -> None:
    views = write_views(tmp_path, name)
    streamed = isinstance(open_pair(*views).left.codes, RowStream)
    assert streamed == FILES[name][1]
    memory, rows = both_ways(deblurrer, views, tmp_path / f"out{suffix}", None)
    assert memory == rows


@pytest.mark.parametrize("name", ["16.png", "floats.tif"])
@pytest.mark.filterwarnings("ignore::dpanet.errors.ImageWarning")
def test_linear_pairs_get_the_white_of_the_whole_picture(
    tmp_path: Path, name: str, deblurrer: Deblurrer, by_rows: None
) -> None:
    views = write_views(tmp_path, name)
    memory, rows = both_ways(deblurrer, views, tmp_path / "out.tif", "linear")
    assert memory == rows


def test_the_defocus_map_is_complete_with_the_picture(
    tmp_path: Path, deblurrer: Deblurrer, by_rows: None
) -> None:
    views = write_views(tmp_path, "16.png")
    pair = read_pair(*views)
    picture, radius = deblur_by_rows(deblurrer, open_pair(*views), defocus=True)
    write_picture(picture, tmp_path / "out.png")
    np.testing.assert_array_equal(radius, deblurrer.with_defocus_map(pair)[1])


def damage(path: Path) -> None:
    """Damage the last rows; what can be seen without decoding them stays sound."""
    data = path.read_bytes()
    if path.suffix == ".png":
        start = data.rindex(b"IDAT")
        length = int.from_bytes(data[start - 4 : start], "big")
        shorter = make_chunk(b"IDAT", data[start + 4 : start + 4 + length - 500])
        path.write_bytes(data[: start - 4] + shorter + data[start + length + 8 :])
        return
    with tifffile.TiffFile(path) as file:
        offset = file.pages[0].dataoffsets[-1]
    path.write_bytes(data[:offset] + bytes(2) + data[offset + 2 :])


@pytest.mark.parametrize("name", ["16.png", "deflate.tif", "tiles.tif"])
def test_damage_in_the_last_rows_is_said_before_the_work(tmp_path: Path, name: str, by_rows: None) -> None:
    left, right = write_views(tmp_path, name)
    damage(right)
    with pytest.raises(UnreadableImageError, match=r"right-.* damaged .*; export or copy it again"):
        open_pair(left, right)


@pytest.mark.parametrize("name", ["16.png", "deflate.tif"])
def test_a_file_that_changes_during_the_work_leaves_no_output(
    tmp_path: Path, name: str, deblurrer: Deblurrer, by_rows: None
) -> None:
    left, right = write_views(tmp_path, name)
    picture, _ = deblur_by_rows(deblurrer, open_pair(left, right))
    damage(right)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UnreadableImageError, match="damaged"):
        write_picture(picture, tmp_path / "out.png")
    assert sorted(tmp_path.iterdir()) == before
    right.unlink()
    picture, _ = deblur_by_rows(deblurrer, open_pair(*write_views(tmp_path, name)))
    right.unlink()
    with pytest.raises((UnreadableImageError, OutputError), match=r"right-.* does not exist"):
        write_picture(picture, tmp_path / "out.png")


def test_numbers_that_are_none_are_refused(tmp_path: Path, by_rows: None) -> None:
    left, right = write_views(tmp_path, "floats.tif")
    values = codes("f4", 3)
    values[-1, -1] = np.nan
    tifffile.imwrite(right, values, photometric="rgb", metadata=None)
    with pytest.raises(PairError, match=r"right-floats.tif contains NaN or infinity"):
        open_pair(left, right)


def test_the_tiles_of_a_picture_read_its_rows_once() -> None:
    runs: list[int] = []

    def run() -> Iterator[NDArray[np.uint8]]:
        runs.append(1)
        yield from np.zeros((50, 8, 64, 3), np.uint8)

    view = PixelRows(RowStream((400, 64, 3), np.uint8, run))
    for tile in Grid.cut(400, 64, tile=40, multiple_of=8, halo=4):
        tile.read(view)
    assert len(runs) == 1
