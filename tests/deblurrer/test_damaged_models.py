"""Model files with flipped bits: the sentence names the file, whatever engine reads it, and no picture appears."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import pytest

from dpanet import Deblurrer, DualPixelPair, WeightsError, load_model, save_model
from dpanet.checkpoints import checksum
from dpanet.checkpoints.checksum import state_checksum, write_sums
from dpanet.checkpoints.exported_model import KEY, forget_checksum
from dpanet.checkpoints.shipped_models import shipped_file
from dpanet.cli import main
from dpanet.export.openvino_file import write_openvino

SHIPPED = Path(str(shipped_file("nano"))).parent

CASES = [
    ("float32.onnx", "onnxruntime"),
    ("int8.onnx", "onnxruntime"),
    ("float32.onnx", "openvino"),
    ("openvino.xml", "openvino"),
    ("a.safetensors", "torch"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files of nano as `dpanet export` and `save_model` write them."""
    folder = tmp_path_factory.mktemp("models")
    for source, target in (("nano.onnx", "float32.onnx"), ("nano-int8.onnx", "int8.onnx")):
        model = onnx.load(SHIPPED / source)
        for entry in model.metadata_props:
            if entry.key == KEY:
                entry.value = forget_checksum(entry.value)
        onnx.save(model, folder / target)
        state_checksum(folder / target)
    write_openvino(folder / "float32.onnx", folder / "openvino.xml")
    state_checksum(folder / "openvino.xml")
    save_model(load_model("nano"), folder / "a.safetensors")
    return folder


def pair() -> DualPixelPair:
    random = np.random.default_rng(1)
    left, right = (random.random((32, 48, 3), dtype=np.float32) for _ in range(2))
    return DualPixelPair(left, right)


def flip(path: Path, random: np.random.Generator, bits: int = 1) -> None:
    """Flip bits of the middle of a file."""
    content = bytearray(path.read_bytes())
    for place in random.integers(len(content) // 4, len(content) * 3 // 4, bits):
        content[place] ^= 1 << random.integers(8)
    path.write_bytes(content)


@pytest.mark.parametrize(("name", "engine"), CASES)
def test_one_flipped_bit_of_a_file(files: Path, tmp_path: Path, name: str, engine: str) -> None:
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    file = tmp_path / name
    assert Deblurrer(file, engine=engine, threads=1)(pair()).pixels.shape == (32, 48, 3)
    kept = {part: part.read_bytes() for part in (file, file.with_suffix(".bin")) if part.exists()}
    random = np.random.default_rng(7)
    for part, content in kept.items():
        for _ in range(5):
            flip(part, random)
            with pytest.raises(WeightsError, match=rf"{name}.* is damaged .*copy it again"):
                Deblurrer(file, engine=engine, threads=1)
            part.write_bytes(content)


@contextmanager
def shipped_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the package find its shipped files in another folder."""
    with monkeypatch.context() as patch:
        for module in ("checksum", "model_file"):
            patch.setattr(
                f"dpanet.checkpoints.{module}.shipped_file",
                lambda name, suffix=".safetensors": folder / f"{name}{suffix}",
            )
        patch.setattr(
            "dpanet.engines.choose_engine.shipped_file",
            lambda name, suffix=".safetensors": folder / f"{name}{suffix}",
        )
        sums = checksum.parse_sums((folder / checksum.SUMS).read_text())
        patch.setattr(checksum, "_read_sums", lambda: sums)
        yield


@pytest.mark.parametrize(
    ("engine", "precision", "damaged"),
    [
        ("onnxruntime", "float32", "nano.safetensors"),
        ("onnxruntime", "float32", "nano.onnx"),
        ("onnxruntime", "int8", "nano-int8.onnx"),
        ("openvino", "float32", "nano.safetensors"),
        ("torch", "float32", "nano.safetensors"),
    ],
)
def test_one_flipped_bit_of_a_shipped_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, precision: str, damaged: str
) -> None:
    for file in SHIPPED.glob("nano*"):
        shutil.copy(file, tmp_path)
    write_sums(tmp_path)
    with shipped_in(tmp_path, monkeypatch):
        options = {"engine": engine, "precision": precision, "device": "cpu"}
        Deblurrer("nano", threads=1, **options)  # type: ignore[arg-type]
        flip(tmp_path / damaged, np.random.default_rng(5))
        with pytest.raises(WeightsError, match=rf"{damaged} is damaged: .*install dpanet again"):
            Deblurrer("nano", threads=1, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "engine"), [case for case in CASES if case[0] != "int8.onnx"])
def test_a_model_that_returns_no_numbers_answers_for_it(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, engine: str
) -> None:
    """Files of programs that state no checksum are only known by what they return."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    file = tmp_path / name
    weights = file.with_suffix(".bin") if name == "openvino.xml" else file
    content = bytearray(weights.read_bytes())
    middle = len(content) // 2 // 4 * 4
    content[middle : middle + 4000] = b"\xff" * 4000  # NaN in half and in single precision
    weights.write_bytes(content)
    monkeypatch.setattr(checksum, "check_file", lambda path: None)
    for module in ("onnx_engine", "openvino_engine"):
        monkeypatch.setattr(f"dpanet.engines.{module}.check_file", lambda path: None)
    monkeypatch.setattr("dpanet.checkpoints.model_file.check_file", lambda path: None)
    deblur = Deblurrer(file, engine=engine, precision="float32", threads=1)
    sentence = (
        rf"the model .*{name} returned NaN or infinity \({engine}, float32\) for views that are finite; "
    )
    with pytest.raises(WeightsError, match=sentence + "its file is damaged"):
        deblur(pair())


def test_the_command_says_so_in_one_line(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dpanet import Picture, write_picture

    views = [tmp_path / "left.png", tmp_path / "right.png"]
    for view, pixels in zip(views, (pair().left, pair().right), strict=True):
        write_picture(Picture(pixels), view)
    model = tmp_path / "model.onnx"
    shutil.copy(files / "float32.onnx", model)
    flip(model, np.random.default_rng(2), bits=20)
    output = tmp_path / "out.png"
    assert main(["deblur", *map(str, views), "-o", str(output), "--model", str(model)]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert said.err.startswith(f"dpanet: error: {model} is damaged or was changed by another program")
    assert not output.exists()
