"""libvips prints nothing, whatever it is given, and works in processes of every kind."""

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dpanet.images.reading import read_codes, read_file

NAMES = ("a.png", "a.jpg", "a.webp", "a.avif", "a.tif", "lzw.tif", "jpeg.tif", "a.ppm")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8))
    options = {"lzw.tif": {"compression": "tiff_lzw"}, "jpeg.tif": {"compression": "jpeg"}}
    for name in NAMES:
        image.save(tmp_path / name, **options.get(name, {}))
    return [tmp_path / name for name in NAMES]


def total(path: Path) -> int:
    return int(read_file(path).codes.astype(np.int64).sum())


@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_worker_processes(files: list[Path], how: str) -> None:
    wanted = [total(path) for path in files]  # so that a fork copies a library in use
    with multiprocessing.get_context(how).Pool(2) as pool:
        came = pool.map_async(read_codes, files * 3).get(timeout=60)
    assert [int(codes.astype(np.int64).sum()) for codes in came] == wanted * 3


def test_threads(files: list[Path]) -> None:
    wanted = [total(path) for path in files]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(total, files * 6)) == wanted * 6


def test_a_changed_file_is_read_anew(files: list[Path]) -> None:
    before = total(files[0])
    Image.new("RGB", (120, 90), (1, 2, 3)).save(files[0])
    assert total(files[0]) == 90 * 120 * 6 != before


SCRIPT = """
import sys, warnings
from pathlib import Path
from dpanet.errors import DpanetError
from dpanet.images.reading import read_file
warnings.simplefilter("ignore")
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        read_file(path)
    except DpanetError as error:
        assert "\\n" not in str(error), error
"""


@pytest.mark.parametrize(
    "variables", [{}, {"G_MESSAGES_DEBUG": "all", "VIPS_INFO": "1"}, {"VIPS_WARNING": ""}]
)
def test_damaged_files_print_nothing(files: list[Path], tmp_path: Path, variables: dict[str, str]) -> None:
    rng = np.random.default_rng(3)
    place = tmp_path / "damaged"
    place.mkdir()
    for path in files:
        data = path.read_bytes()
        for number in range(12):
            changed = bytearray(data[: int(len(data) * rng.uniform(0.1, 1))] if number % 2 else data)
            for at in rng.integers(0, len(changed), 1 + number):
                changed[at] = int(rng.integers(256))
            (place / f"{number}-{path.name}").write_bytes(changed)
        (place / os.fsdecode(b"caf\xe9-" + path.name.encode())).write_bytes(data[: len(data) // 2])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(place)],
        capture_output=True,
        env={**os.environ, **variables},
        timeout=100,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
