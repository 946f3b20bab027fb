"""The plug-in for GIMP 3, run against a stand-in for GIMP's modules."""

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tifffile
from integrations.conftest import Program, write_views
from integrations.gimp_stand_in import Config, Dialog, File, Image, Layer, Procedure, RunMode, Status

from dpanet.cli import main
from integrations import gimp_stand_in

PLUG_IN = Path(__file__).parents[2] / "integrations/gimp/dpanet-deblur/dpanet-deblur.py"


def load(monkeypatch: pytest.MonkeyPatch, path: Path = PLUG_IN) -> tuple[ModuleType, Any, list[type]]:
    modules, progress, started = gimp_stand_in.make_modules()
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("dpanet_gimp", path)
    assert spec is not None and spec.loader is not None
    plug_in = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plug_in)
    return plug_in, progress, started


class Gimp:
    def __init__(self, plug_in: ModuleType, progress: Any, started: list[type], program: Path) -> None:
        (kind,) = started
        instance = kind()
        (name,) = instance.do_query_procedures()
        self.plug_in, self.progress = plug_in, progress
        self.procedure: Procedure = instance.do_create_procedure(name)
        self.options = self.procedure.arguments | {"program": str(program)}

    def call(
        self, image: Image, drawables: list[Layer], mode: RunMode = RunMode.NONINTERACTIVE
    ) -> tuple[Status, object]:
        result = self.procedure.noted["run"](
            self.procedure, mode, image, drawables, Config(self.options), None
        )
        assert image.groups == 0 and all(one.deleted for one in gimp_stand_in.gimp_images)
        return result


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def gimp(monkeypatch: pytest.MonkeyPatch, program: Program, temporary: Path) -> Gimp:
    gimp_stand_in.gimp_images.clear()
    monkeypatch.setattr(Dialog, "accepts", True)
    return Gimp(*load(monkeypatch), program.path)


def test_what_gimp_is_told(gimp: Gimp) -> None:
    noted = gimp.procedure.noted
    assert noted["menu_path"] == ("<Image>/Filters/Enhance",)
    assert noted["menu_label"] == ("_Deblur dual-pixel pair...",)
    assert gimp.procedure.arguments == {"program": "dpanet", "model": "compact"}
    assert os.access(PLUG_IN, os.X_OK) and PLUG_IN.stem == PLUG_IN.parent.name, "or GIMP does not load it"


def test_the_open_file(gimp: Gimp, program: Program, tmp_path: Path, temporary: Path) -> None:
    left, _ = write_views(tmp_path, "a b_left.tif", "a b_right.tif")
    below = Layer(tifffile.imread(left))
    image = Image([below], imported=File(str(left)), file=File(str(tmp_path / "saved.xcf")))
    assert gimp.call(image, [below]) == (Status.SUCCESS, None)
    new, old = image.layers
    assert old is below and new.name == "Deblurred" and (new.codes == 777).all()
    (call,) = program.calls
    assert call[:3] == ["edit", "--edit", str(left)] and call[5:] == ["--model", "compact"]
    assert gimp.progress.calls[0] == "init" and gimp.progress.calls[-1] == "end"
    assert list(temporary.iterdir()) == []


def test_two_layers_by_dpanet_itself(gimp: Gimp, program: Program, tmp_path: Path, temporary: Path) -> None:
    program.is_dpanet()
    gimp.options["model"] = "nano"
    codes = [tifffile.imread(view) for view in write_views(tmp_path, "l.tif", "r.tif")]
    opaque = np.full((40, 56, 1), 65535, np.uint16)
    left = Layer(np.concatenate([codes[0], opaque], axis=2), "the LEFT one", (3, 4))
    right = Layer(codes[1], "Right", (3, 4), visible=False)
    image = Image([right, left])
    assert gimp.call(image, [right, left])[0] is Status.SUCCESS
    new = image.layers[0]
    assert new.offsets == (3, 4) and new.codes.dtype == np.uint16
    assert "pulse" in gimp.progress.calls
    assert run_dpanet(tmp_path, "l.tif", "r.tif").tolist() == new.codes.tolist()
    assert list(temporary.iterdir()) == []


def run_dpanet(folder: Path, left: str, right: str) -> np.ndarray:
    """What the command line makes of two views."""
    out = folder / "by_hand.tif"
    command = ["deblur", str(folder / left), str(folder / right), "-o", str(out), "--model", "nano"]
    assert main(command) == 0
    return tifffile.imread(out)


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (("upper", "lower"), 0),
        (("a right", "the LEFT"), 1),
        (("Left", "Right"), 0),
        (("right", "other"), 0),
        (("bright", "left right"), 0),
    ],
)
def test_which_layer_is_left(gimp: Gimp, program: Program, names: tuple[str, str], left: int) -> None:
    program.answers('cp "$3" "$out"')
    layers = [Layer(np.full((40, 56, 3), value, np.uint16), name) for value, name in enumerate(names)]
    image = Image(list(layers))
    assert gimp.call(image, layers)[0] is Status.SUCCESS
    assert (image.layers[0].codes == left).all()


@pytest.mark.parametrize("turned", [True, False])
def test_the_layer_is_turned_as_the_image_is(
    gimp: Gimp, program: Program, tmp_path: Path, turned: bool
) -> None:
    codes = np.arange(24 * 32 * 3, dtype=np.uint16).reshape(24, 32, 3)
    tifffile.imwrite(tmp_path / "on end.tif", codes, photometric="rgb", extratags=[(274, 3, 1, 6, True)])
    program.answers(f'cp "{tmp_path}/on end.tif" "$out"')
    shown = np.rot90(codes, -1) if turned else codes
    image = Image([Layer(shown)], file=File(str(write_views(tmp_path, "a_left.tif")[0])))
    assert gimp.call(image, [])[0] is Status.SUCCESS
    np.testing.assert_array_equal(image.layers[0].codes, shown)


def test_layers_of_two_sizes(gimp: Gimp, program: Program) -> None:
    layers = [Layer(np.zeros(shape, np.uint16)) for shape in ((40, 56, 3), (40, 50, 3))]
    status, error = gimp.call(Image(list(layers)), layers)
    assert status is Status.EXECUTION_ERROR and program.calls == []
    assert "the selected layers are 56 x 40 and 50 x 40 px" in str(error)


@pytest.mark.parametrize("file", [None, File(None)], ids=["unsaved", "elsewhere"])
def test_no_file(gimp: Gimp, file: File | None) -> None:
    status, error = gimp.call(Image(imported=file), [])
    assert status is Status.EXECUTION_ERROR and "save it, or select two layers" in str(error)


def test_the_sentence_of_the_program_is_shown(
    gimp: Gimp, program: Program, tmp_path: Path, temporary: Path
) -> None:
    image = Image(file=File(str(write_views(tmp_path, "a.tif")[0])))
    program.answers('echo "dpanet: error: name the views" >&2; echo "bye" >&2; exit 1')
    assert gimp.call(image, []) == (Status.EXECUTION_ERROR, "name the views")
    program.answers("kill -9 $$")
    status, error = gimp.call(image, [])
    assert status is Status.EXECUTION_ERROR and "ended with exit code" in str(error)
    program.path.unlink()
    status, error = gimp.call(image, [])
    assert f"the program {program.path} does not start (No such file or directory)" in str(error)
    assert image.layers == [] and list(temporary.iterdir()) == []


def test_the_dialog(gimp: Gimp, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image(file=File(str(write_views(tmp_path, "a_left.tif")[0])))
    assert gimp.call(image, [], RunMode.INTERACTIVE)[0] is Status.SUCCESS
    monkeypatch.setattr(Dialog, "accepts", False)
    assert gimp.call(image, [], RunMode.INTERACTIVE) == (Status.CANCEL, None)
    assert len(program.calls) == 1 and Dialog.open == 0


def test_when_gimp_kills_the_plug_in_the_program_ends_and_nothing_is_left(
    program: Program, tmp_path: Path
) -> None:
    program.answers(f'echo $$ > "{tmp_path}/pid"; exec sleep 60')
    folder = tmp_path / "dpanet-folder"
    folder.mkdir()
    (folder / "layers_left.tif").touch()
    watcher = subprocess.Popen(
        [sys.executable, str(PLUG_IN), "--watch", str(folder), str(program.path)], stdin=subprocess.PIPE
    )
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert watcher.poll() is None
        time.sleep(0.02)
    assert watcher.stdin is not None
    watcher.stdin.close()  # as the system does it for a process that is killed
    watcher.wait(20)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert not folder.exists()


def test_the_python_of_gimp_is_not_that_of_dpanet(
    gimp: Gimp, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/of/gimp")
    program.answers(f'test -z "$PYTHONPATH" && cp "{program.path.parent}/result.tif" "$out"')
    image = Image(file=File(str(write_views(tmp_path, "a_left.tif")[0])))
    assert gimp.call(image, [])[0] is Status.SUCCESS


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("return layers[::-1]", "return layers"),
        ("copy.flatten()", "pass"),
        ("copy.delete()", "pass"),
        ("view.set_visible(True)", "pass"),
        ("Gimp.Precision.U16_NON_LINEAR", "None"),
        ("layer.set_offsets(x, y)", "pass"),
    ],
)
def test_a_planted_fault_is_noticed(
    right: str, wrong: str, monkeypatch: pytest.MonkeyPatch, program: Program, temporary: Path, tmp_path: Path
) -> None:
    source = PLUG_IN.read_text()
    assert source.count(right) == 1
    path = tmp_path / "plug_in.py"
    path.write_text(source.replace(right, wrong))
    gimp_stand_in.gimp_images.clear()
    gimp = Gimp(*load(monkeypatch, path), program.path)
    program.answers('cp "$3" "$out"')  # the left view
    views = [np.full((40, 56, 4), value, np.uint16) for value in (1, 2)]
    layers = [Layer(views[1], "right", (3, 4), visible=False), Layer(views[0], "left", (3, 4))]
    image = Image(list(layers))
    with pytest.raises(AssertionError):
        assert gimp.call(image, layers)[0] is Status.SUCCESS
        assert image.layers[0].offsets == (3, 4) and (image.layers[0].codes == 1).all()
