"""Each WebP is written by Pillow and compared with what was written, or with what Pillow decodes."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from formats.format_table import Case, Expected, judge, table
from formats.test_jpeg import SRGB, smooth
from PIL import Image

from dpanet.containers.header import Header
from dpanet.images.header import read_header
from dpanet.images.reading import read_file


def webp(values: np.ndarray, *others: np.ndarray, **options: Any) -> bytes:
    target = io.BytesIO()
    more = {"save_all": True, "append_images": [Image.fromarray(one) for one in others]} if others else {}
    Image.fromarray(values).save(target, "WEBP", **more, **options)
    return target.getvalue()


def decoded(data: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(data)))


@table("WebP")
def cases() -> Iterator[Case]:
    def case(
        name: str, data: bytes, values: np.ndarray | str, warning: str | None = None, **fields: Any
    ) -> Case:
        expected: Expected | str
        if isinstance(values, str):
            expected = values
        else:
            alpha = values[..., 3] if values.shape[2] == 4 else None
            expected = Expected(values[..., :3], alpha, fields=tuple(fields.items()))
        return Case(name, lambda path: path.write_bytes(data), expected, ".webp", warning)

    color, alpha = smooth(3), smooth(4)
    alpha[:9, :9, 3] = 0
    for size in ((1, 1), (1, 70), (33, 17)):
        values = smooth(3, size=size)
        yield case(f"lossless-{size}", webp(values, lossless=True), values)
    yield case("lossless", webp(color, lossless=True), color, icc=None, exif=None, xmp=None, encoding=None)
    yield case("lossless-alpha", webp(alpha, lossless=True, exact=True), alpha)
    for quality in (10, 90):
        data = webp(color, quality=quality)
        yield case(f"lossy-{quality}", data, decoded(data))
        data = webp(alpha, quality=quality)
        yield case(f"lossy-alpha-{quality}", data, decoded(data))
    yield case("icc", webp(color, lossless=True, icc_profile=SRGB), color, icc=SRGB, encoding="srgb")
    yield case("xmp", webp(color, lossless=True, xmp=b"<x/>"), color, xmp=b"<x/>")
    exif = Image.Exif()
    exif[274] = 6
    exif[282], exif[283] = 300.0, 150.0
    data = webp(color, lossless=True, exif=exif)
    yield case("exif", data, color, exif=exif.tobytes()[6:], resolution=(300.0, 150.0))
    yield case("animation", webp(color, 255 - color, lossless=True), color, "first of 2 frames")
    data = webp(color, lossless=True)
    for share in (0.05, 0.3, 0.9, 0.999):
        yield case(f"cut-{share}", data[: int(len(data) * share)], "truncated")
        lossy = webp(color)
        yield case(f"lossy-cut-{share}", lossy[: int(len(lossy) * share)], "truncated")
    yield case("overwritten", data[:60] + bytes(range(200, 256)) * 4 + data[284:], "damaged")
    yield case("no-frame", b"RIFF" + (4).to_bytes(4, "little") + b"WEBP", "damaged")
    yield case(
        "broken-exif", webp(color, lossless=True, exif=b"II*\0\xff\xff\xff\0"), color, "EXIF", exif=None
    )
    yield case("broken-icc", webp(color, lossless=True, icc_profile=bytes(200)), color, "ICC", icc=None)


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_table(case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = judge(case, tmp_path)
    assert result.outcome != "wrong", result.reason
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("lossless", [False, True])
def test_the_header_is_that_of_the_decoded_picture(tmp_path: Path, channels: int, lossless: bool) -> None:
    exif = Image.Exif()
    exif[274] = 8
    path = tmp_path / "a.webp"
    for options, way in (({}, 1), ({"exif": exif}, 8)):
        path.write_bytes(webp(smooth(channels), lossless=lossless, **options))
        assert read_header(path) == Header(56, 40, 8, channels, way)
        assert (read_file(path).alpha is not None) == (channels == 4)


IN_A_FORK = """
import os, signal, sys, time
from pathlib import Path
from dpanet.errors import UnreadableImageError
from dpanet.images.reading import read_file
good, bad = Path(sys.argv[1]), Path(sys.argv[2])
codes = read_file(good).codes
time.sleep(0.5)  # until the pool's thread waits for work
child = os.fork()
if child == 0:
    signal.alarm(50)
    same = (read_file(good).codes == codes).all()
    try:
        read_file(bad)
    except UnreadableImageError as error:
        os._exit(0 if same and "damaged" in str(error) else 1)
    os._exit(2)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_process_reads_what_its_parent_has_read(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.webp", tmp_path / "bad.webp"
    data = webp(
        smooth(4, size=(600, 900)), lossless=True
    )  # libvips decodes smaller ones in the calling thread
    good.write_bytes(data)
    bad.write_bytes(data[:60] + bytes(range(200, 256)) * 4 + data[284:])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IN_A_FORK, str(good), str(bad)],
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
