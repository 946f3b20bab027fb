import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest

from dpanet.errors import ImageWarning, PairError, UnreadableImageError
from dpanet.images.header import read_header
from dpanet.images.reading import read_file, read_pair

CODES = np.random.default_rng(6).integers(0, 65536, (24, 40, 3), dtype=np.uint16)


def write(path: Path, codes: np.ndarray = CODES) -> Path:
    done, data = cv2.imencode(".png", codes[..., ::-1])
    assert done
    path.write_bytes(data.tobytes())
    return path


def feed(pipe: Path, data: bytes) -> threading.Thread:
    """Write into a pipe from another thread, as a pipe is read and written at once."""

    def run() -> None:
        with contextlib.suppress(BrokenPipeError):
            pipe.write_bytes(data)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize(
    "name",
    [
        "a b.png",
        "photo[1].png",
        "a.tif[page=1]",
        "\N{CAMERA}.png",
        "two\nlines.png",
        "-.png",
        "%s{0}.png",
        "x" * 251 + ".png",
        os.fsdecode(b"caf\xe9.png"),
    ],
)
def test_any_name(tmp_path: Path, name: str) -> None:
    np.testing.assert_array_equal(read_file(write(tmp_path / name)).codes, CODES)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UnreadableImageError) as error:
        read_file(path)
    assert "\n" not in str(error.value)
    str(error.value).encode()


def test_links(tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to(write(tmp_path / "a.png"))
    np.testing.assert_array_equal(read_file(tmp_path / "link.png").codes, CODES)
    (tmp_path / "gone.png").symlink_to("absent.png")
    for read in (read_file, read_header):
        with pytest.raises(UnreadableImageError, match=r"gone\.png is a link to absent\.png, which does not"):
            read(tmp_path / "gone.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    with pytest.raises(UnreadableImageError, match="a link that leads back to itself"):
        read_file(tmp_path / "loop.png")


def test_each_failure_has_its_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError, match=r"absent\.png does not exist"):
        read_file(tmp_path / "absent.png")
    with pytest.raises(UnreadableImageError, match=r"a\.png does not exist"):
        read_file(write(tmp_path / "file.png") / "a.png")
    with pytest.raises(UnreadableImageError, match="is a folder"):
        read_file(tmp_path)
    (tmp_path / "empty.png").touch()
    with pytest.raises(UnreadableImageError, match=r"empty\.png is empty"):
        read_file(tmp_path / "empty.png")
    with pytest.raises(UnreadableImageError, match="is a device"):
        read_file("/dev/null")
    with pytest.raises(UnreadableImageError, match="too long a name"):
        read_file(tmp_path / ("x" * 300))
    with pytest.raises(UnreadableImageError, match="cannot be read"):
        read_file("a\0b.png")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.png")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UnreadableImageError, match="permission denied"):
        read_file(path)


def test_out_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.png")

    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("dpanet.containers.vips.np.empty", refuse)
    with pytest.raises(UnreadableImageError, match=r"a\.png does not fit in memory"):
        read_file(path)


def test_a_pipe_is_read_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    data = write(tmp_path / "a.png").read_bytes()
    os.mkfifo(tmp_path / "pipe")
    thread = feed(tmp_path / "pipe", data)
    assert read_header(tmp_path / "pipe").bits == 16
    image = read_file(tmp_path / "pipe")
    thread.join()
    np.testing.assert_array_equal(image.codes, CODES)
    assert image.path == tmp_path / "pipe"
    thread = feed(tmp_path / "pipe", data[:200])
    with pytest.raises(UnreadableImageError, match=r"pipe is a truncated PNG"):
        read_file(tmp_path / "pipe")
    thread.join()
    assert not list(place.iterdir())


def test_warnings_and_errors_name_the_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    thread = feed(tmp_path / "pipe", b"P5 2 1 255 ab" * 2)
    with pytest.warns(ImageWarning, match=r"/pipe contains more than one picture"):
        read_file(tmp_path / "pipe")
    thread.join()
    thread = feed(tmp_path / "pipe", b"")
    with pytest.raises(UnreadableImageError, match=r"/pipe is empty"):
        read_file(tmp_path / "pipe")
    thread.join()


def test_an_endless_stream_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DPANET_MAX_MEGAPIXELS", "0.1")
    os.mkfifo(tmp_path / "pipe")
    thread = feed(tmp_path / "pipe", bytes(4_000_000))
    with pytest.raises(UnreadableImageError, match="more bytes than the largest picture"):
        read_file(tmp_path / "pipe")
    thread.join()


READ = """
import sys, warnings
warnings.simplefilter("error")
from dpanet.images.reading import read_pair
pair = read_pair(*sys.argv[1:])
print(pair.left.shape, float(pair.left.sum()) - float(pair.right.sum()))
"""


def run(command: str, *arguments: str) -> str:
    """Run the script `READ` in a shell, where `$RUN` stands for it."""
    script = f'RUN() {{ "{sys.executable}" -c \'{READ}\' "$@"; }}; {command}'
    done = subprocess.run(["bash", "-c", script, *arguments], capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr.strip().rpartition("\n")[2]


def test_standard_input_and_process_substitution(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png")
    write(tmp_path / "b.png")
    for command in (
        f"RUN <(cat {path}) <(cat {path})",
        f"cat {path} | RUN - {path}",
        f"RUN - {path} < {path}",
        f"RUN {tmp_path}/b.png /dev/stdin < {path}",
    ):
        assert run(command) == "(24, 40, 3) 0.0\n", command
    assert "standard input (-) is a truncated PNG" in run(f"head -c 200 {path} | RUN - {path}")
    assert "standard input (-) is closed" in run(f"RUN - {path} <&-")


def test_standard_input_for_both_views() -> None:
    with pytest.raises(PairError, match="given for both views"):
        read_pair("-", "-")


def test_plain_files_warn_of_nothing(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_pair(write(tmp_path / "a.png"), write(tmp_path / "b.png"))
