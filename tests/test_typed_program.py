"""What a user's type checker sees: the package says that it is typed, and a program of a user is checked and runs."""

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
