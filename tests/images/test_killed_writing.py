"""A process that is killed while it writes a picture leaves a whole file, the old or the new one."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dpanet.images.reading import read_codes

WRITER = """
import sys
from pathlib import Path
import numpy as np
from dpanet.images.writing import write_picture
from dpanet.pair import Picture
for number in range(int(sys.argv[2]), 255):
    write_picture(Picture(np.full((300, 400, 3), number / 255, np.float32)), sys.argv[1], overwrite=True)
    print(flush=True)
"""
"""Replaces one picture again and again; all pixels of each are alike."""


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path: Path, suffix: str) -> None:
    moments = random.Random(suffix)
    path = tmp_path / f"out{suffix}"
    seen = set()
    for attempt in range(4):
        killing = (signal.SIGKILL, signal.SIGINT)[attempt % 2]
        command = [sys.executable, "-c", WRITER, str(path), str(50 * attempt)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as writer:
            assert writer.stdout is not None and writer.stdout.readline()
            time.sleep(moments.random() * 0.1)
            writer.send_signal(killing)
        codes = read_codes(path)
        assert codes.shape == (300, 400, 3) and (codes == codes[0, 0, 0]).all()
        seen.add(int(codes[0, 0, 0]))
        others = [file.name for file in tmp_path.iterdir() if file != path]
        assert all(name.startswith(".dpanet-") for name in others), "what is half written is hidden"
    assert len(seen) > 1, "the picture was replaced"


def test_a_file_size_limit_is_one_sentence(tmp_path: Path) -> None:
    """As a full disk: the operating system refuses to write more."""
    code = (
        "import resource, signal, sys, numpy as np\n"
        "from dpanet.errors import OutputError\n"
        "from dpanet.images.writing import write_picture\n"
        "from dpanet.pair import Picture\n"
        "noise = np.random.default_rng(1).random((200, 200, 3), np.float32)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "try:\n    write_picture(Picture(noise), sys.argv[1])\n"
        "except OutputError as error:\n    print(error)\n"
    )
    for suffix in (".png", ".tif"):
        path = tmp_path / f"out{suffix}"
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"{path} cannot be written (") and done.stdout.count("\n") == 1
        assert list(tmp_path.iterdir()) == []


def test_the_codes_are_compared_in_full() -> None:
    torn = np.full((300, 400, 3), 7, np.uint8)
    torn[200:] = 8
    assert not (torn == torn[0, 0, 0]).all()
