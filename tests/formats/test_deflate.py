import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import png
import pytest
import tifffile
from numpy.typing import NDArray

from dpanet.containers.decoded_image import Codes
from dpanet.errors import ConfigError
from dpanet.formats import deflate
from dpanet.formats.deflate import LEVELS, compress, compress_parts, map_in_order
from dpanet.formats.png import decode_png, encode_png, write_png
from dpanet.formats.tiff_writing import write_tiff
from dpanet.images.reading import read_codes
from dpanet.images.writing import write_picture
from dpanet.pair import Picture

RNG = np.random.default_rng(7)


def smooth(height: int, width: int) -> NDArray[np.uint16]:
    """Return a picture (H, W, 3), uint16, smooth with noise in the last bits."""
    y, x, channel = np.mgrid[:height, :width, :3]
    waves = np.sin(y / 30 + channel) + np.cos(x / 23 + y / 50)
    codes: NDArray[np.uint16] = (20000 + 9000 * waves + RNG.integers(0, 64, waves.shape)).astype(np.uint16)
    return codes


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("threads", [1, 3])
def test_the_parts_are_one_stream(level: int, threads: int) -> None:
    parts = [RNG.integers(0, 4, size, np.uint8).tobytes() for size in (100_000, 1, 0, 70_000)]
    for some in (parts, parts[:1], []):
        data = b"".join(compress_parts(iter(some), level, threads))
        assert zlib.decompress(data) == b"".join(some)
        assert data == b"".join(compress_parts(some, level)), "the same with any number of threads"
    assert zlib.decompress(compress(parts[0], level)) == parts[0]


def test_a_wrong_checksum_would_show() -> None:
    data = bytearray(b"".join(compress_parts([b"some text"])))
    data[-1] ^= 1
    with pytest.raises(zlib.error, match="incorrect data check"):
        zlib.decompress(data)


def test_results_come_in_order_from_few_threads() -> None:
    at_work: list[int] = []
    most = [0]

    def work(item: int) -> int:
        at_work.append(item)
        most[0] = max(most[0], len(at_work))
        assert threading.current_thread() is not threading.main_thread()
        time.sleep(0.02 if item % 3 == 0 else 0.001)
        at_work.remove(item)
        return item * item

    def items() -> Iterator[int]:
        yield from range(20)

    assert list(map_in_order(work, items(), 3)) == [item * item for item in range(20)]
    assert 2 <= most[0] <= 3


@pytest.mark.parametrize("level", [0, 1, 2, 6, 9])
@pytest.mark.parametrize("gray", [True, False])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_others_read_every_level(
    tmp_path: Path, level: int, gray: bool, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dpanet.formats.png._STRIP_BYTES", 5000)
    monkeypatch.setattr("dpanet.formats.png.THREADS", 2)
    codes: Codes = (smooth(70, 90) >> (8 if kind == np.uint8 else 0)).astype(kind)
    codes[3:9, 5:8] = RNG.integers(0, np.iinfo(kind).max, (6, 3, 3), kind)
    codes = codes[..., 0] if gray else codes
    write_png(tmp_path / "a.png", codes, None, {}, level)
    np.testing.assert_array_equal(decode_png(tmp_path / "a.png").codes, codes)
    _, _, rows, _ = png.Reader(bytes=(tmp_path / "a.png").read_bytes()).read()
    np.testing.assert_array_equal(np.array([list(row) for row in rows]).reshape(codes.shape), codes)
    write_tiff(tmp_path / "a.tif", codes, compression=level)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), codes)


def test_alpha_at_a_slow_level(tmp_path: Path) -> None:
    codes, alpha = smooth(40, 30), smooth(40, 30)[..., 1]
    write_png(tmp_path / "a.png", codes, alpha, {}, 6)
    read = decode_png(tmp_path / "a.png")
    np.testing.assert_array_equal(read.codes, codes)
    np.testing.assert_array_equal(read.alpha, alpha)


def test_files_are_smaller_from_level_to_level(tmp_path: Path) -> None:
    picture = Picture(smooth(300, 400).astype(np.float32) / np.float32(65535))
    for suffix in (".png", ".tif"):
        sizes = []
        for level in (0, 1, 6):
            path = tmp_path / f"{level}{suffix}"
            write_picture(picture, path, bits=16, compression=level)
            sizes.append(path.stat().st_size)
        assert sizes[0] > 720_000 > sizes[1] > sizes[2]
        np.testing.assert_array_equal(
            read_codes(tmp_path / f"0{suffix}"), read_codes(tmp_path / f"6{suffix}")
        )


def test_the_default_is_fast_and_the_same_everywhere(tmp_path: Path) -> None:
    assert deflate.FAST == 1
    codes = smooth(400, 500)
    write_png(tmp_path / "a.png", codes, None, {})
    assert (tmp_path / "a.png").read_bytes() == encode_png(codes)


@pytest.mark.parametrize("level", [-1, 10])
def test_other_levels_are_refused(tmp_path: Path, level: int) -> None:
    with pytest.raises(ConfigError, match=f"compression is {level}; it must be 0"):
        write_picture(Picture(np.zeros((16, 16, 3), np.float32)), tmp_path / "a.png", compression=level)
    assert not list(tmp_path.iterdir())
