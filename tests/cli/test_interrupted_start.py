"""Ctrl-C while a command starts: one line and exit code 130, whatever is being imported at that moment."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import dpanet
from dpanet import Picture, write_picture

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals come otherwise there")

LINE = "dpanet: interrupted\n"

_INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell ignores it
from dpanet.__main__ import main
class Finder:
    left = int(sys.argv.pop(1))
    def find_spec(self, name, path=None, target=None):
        Finder.left -= 1
        if Finder.left == 0:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
sys.exit(main())
"""
"""The program, which gets SIGINT when it imports its n-th module."""

_SCRIPT = """
import re
import sys
from dpanet.__main__ import main
sys.exit(main())
"""
"""What pip installs as `dpanet`."""


@pytest.fixture
def deblur(tmp_path: Path) -> list[str]:
    """The arguments of a command that imports all that `deblur` needs."""
    random = np.random.default_rng(0)
    views = [tmp_path / "left.png", tmp_path / "right.png"]
    for view in views:
        write_picture(Picture(random.random((32, 48, 3), dtype=np.float32)), view)
    return ["deblur", *map(str, views), "-o", str(tmp_path / "out.png"), "--model", "nano", "--threads", "1"]


@pytest.mark.parametrize("number", [1, 2, 4, 40, 150])
def test_at_an_import_of_any_command(number: int) -> None:
    done = _run(number, ["--version"])
    assert (done.returncode, done.stderr) == (130, LINE)
    assert done.stdout in ("", f"{dpanet.__version__}\n")  # an interrupt waits for the end of the import


@pytest.mark.parametrize("number", [165, 210, 260, 310, 350])
def test_at_an_import_of_deblur(number: int, deblur: list[str], tmp_path: Path) -> None:
    done = _run(number, deblur)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", LINE)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["left.png", "right.png"]


def test_after_the_last_import_the_command_is_done(deblur: list[str]) -> None:
    done = _run(10_000, deblur)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("milliseconds", [10, 50, 90, 130, 200, 300])
@pytest.mark.parametrize("command", ["version", "deblur"])
def test_at_any_time(command: str, milliseconds: int, deblur: list[str]) -> None:
    arguments = ["--version"] if command == "version" else deblur
    program = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_take_interrupts,
    )
    time.sleep(milliseconds / 1000)
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=60)
    if _began(program.returncode, errors):
        assert (program.returncode, errors) in [(130, LINE), (0, "")]


def test_an_interrupt_waits_for_the_end_of_an_import(tmp_path: Path) -> None:
    module = "import signal, time\nsignal.raise_signal(signal.SIGINT)\ntime.sleep(0.2)\nended = True\n"
    (tmp_path / "slow_module.py").write_text(module)
    code = (
        "import signal, sys, time, dpanet.__main__ as program\n"
        "signal.signal(signal.SIGINT, program._interrupt)\n"
        "try:\n"
        "    import slow_module\n"
        "    time.sleep(20)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', slow_module.ended)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "interrupted True\n"), done.stderr


def test_a_thread_that_never_ends_is_left_behind() -> None:
    code = (
        "import signal, sys, threading, dpanet.__main__ as program, dpanet.cli\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def run(arguments):\n"
        "    threading.Thread(target=threading.Event().wait).start()\n"
        "    return 130\n"
        "dpanet.cli.main, program._PATIENCE = run, 0.2\n"
        "sys.exit(program.main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert done.returncode == 130


def test_an_ignored_interrupt_stays_ignored() -> None:
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + _INTERRUPTED.replace(
        "signal.default_int_handler", "signal.SIG_IGN"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "60", "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, dpanet.__version__)


def test_closed_standard_error() -> None:
    done = _run(60, ["--version"], "import os; os.close(2)\n")
    assert done.returncode == 130


def _run(number: int, arguments: list[str], before: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", before + _INTERRUPTED, str(number), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def _take_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _began(code: int, errors: str) -> bool:
    """Whether the program had begun: before its first line Python itself starts, and ends in its own way."""
    ours = os.fspath(Path(dpanet.__file__).parent / "__main__.py")
    return ours in errors or not ("Traceback" in errors or (code, errors) == (-signal.SIGINT, ""))
