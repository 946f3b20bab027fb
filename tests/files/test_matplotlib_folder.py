"""Matplotlib without a folder to write to."""

import subprocess
import sys
from pathlib import Path

import pytest

DRAW = """
import os, pwd, sys
def nobody(*_):
    raise KeyError("no such user")
pwd.getpwuid = pwd.getpwnam = nobody
from dpanet.files.matplotlib_folder import prepare_matplotlib
prepare_matplotlib()
from matplotlib.figure import Figure
Figure().savefig(sys.argv[1])
"""


@pytest.mark.parametrize("home", [None, "/dev/null"])
def test_a_figure_is_drawn_without_a_word_and_leaves_nothing(tmp_path: Path, home: str | None) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    environment = {"TMPDIR": str(scratch), **({} if home is None else {"HOME": home})}
    done = subprocess.run(
        [sys.executable, "-c", DRAW, str(tmp_path / "a.png")], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "a.png").exists() and not list(scratch.iterdir())
