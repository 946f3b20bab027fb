"""Each PGM and PPM is written by hand."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from formats.format_table import Case, Expected, judge, table

from dpanet.containers.header import Header
from dpanet.datasets.depth_map import read_depth
from dpanet.images.header import read_header
from dpanet.images.raw_pair import read_raw_pair
from dpanet.images.reading import read_codes, read_file

RNG = np.random.default_rng(7)


def values(largest: int, channels: int) -> np.ndarray:
    codes = RNG.integers(0, largest + 1, (18, 23) if channels == 1 else (18, 23, 3))
    codes.flat[:2] = 0, largest
    return codes


def pgm(codes: np.ndarray, largest: int, text: bool = False, head: str | None = None) -> bytes:
    kind = (2 if text else 5) + (codes.ndim == 3)
    start = (head or "P{}\n{} {}\n{}\n").format(kind, codes.shape[1], codes.shape[0], largest).encode()
    if text:
        return start + " ".join(map(str, codes.ravel())).replace(" 7", "\n7").encode() + b"\n"
    return start + codes.astype(">u2" if largest > 255 else "u1").tobytes()


@table("PGM and PPM")
def cases() -> Iterator[Case]:
    def case(name: str, data: bytes, expected: Expected | str, warning: str | None = None) -> Case:
        return Case(name, lambda path: path.write_bytes(data), expected, ".pgm", warning)

    for largest in (1, 15, 100, 255, 256, 1023, 4095, 16383, 65535):
        white, kind = (255, np.uint8) if largest < 256 else (65535, np.uint16)
        for channels in (1, 3):
            codes = values(largest, channels)
            exact = Expected(np.rint(codes * (white / largest)).astype(kind))
            for text in (False, True):
                yield case(f"{largest}-{channels}-{text}", pgm(codes, largest, text), exact)
    codes = values(255, 1)
    exact = Expected(codes.astype(np.uint8))
    for name, head in (
        ("comments", "P{}\n# a comment 9 9 9\n{} # another\n{}\n#third\n{}\n"),
        ("one-line", "P{} {} {} {} "),
        ("windows", "P{}\r\n{}\t{}\r\n{}\n"),
        ("comment-at-once", "P{}#c\n{} {} {}\n"),
    ):
        yield case(name, pgm(codes, 255, head=head), exact)
    data = pgm(codes, 255)
    yield case("first-byte-is-a-space", data[:-414] + b" " + data[-413:], Expected(spaced(codes)))
    yield case("two-pictures", data + data, exact, "the first is read")
    yield case("end-of-line", data + b"\n", exact)
    for share in (0.1, 0.5, 0.999):
        yield case(f"cut-{share}", data[: int(len(data) * share)], "truncated")
        text = pgm(codes, 255, True).rstrip()
        yield case(f"text-cut-{share}", text[: int(len(text) * share * 0.99)], "truncated")
    yield case("too-large-value", pgm(np.full((18, 23), 200), 100), "above 100")
    yield case("text-too-large-value", pgm(np.full((18, 23), 200), 100, True), "0 to 100")
    yield case("words", b"P2 2 2 255 1 2 three 4", "something else")
    yield case("negative", b"P2 2 2 255 1 2 -3 4", "something else")
    yield case("white-0", b"P5 2 2 0 abcd", "1 to 65535")
    yield case("white-70000", b"P5 2 2 70000 abcdefgh", "1 to 65535")
    yield case("no-size", b"P5\n", "header")
    yield case("size-0", b"P5 0 2 255 ", "no pixels")
    yield case("huge", b"P5 99999 99999 255 ", "--max-megapixels")
    for kind, word in (("1", "PBM"), ("4", "PBM"), ("7", "PAM"), ("f", "PFM"), ("F", "PFM")):
        yield case(f"P{kind}", f"P{kind}\n2 2\n255\n".encode() + bytes(16), word)


def spaced(codes: np.ndarray) -> np.ndarray:
    """Return codes whose first is that of a space, which belongs to the pixels."""
    changed = codes.astype(np.uint8)
    changed.flat[0] = ord(" ")
    return changed


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_table(case: Case, tmp_path: Path) -> None:
    result = judge(case, tmp_path)
    assert result.outcome != "wrong", result.reason


def test_header(tmp_path: Path) -> None:
    for largest, bits in ((100, 8), (4095, 16)):
        for channels in (1, 3):
            (tmp_path / "a.pgm").write_bytes(pgm(values(largest, channels), largest))
            assert read_header(tmp_path / "a.pgm") == Header(23, 18, bits, channels)


def test_raw_views_keep_the_codes_of_the_sensor(tmp_path: Path) -> None:
    left, right = values(16383, 1), values(16383, 1)
    for name, codes in (("l.pgm", left), ("r.pgm", right)):
        (tmp_path / name).write_bytes(pgm(codes, 16383))
    pair = read_raw_pair(tmp_path / "l.pgm", tmp_path / "r.pgm", (1024, 16383))
    for view, codes in ((pair.left, left), (pair.right, right)):
        np.testing.assert_allclose(view[..., 0], np.maximum(codes - 1024, 0) / 15359, atol=1e-6)


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("largest", [*range(1, 255, 11), 254, 256, 1023, 4095, 10001, 65534, 65535])
def test_the_stored_codes_come_back(tmp_path: Path, largest: int, text: bool) -> None:
    codes = np.arange(largest + 1)[None]
    (tmp_path / "a.pgm").write_bytes(pgm(codes, largest, text))
    np.testing.assert_array_equal(read_file(tmp_path / "a.pgm").stored_codes, codes)
    np.testing.assert_array_equal(read_codes(tmp_path / "a.pgm"), codes)


def test_raw_views_from_a_pipe_keep_the_codes_of_the_sensor(tmp_path: Path) -> None:
    codes = values(16383, 1)
    (tmp_path / "r.pgm").write_bytes(pgm(codes, 16383))
    os.mkfifo(tmp_path / "l.pgm")
    writer = threading.Thread(target=(tmp_path / "l.pgm").write_bytes, args=(pgm(codes, 16383),))
    writer.start()
    pair = read_raw_pair(tmp_path / "l.pgm", tmp_path / "r.pgm", (1024, 16383))
    writer.join()
    np.testing.assert_array_equal(pair.left, pair.right)


def test_a_depth_map_is_in_mm_whatever_its_largest_value(tmp_path: Path) -> None:
    depth = np.arange(1, 18 * 23 + 1).reshape(18, 23) * 10
    (tmp_path / "a.pgm").write_bytes(pgm(depth, 5000))
    np.testing.assert_allclose(read_depth(tmp_path / "a.pgm")[0], depth / 1000)
