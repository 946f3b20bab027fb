"""What a plain installation can do, and what it says where a package of an extra is missing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from architecture import ALLOWED, EXTRAS, FORBIDDEN

import dpanet
from dpanet.cli.program import _COMMANDS
from dpanet.errors import MissingPackageError
from dpanet.extras import COMMANDS, modules_of, named_extra

PACKAGE = Path(dpanet.__file__).parent

HIDDEN = """
import json, sys
hidden = set(json.loads(sys.argv[1]))
class Without:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else self.finder.find_spec(name, path, target)
sys.meta_path = [Without(finder) for finder in sys.meta_path]
"""
"""Python in which these packages are not installed."""


def without(hidden: tuple[str, ...], code: str, *arguments: str) -> Any:
    """Run code that prints JSON in a Python without these packages."""
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN + code, json.dumps(hidden), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


RUN = """
import contextlib, io
from dpanet.cli import main
came = {}
for command in json.loads(sys.argv[2]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        came[command] = [main(command.split()), out.getvalue(), err.getvalue()]
print(json.dumps(came))
"""


def test_what_deblurring_needs_is_imported_without_any_extra() -> None:
    rooms = [room for room, outside in FORBIDDEN.items() if set(EXTRAS) <= {*outside}] + ["cli"]
    files = [path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")]
    base = [file for file in files if file.split("/")[0] in rooms and file not in ALLOWED]
    names = [
        f"dpanet.{file.removesuffix('.py').replace('/', '.')}".removesuffix(".__init__") for file in base
    ]
    assert len(names) > 60
    code = """
from importlib import import_module
failed = {}
for name in ["dpanet.evaluation.metrics", *json.loads(sys.argv[2])]:
    try:
        import_module(name)
    except ImportError as error:
        failed[name] = str(error)
print(json.dumps(failed))
"""
    assert without(EXTRAS, code, json.dumps(names)) == {}
    assert list(without(EXTRAS, code, json.dumps(["dpanet.simulation.render"]))) == [
        "dpanet.simulation.render"
    ]


def test_each_command_names_the_extra_that_it_needs() -> None:
    came = without(EXTRAS, RUN, json.dumps([command for command, extra in COMMANDS.items() if extra]))
    for command, (code, out, err) in came.items():
        extra = COMMANDS[command]
        assert (code, out) == (1, "")
        first, number = modules_of(extra)[0], len(modules_of(extra)) - 1
        assert err == (
            f"dpanet: error: dpanet {command} needs packages of the extra {extra} "
            f"({first} and {number} {'other' if number == 1 else 'others'} are missing); "
            f"install them in the repository's folder: pip install -c constraints.txt '.[{extra}]'\n"
        )


def test_help_of_every_command_needs_no_extra() -> None:
    commands = ["--help", *(f"{command} --help" for command in _COMMANDS)]
    for code, out, err in without(EXTRAS, RUN, json.dumps(commands)).values():
        assert (code, err) == (0, "")
        assert "Usage: dpanet" in out


def test_one_missing_package_is_named_alone() -> None:
    code, _, err = without(("scipy",), RUN, '["evaluate --dataset x"]')["evaluate --dataset x"]
    assert code == 1
    assert err == (
        "dpanet: error: dpanet evaluate needs packages of the extra evaluate (scipy is missing); "
        "install them in the repository's folder: pip install -c constraints.txt '.[evaluate]'\n"
    )


NAMES = """
import dpanet
failed = {}
for name in dpanet.__all__:
    try:
        getattr(dpanet, name)
    except dpanet.MissingPackageError as error:
        failed[name] = str(error)
try:
    import numpy
    dpanet.ssim(numpy.zeros((16, 16, 3)), numpy.zeros((16, 16, 3)), data_range=1)
except dpanet.MissingPackageError as error:
    failed["ssim"] = str(error)
print(json.dumps(failed))
"""


def test_names_of_the_library_say_which_extra_they_need() -> None:
    failed = without(EXTRAS, NAMES)
    assert not {"psnr", "mae", "read_pair", "read_picture", "write_picture"} & set(failed)
    assert failed["ssim"] == (
        "dpanet.ssim needs packages of the extra evaluate (scikit-image is missing); "
        "install them in the repository's folder: pip install -c constraints.txt '.[evaluate]'"
    )
    assert failed["save_model"].startswith("dpanet.save_model needs packages of the extra torch (")


ENGINES = """
from importlib.resources import files
from dpanet import Deblurrer, MissingPackageError
failed = {}
weights = str(files("dpanet.checkpoints") / "shipped" / "nano.safetensors")
for options in ({"engine": "torch"}, {"engine": "openvino"}, {"model": weights}):
    try:
        Deblurrer(**{"model": "nano", **options})
    except MissingPackageError as error:
        failed[" ".join(options.values()).rpartition("/")[2]] = str(error)
print(json.dumps([failed, Deblurrer("nano").engine.name]))
"""


def test_an_engine_that_is_not_installed_is_named() -> None:
    failed, name = without(EXTRAS, ENGINES)
    assert failed == {
        choice: f"the engine {engine} needs packages of the extra {engine} ({engine} is missing); "
        f"install them in the repository's folder: pip install -c constraints.txt '.[{engine}]'"
        for choice, engine in (("torch", "torch"), ("openvino", "openvino"), ("nano.safetensors", "torch"))
    }
    assert name == "onnxruntime"


def test_the_smallest_extra_that_brings_the_package_is_named() -> None:
    with pytest.raises(MissingPackageError, match="extra torch") as caught, named_extra("this"):
        raise ModuleNotFoundError("", name="torch.nn")
    assert isinstance(caught.value, ImportError)
    with pytest.raises(MissingPackageError, match="extra evaluate"), named_extra("this", "evaluate"):
        raise ModuleNotFoundError("", name="torch")
    with pytest.raises(MissingPackageError, match="extra restorers"), named_extra("this", "evaluate"):
        raise ModuleNotFoundError("", name="spandrel")
    with pytest.raises(ModuleNotFoundError, match="of another"), named_extra("this"):
        raise ModuleNotFoundError("of another", name="numpy")


def test_extras_include_each_other() -> None:
    assert {"torch", "scipy", "tensorboard"} < {*modules_of("train")}
    assert modules_of("openvino") == ("openvino",)
