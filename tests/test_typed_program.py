"""What a user's type checker sees: the package says that it is typed, and a program of a user is checked and runs."""

import os
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path

from typed_program import call_wrongly, deblur_each_kind

from dpanet import Deblurrer
from dpanet.images.demo_pair import read_demo_pair
from dpanet.images.writing import write_picture
from dpanet.pair import Picture

ROOT = Path(__file__).parents[1]


def test_the_package_says_that_it_is_typed() -> None:
    assert (resources.files("dpanet") / "py.typed").is_file()


def test_the_program_is_checked_with_the_package() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert options["strict"] and "tests/typed_program.py" in options["files"]


def test_the_program_runs(tmp_path: Path) -> None:
    pair, _ = read_demo_pair()
    for name, view in (("left", pair.left), ("right", pair.right)):
        write_picture(Picture(view[:32, :48].copy()), tmp_path / f"{name}.png")
    deblur_each_kind(tmp_path)
    call_wrongly(Deblurrer("nano", device="cpu"))


BARE = """
from typing import Any, assert_type
import numpy as np
from numpy.typing import NDArray
from dpanet import Deblurrer, DualPixelPair, Picture

def check(deblur: Deblurrer, view: NDArray[np.uint8], pair: DualPixelPair) -> None:
    assert_type(deblur(view, view), NDArray[Any])
    assert_type(deblur([view], [view]), list[NDArray[Any]])
    assert_type(deblur(pair), Picture)
    assert_type(deblur.with_defocus_map(view, view), tuple[NDArray[Any], NDArray[np.float32]])
"""

WITHOUT = """
[mypy]
strict = true
follow_imports = silent
[mypy-torch.*,PIL.*]
follow_imports = skip
ignore_missing_imports = true
"""


def test_arrays_give_arrays_also_where_torch_and_pillow_are_unknown(tmp_path: Path) -> None:
    (tmp_path / "bare.py").write_text(BARE)
    (tmp_path / "mypy.ini").write_text(WITHOUT)
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "bare.py"]
    environment = os.environ | {"MYPYPATH": str(ROOT / "src")}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "Success: no issues found in 1 source file")
