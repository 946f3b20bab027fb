"""Exported files compute what their network computes, and a wrong one never appears."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from openvino import opset8

from dpanet import Deblurrer
from dpanet.checkpoints.exported_model import KEY, forget_checksum
from dpanet.cli import main
from dpanet.engines.openvino_engine import OpenVinoEngine
from dpanet.errors import ConfigError, OutputError, WeightsError
from dpanet.export import onnx_file, verification
from dpanet.export.export import export_model
from dpanet.export.openvino_file import write_openvino
from dpanet.network import DPANet, Network, preset
from dpanet.network.unet import UNet, UNetConfig
from dpanet.pair import DualPixelPair


def small_network(family: str = "dpanet") -> Network:
    """Return a network with alignment and a defocus head, one of the published form, or one of convolutions alone.

    All its weights change the picture.
    """
    torch.manual_seed(0)
    network: Network
    if family == "published":
        network = DPANet(
            preset(
                "paper",
                widths=(8, 8, 8),
                blocks=(1, 1, 1),
                decoder_blocks=(1, 1, 1),
                bottleneck_width=8,
                bottleneck_blocks=1,
            )
        )
    elif family == "unet":
        network = UNet(
            UNetConfig(widths=(8,), blocks=(1,), decoder_blocks=(1,), bottleneck_width=8, bottleneck_blocks=1)
        )
    else:
        network = DPANet(
            preset(
                "compact",
                widths=(8, 16),
                decoder_widths=(8, 16),
                blocks=(1, 1),
                decoder_blocks=(1, 1),
                bottleneck_width=8,
                first_aligned=1,
                cost_width=8,
                radius=(4, 4),  # as the published network: products of strips
                groups=2,
                defocus=True,
            )
        )
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.02)
        parameter.data = parameter.half().float()
    return network.eval()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("exported")
    paths = {"onnx": folder / "a.onnx", "openvino": folder / "a.xml", "torchscript": folder / "a.pt"}
    network = small_network()
    checks = export_model(network, paths["onnx"]) + export_model(network, paths["torchscript"], "torchscript")
    assert len(checks) == 6 and all(check.picture < 1e-4 and check.radius < 1e-2 for check in checks)
    write_openvino(paths["onnx"], paths["openvino"])  # the first export is by far the slowest step
    return paths


def pair(height: int = 72, width: int = 90) -> DualPixelPair:
    random = np.random.default_rng(3)
    return DualPixelPair(*(random.random((height, width, 3), dtype=np.float32) for _ in range(2)), "srgb")


@pytest.mark.parametrize("format", ["onnx", "openvino"])
def test_a_deblurrer_runs_the_file(files: dict[str, Path], format: str) -> None:
    reference = Deblurrer(small_network(), device="cpu", precision="float32").with_defocus_map(pair())
    apply = Deblurrer(files[format], precision="float32")
    picture, radius = apply.with_defocus_map(pair())
    np.testing.assert_allclose(picture.pixels, reference[0].pixels, atol=1e-4)
    np.testing.assert_allclose(radius, reference[1], atol=1e-2)
    assert apply.engine.description == small_network().description


def test_torchscript_runs_without_this_package(files: dict[str, Path]) -> None:
    code = (
        "import sys, torch, json; extra = {'dpanet': ''}; net = torch.jit.load(sys.argv[1], _extra_files=extra); "
        "v = torch.full((1, 3, 48, 80), .25); p, r = net(v, v); "
        "print(json.dumps([list(p.shape), list(r.shape), float(p.mean()), 'dpanet' in sys.modules, "
        "json.loads(extra['dpanet'])['description']['multiple_of']]))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, files["torchscript"]],
        capture_output=True,
        text=True,
        check=True,
    )
    picture, radius, mean, ours, multiple = json.loads(done.stdout)
    views = torch.full((1, 3, 48, 80), 0.25)
    with torch.no_grad():
        assert mean == pytest.approx(float(small_network()(views, views).mean()), abs=1e-5)
    assert (picture, radius, ours, multiple) == ([1, 3, 48, 80], [1, 1, 48, 80], False, 8)


def test_what_an_onnx_file_says(files: dict[str, Path]) -> None:
    model = onnx.load(files["onnx"])
    said = json.loads({entry.key: entry.value for entry in model.metadata_props}[KEY])
    assert (
        said["name"] == "compact"
        and said["description"]["multiple_of"] == 8
        and said["precision"] == "float32"
    )
    assert (
        said["license"] == "MIT" and "DeformConv" in said["operators"] and said["description"]["has_defocus"]
    )
    assert said["parameters"] == sum(p.numel() for p in small_network().parameters())
    assert any(node.op_type == "DeformConv" for node in model.graph.node)
    halves = [t for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT16]
    assert halves  # weights that are half-precision numbers take half the room


def test_a_network_of_convolutions_needs_standard_operators(tmp_path: Path) -> None:
    export_model(small_network("unet"), tmp_path / "u.onnx")
    model = onnx.load(tmp_path / "u.onnx")
    assert {node.domain for node in model.graph.node} == {""}
    assert "DeformConv" not in {node.op_type for node in model.graph.node}


def test_a_wrong_kernel_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = onnx_file.write_onnx

    def wrong(network: Network, path: Path) -> None:
        right(network, path)
        model = onnx.load(path)
        tensor = next(t for t in model.graph.initializer if len(t.dims) == 4)
        values = numpy_helper.to_array(tensor).copy()
        values[0] = values[0, :, ::-1]
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
        onnx.save(model, path)

    monkeypatch.setattr(onnx_file, "write_onnx", wrong)
    with pytest.raises(WeightsError, match=r"wrong\.onnx does not compute what the network computes"):
        export_model(small_network("unet"), tmp_path / "wrong.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_deformable_convolution_is_caught(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenVINO's operation has another rule at the edges, too, which gives other pictures."""
    right = opset8.deformable_convolution

    def wrong(*inputs: object, bilinear_interpolation_pad: bool, **options: object) -> object:
        return right(*inputs, bilinear_interpolation_pad=False, **options)

    monkeypatch.setattr(onnx_file, "write_onnx", lambda network, path: shutil.copyfile(files["onnx"], path))
    export_model(small_network(), tmp_path / "right.xml", "openvino")
    monkeypatch.setattr(opset8, "deformable_convolution", wrong)
    with pytest.raises(WeightsError, match=r"wrong\.xml does not compute what the network computes"):
        export_model(small_network(), tmp_path / "wrong.xml", "openvino")
    assert {path.name for path in tmp_path.iterdir()} == {"right.xml", "right.bin"}


def test_the_published_form_as_torchscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "_PUBLISHED_SIDE", 64)
    network = small_network("published")
    checks = export_model(network, tmp_path / "p.pt", "torchscript")
    assert all(check.picture < 1e-5 for check in checks) and checks[-1].views.endswith("of 64 x 64 px")


def test_openvino_computes_the_published_network_in_float32_unless_asked(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dpanet.engines.openvino_engine.instruction_sets", lambda: frozenset({"avx512_bf16"}))
    assert OpenVinoEngine(files["openvino"]).precision == "bfloat16"
    model = onnx.load(files["onnx"])
    for entry in model.metadata_props:
        entry.value = forget_checksum(entry.value).replace('"whole_image": false', '"whole_image": true')
    onnx.save(model, tmp_path / "whole.onnx")
    assert OpenVinoEngine(tmp_path / "whole.onnx").precision == "float32"
    assert OpenVinoEngine(tmp_path / "whole.onnx", precision="bfloat16").precision == "bfloat16"


def test_impossible_exports(tmp_path: Path) -> None:
    network = small_network("unet")
    with pytest.raises(ConfigError, match="only the format onnx has int8"):
        export_model(network, tmp_path / "a.xml", "openvino", "int8")
    with pytest.raises(ConfigError, match=r"does not end in \.xml"):
        export_model(network, tmp_path / "a.onnx", "openvino")
    (tmp_path / "a.bin").write_text("mine")
    with pytest.raises(OutputError, match=r"a\.bin exists"):
        export_model(network, tmp_path / "a.xml", "openvino")
    assert (tmp_path / "a.bin").read_text() == "mine"


def test_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dpanet.checkpoints.model_file.load_model", lambda source: small_network("unet"))
    assert main(["export", "any", "-o", str(tmp_path / "a.onnx")]) == 0
    out = capsys.readouterr().out
    assert out.count("picture differs by 0.00") == 3 and "a.onnx: 0.1 MB, onnx, float32" in out
    assert main(["export", "any", "-o", str(tmp_path / "a.onnx")]) == 1
    assert "a.onnx exists" in capsys.readouterr().err
