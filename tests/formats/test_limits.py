from pathlib import Path

import pytest
from PIL import Image

from dpanet.errors import ConfigError, UnreadableImageError
from dpanet.formats.limits import VARIABLE, check_size, max_megapixels, set_max_megapixels
from dpanet.images.header import read_header
from dpanet.images.reading import read_file


def test_the_default_and_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert max_megapixels() == 400
    check_size("a.png", 20000, 20000)
    with pytest.raises(UnreadableImageError, match=r"a\.png claims 20001 x 20000 px, 400\.02 megapixels"):
        check_size("a.png", 20001, 20000)
    monkeypatch.setenv(VARIABLE, "401")
    check_size("a.png", 20001, 20000)
    set_max_megapixels(1.5)
    assert max_megapixels() == 1.5
    with pytest.raises(
        UnreadableImageError, match=r"at most 1\.5 are read; .*--max-megapixels or DPANET_MAX"
    ):
        check_size("a.png", 2000, 1000)
    with pytest.raises(UnreadableImageError, match="no pixels"):
        check_size("a.png", 0, 1000)


@pytest.mark.parametrize(
    ("width", "height", "limit", "says"),
    [
        (512, 384, "0.1", "0.197 megapixels, and at most 0.1 are"),
        (65535, 65535, "400", "4,295 megapixels, and at most 400 are"),
        (20001, 20000, "400", "400.02 megapixels, and at most 400 are"),
    ],
)
def test_sizes_are_rounded(
    monkeypatch: pytest.MonkeyPatch, width: int, height: int, limit: str, says: str
) -> None:
    monkeypatch.setenv(VARIABLE, limit)
    with pytest.raises(UnreadableImageError, match=says):
        check_size("a.png", width, height)


@pytest.mark.parametrize("value", ["0", "-3", "many", "nan", "inf"])
def test_impossible_limits(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ConfigError, match=f"DPANET_MAX_MEGAPIXELS is '{value}'"):
        max_megapixels()


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp", "avif", "ppm"])
def test_every_format_keeps_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.new("RGB", (200, 100)).save(path)
    monkeypatch.setenv(VARIABLE, "0.02")
    assert read_file(path).codes.shape == (100, 200, 3)
    monkeypatch.setenv(VARIABLE, "0.0199")
    for read in (read_file, read_header):
        with pytest.raises(UnreadableImageError, match=r"claims 200 x 100 px.*--max-megapixels"):
            read(path)


def plain_webp(width: int, height: int, red: int, green: int, blue: int) -> bytes:
    """Write a lossless WebP of one color: all its prefix codes have one symbol and take no bits."""
    fields = [
        (0x2F, 8),
        (width - 1, 14),
        (height - 1, 14),
        (0, 4),
        (0, 3),
    ]  # no alpha, version, transform, cache
    for symbol in (green, red, blue, 255, 0):
        fields += [(0b101, 3), (symbol, 8)]
    value = place = 0
    for number, bits in fields:
        value |= number << place
        place += bits
    body = value.to_bytes(place // 8 + 1, "little")
    body += bytes(len(body) % 2)
    chunk = b"VP8L" + len(body).to_bytes(4, "little") + body
    return b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WEBP" + chunk


def test_a_sound_picture_of_200_megapixels_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    path.write_bytes(plain_webp(16000, 12500, 9, 200, 31))
    assert read_header(path).width == 16000
    codes = read_file(path).codes
    assert codes.shape == (12500, 16000, 3)
    assert (codes[::997] == (9, 200, 31)).all()
