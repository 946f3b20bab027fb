"""Damaged files of every format end in one sentence: no other error, no crash, no noise, no hang, little memory."""

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.damaged_files.damage import damage
from benchmarks.damaged_files.reader import Reader, Result
from benchmarks.damaged_files.sound_files import sound_files
from dpanet.cli import main

FILES = sound_files()
FORMATS = sorted({name.rpartition(".")[2] for name in FILES})


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, bytes], Result]]:
    folder = tmp_path_factory.mktemp("damaged")
    with Reader() as reader:

        def write_and_read(suffix: str, data: bytes) -> Result:
            path = folder / f"damaged.{suffix}"
            path.write_bytes(data)
            return reader.read(path)

        yield write_and_read


@pytest.mark.parametrize("format", FORMATS)
def test_sound_files_are_read(read: Callable[[str, bytes], Result], format: str) -> None:
    unread = {"cmyk.tif", "one.dng"}
    for name in (name for name in FILES if name.endswith(format)):
        result = read(format, FILES[name])
        assert result.outcome == ("refused" if name in unread else "read"), f"{name}: {result.reason}"


@pytest.mark.parametrize("format", FORMATS)
@settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
@given(data=st.data())
def test_damage_is_read_or_refused(
    read: Callable[[str, bytes], Result], format: str, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([name for name in FILES if name.endswith(format)]))
    other = FILES[data.draw(st.sampled_from(sorted(FILES)))]
    ways, contents = damage(name, FILES[name], other, Random(data.draw(st.integers(0, 2**32))))
    result = read(format, contents)
    assert result.outcome != "failed", f"{name}, {ways}: {result.reason}"


@pytest.mark.parametrize(
    "name", [name for name in FILES if name not in ("cmyk.tif", "one.dng", "words.pgm", "animated.png")]
)
def test_a_cut_file_is_refused_or_gives_all_its_pixels(
    read: Callable[[str, bytes], Result], name: str
) -> None:
    suffix, data = name.rpartition(".")[2], FILES[name]
    whole = read(suffix, data)
    for end in (len(data) - 1, len(data) - 14, len(data) * 3 // 4, len(data) // 2, 100, 30, 9, 1, 0):
        result = read(suffix, data[:end])
        assert result.outcome != "failed", f"{end} bytes: {result.reason}"
        if result.outcome == "read":
            assert result.digest == whole.digest, f"{end} bytes give other pixels"


def png(width: int, height: int, packed: bytes = b"") -> bytes:
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)),
        (b"IDAT", packed),
        (b"IEND", b""),
    ]
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def tiff(tags: dict[int, tuple[int, int, int]], following: int = 0) -> bytes:
    """A TIFF of one directory; tags are number: (type, count, value)."""
    sizes = {256: (4, 1, 64), 257: (4, 1, 64), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 273: (4, 1, 8)}
    sizes |= {277: (3, 1, 1), 278: (4, 1, 64), 279: (4, 1, 4096)} | tags
    entries = b"".join(struct.pack("<HHII", number, *entry) for number, entry in sorted(sizes.items()))
    directory = struct.pack("<H", len(sizes)) + entries + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", 8 + 4096) + bytes(4096) + directory


MOST = 2**32 - 1
HUGE = {
    "png sides": ("png", png(2**31 - 1, 2**31 - 1)),
    "png just allowed": ("png", png(20000, 20000, zlib.compress(bytes(9000)))),
    "png of one row": ("png", png(2**31 - 1, 1)),
    "tiff sides": ("tif", tiff({256: (4, 1, MOST), 257: (4, 1, MOST)})),
    "tiff just allowed": ("tif", tiff({256: (4, 1, 20000), 257: (4, 1, 20000), 278: (4, 1, 20000)})),
    "tiff rows of a strip": ("tif", tiff({278: (4, 1, MOST)})),
    "tiff channels": ("tif", tiff({277: (3, 1, 65535)})),
    "tiff channels of many bytes": ("tif", tiff({277: (4, 1, MOST)})),
    "tiff bits of an unknown type": ("tif", tiff({258: (99, 1, 8)})),
    "tiff planes without a value": ("tif", tiff({284: (3, 9, MOST)})),
    "tiff height twice": ("tif", tiff({}).replace(struct.pack("<HH", 278, 4), struct.pack("<HH", 257, 4))),
    "tiff bits": ("tif", tiff({258: (3, 1, 65535)})),
    "tiff count of strips": ("tif", tiff({273: (4, MOST, 8), 279: (4, MOST, 8)})),
    "tiff count of a text": ("tif", tiff({270: (2, MOST, 8)})),
    "tiff count of a profile": ("tif", tiff({34675: (7, MOST - 9, 8)})),
    "tiff bytes of a strip": ("tif", tiff({279: (4, 1, MOST)})),
    "tiff place of a strip": ("tif", tiff({273: (4, 1, MOST)})),
    "tiff without width": ("tif", tiff({256: (4, 0, 0)})),
    "tiff sub-directory is itself": ("tif", tiff({330: (4, 1, 8 + 4096)})),
    "tiff EXIF is itself": ("tif", tiff({34665: (4, 1, 8 + 4096)})),
    "tiff directories in a circle": ("tif", tiff({}, 8 + 4096)),
    "tiff tile sides": ("tif", tiff({322: (4, 1, MOST), 323: (4, 1, MOST), 324: (4, 1, 8), 325: (4, 1, 8)})),
    "big tiff": ("tif", b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**63) + bytes(60)),
    "pgm sides": ("pgm", b"P5 99999999 99999999 255\n" + bytes(99)),
    "pgm just allowed": ("pgm", b"P5 20000 20000 65535\n" + bytes(99)),
    "pgm digits": ("pgm", b"P5 " + b"9" * 10000 + b" 3 255\n"),
    "pgm value": ("pgm", b"P2 16 16 255\n" + b"9" * 30 + b" 7" * 255),
    "avif without a coded picture": ("avif", FILES["plain.avif"].replace(b"av01", b"av02")),
    "jpeg sides": ("jpg", FILES["plain.jpg"].replace(bytes((0, 29, 0, 37)), b"\xff\xff\xff\xff")),
    "dng with frames of two sizes": (
        "dng",
        FILES["two.dng"][::-1].replace(
            struct.pack("<HHII", 256, 4, 1, 96)[::-1], struct.pack("<HHII", 256, 4, 1, 80)[::-1], 1
        )[::-1],
    ),
    "dng sides": (
        "dng",
        FILES["two.dng"].replace(struct.pack("<HHII", 256, 4, 1, 96), struct.pack("<HHII", 256, 4, 1, 65535)),
    ),
}


@pytest.mark.parametrize("case", HUGE)
def test_a_huge_header_is_refused(read: Callable[[str, bytes], Result], case: str) -> None:
    result = read(*HUGE[case])
    assert result.outcome != "failed", result.reason
    readable = {
        "tiff rows of a strip",
        "tiff bytes of a strip",  # without compression, they follow from the size
        "tiff count of a text",
        "tiff count of a profile",
        "tiff directories in a circle",
    }
    readable |= {"tiff sub-directory is itself", "tiff EXIF is itself"}
    assert result.outcome == "refused" or case in readable


@pytest.mark.parametrize(
    "name", ["rgb16.png", "deflate.tif", "plain.jpg", "lossy.webp", "plain.avif", "gray16.pgm"]
)
def test_the_command_prints_one_line(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sound, cut = Path(f"sound_{name}"), Path(f"cut_{name}")
    sound.write_bytes(FILES[name])
    cut.write_bytes(FILES[name][: len(FILES[name]) // 2])
    assert main(["deblur", str(sound), str(cut), "-o", "picture.png"]) == 1
    output, error = capfd.readouterr()
    assert output == ""
    lines = [line for line in error.splitlines() if not line.startswith("dpanet: note: ")]
    assert len(lines) == 1
    assert lines[0].startswith("dpanet: ")
    assert str(cut) in lines[0]
    assert not Path("picture.png").exists()


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("os.kill(os.getpid(), 11)", "the process ended with -11"),
        ("print('Warning: tag')", "prints: Warning: tag"),
        ("os.write(2, b'libtiff')", "prints: libtiff"),
        ("numpy.ones(2**25)", "takes "),
        ("time.sleep(99)", "hangs: no answer in 1 s"),
        ("[][1]", "IndexError"),
        ("warnings.warn('odd')", "UserWarning: odd"),
        ("exec('raise errors.PairError(\"two\\\\nlines\")')", "not one sentence"),
        ("exec('raise errors.PairError(\"no name\")')", "not one sentence"),
    ],
)
def test_the_reader_of_damaged_files_notices(action: str, reason: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, time, sys, warnings, numpy\n"
        "from dpanet import errors\n"
        "from damaged_files.reader import answer_paths\n"
        f"answer_paths(lambda path: str({action}) if path.stem == 'bad' else 'sound')\n"
    )
    with Reader(str(program), megabytes=250) as reader:
        assert reader.read(tmp_path / "good.png").digest == "sound"
        reader.seconds = 1 if "sleep" in action else 30
        result = reader.read(tmp_path / "bad.png")
        assert result.outcome == "failed"
        assert reason in result.reason
        reader.seconds = 30
        assert reader.read(tmp_path / "good.png").digest == "sound", "the next file is read all the same"
