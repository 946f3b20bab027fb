import hashlib
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dpanet.checkpoints.model_file import save_model
from dpanet.checkpoints.shipped_models import SHIPPED, weights_hash
from dpanet.engines.torch_engine import TorchEngine
from dpanet.errors import ConfigError, WeightsError
from dpanet.evaluation.methods import BASELINES, load_baseline, load_methods, spandrel_model
from dpanet.evaluation.methods.model import ModelMethod, row_name
from dpanet.evaluation.methods.single import SingleView
from dpanet.evaluation.methods.spandrel_model import SpandrelMethod
from dpanet.evaluation.scores import Computation, MethodInfo
from dpanet.images.encoding import linear_to_srgb
from dpanet.lenses.measured_grid import MeasuredGrid
from dpanet.lenses.pixel4 import Pixel4
from dpanet.network.description import Description
from dpanet.network.dpdnet import DPDNet, DPDNetConfig
from dpanet.pair import DualPixelPair


class Halves(nn.Module):
    """Knows its views apart: a quarter of the left and half of the right."""

    description = Description(multiple_of=2, halo=2)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return left / 4 + right / 2


class Descriptor:
    """As spandrel's: channels in, three out, whatever `call` says."""

    def __init__(self, channels: int, **changes: object) -> None:
        self.input_channels, self.output_channels, self.scale = channels, 3, 1
        self.size_requirements = SimpleNamespace(minimum=0, multiple_of=8, square=False)
        self.model = nn.Conv2d(channels, 3, 1)
        self.seen: list[Tensor] = []
        self.__dict__.update(changes)

    def to(self, device: torch.device) -> None:
        self.model.to(device)

    def __call__(self, image: Tensor) -> Tensor:
        assert image.shape[-1] % 8 == 0 and image.shape[-2] % 8 == 0
        self.seen.append(image)
        return image[:, -3:].clone()


@pytest.fixture
def pair() -> DualPixelPair:
    views = np.random.default_rng(4).random((2, 20, 27, 3), dtype=np.float32)
    return DualPixelPair(*views, "srgb", {"bits": 8})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_model(DPDNet(DPDNetConfig(widths=(4, 4))), tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors"


def test_doing_nothing_is_the_mean_in_the_pairs_encoding(pair: DualPixelPair) -> None:
    picture = load_baseline("none")(pair)
    np.testing.assert_allclose(picture.pixels, (pair.left + pair.right) / 2, rtol=1e-6)
    assert picture.encoding == "srgb"


def test_a_model_is_its_network(pair: DualPixelPair) -> None:
    method = ModelMethod(Halves(), "halves", "hash", precision="float32")
    np.testing.assert_allclose(method(pair).pixels, pair.left / 4 + pair.right / 2, atol=1e-6)
    assert (method.info.kind, method.info.parameters, method.defocus_map(pair)) == ("model", 0, None)


def test_single_sees_the_mean_twice_and_nothing_is_taken_for_in_focus(pair: DualPixelPair) -> None:
    method = SingleView(ModelMethod(Halves(), "single", "hash", precision="float32"))
    mean = (pair.left + pair.right) / 2
    np.testing.assert_allclose(method(pair).pixels, mean * 0.75, atol=1e-6)
    assert method.info.kind == "baseline"
    assert method.info.identity != ModelMethod(Halves(), "single", "hash", precision="float32").info.identity


def test_the_identity_contains_the_weights_and_the_config() -> None:
    def identity(weights: str, **config: object) -> str:
        return ModelMethod(Halves(), "halves", weights, **config).info.identity

    assert (
        len(
            {
                identity("a", precision="bfloat16"),
                identity("b"),
                identity("a", tile=64),
                identity("a", tta=2),
                identity("a", precision="float32"),
            }
        )
        == 5
    )
    assert identity("a") == identity("a", progress=print)


def test_how_a_model_ran_is_stated_and_decides_its_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    def info(**config: object) -> MethodInfo:
        return ModelMethod(Halves(), "halves", "a", precision="float32", device="cpu", **config).info

    plain, refined = info(scale=1, tta=2), info(scale=1, tta=2, lens=Pixel4())
    library = f"torch {torch.__version__}"
    assert plain.computation == Computation(library, "cpu", "float32", 2, "1", "auto")
    assert plain.computation.text() == f"{library}, float32, cpu; 2 passes; scale 1; not refined"
    assert refined.computation is not None and refined.computation.lens is not None
    assert refined.computation.lens.startswith(f"{Pixel4().name} (")
    kernels = Pixel4().kernels(0.5, 0.5, [1.0])
    folder = info(lens=MeasuredGrid(kernels[:, 0], kernels[:, 1], "/far/away/calibration")).computation
    assert folder is not None and str(folder.lens).startswith("calibration (")
    monkeypatch.setattr(TorchEngine, "version", "0.0")
    assert len({plain.identity, refined.identity, info(scale=1, tta=2).identity}) == 3


def test_the_hash_is_of_the_file(file: Path) -> None:
    assert weights_hash(file) == hashlib.sha256(file.read_bytes()).hexdigest()
    assert len({weights_hash(name) for name in SHIPPED}) == len(SHIPPED)
    with pytest.raises(WeightsError, match=r"absent\.pth cannot be read"):
        weights_hash("absent.pth")


def test_a_trained_dpdnet_is_a_baseline_and_only_a_dpdnet(file: Path, pair: DualPixelPair) -> None:
    method = load_baseline("dpdnet", network=file, precision="float32")
    assert (method.name, method.info.kind) == ("dpdnet", "baseline")
    assert weights_hash(file) in method.info.identity
    assert method(pair).pixels.shape == pair.left.shape
    with pytest.raises(ConfigError, match="compact is no DPDNet"):
        load_baseline("dpdnet", network="compact")


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'magic'.*richardson-lucy"):
        load_baseline("magic")
    for name in ("single", "dpdnet", "spandrel"):
        with pytest.raises(ConfigError, match=f"{name} needs a network"):
            load_baseline(name)
    for name in ("wiener", "richardson-lucy"):
        with pytest.raises(ConfigError, match="blur_kernels_left"):
            load_baseline(name, calibration=tmp_path)
    assert {"none", "wiener", "richardson-lucy"} < set(BASELINES)


def test_rows_of_a_comparison(file: Path) -> None:
    rows = load_methods([str(file)], ["wiener", "none", "single"], tile=0)
    assert [row.name for row in rows] == ["none", "wiener", "single", "mine"]
    assert [row.info.kind for row in rows] == ["baseline"] * 3 + ["model"]
    assert [row.name for row in load_methods([], [str(file)])] == ["none", "dpdnet"]
    with pytest.raises(ConfigError, match="single needs a network"):
        load_methods([], ["single"])


@pytest.mark.parametrize("encoding", ["srgb", "linear"])
def test_a_foreign_network_of_three_channels_sees_the_mean(pair: DualPixelPair, encoding: str) -> None:
    dark = DualPixelPair(pair.left / 2, pair.right / 2, encoding)  # type: ignore[arg-type]
    mean = dark.combined.pixels
    descriptor = Descriptor(3)
    method = SpandrelMethod(descriptor, "foreign", "hash", device="cpu")
    np.testing.assert_allclose(method(dark).pixels, mean, atol=1e-6)
    shown = mean if encoding == "srgb" else linear_to_srgb(mean / mean.max())
    assert descriptor.seen[0].shape == (1, 3, 24, 32)
    np.testing.assert_allclose(descriptor.seen[0][0, :, :20, :27].permute(1, 2, 0), shown, atol=1e-6)
    assert (method.info.kind, method.info.parameters) == ("baseline", 12)


def test_one_of_six_channels_sees_left_then_right(pair: DualPixelPair) -> None:
    descriptor = Descriptor(6)
    picture = SpandrelMethod(descriptor, "foreign", "hash")(pair)
    np.testing.assert_allclose(picture.pixels, pair.right, atol=1e-6)
    np.testing.assert_allclose(descriptor.seen[0][0, :3, :20, :27].permute(1, 2, 0), pair.left, atol=1e-6)


@pytest.mark.parametrize("changes", [{"input_channels": 1}, {"output_channels": 1}, {"scale": 2}], ids=str)
def test_a_network_that_does_not_restore_pictures_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(WeightsError, match=r"odd\.pth turns"):
        SpandrelMethod(Descriptor(3, **changes), "odd", "hash", checkpoint="odd.pth")


def test_without_spandrel_the_error_names_the_remedy(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(
        ConfigError, match=r"need spandrel, .*pip install -c constraints\.txt '\.\[restorers\]'"
    ):
        SpandrelMethod.load(file)


def test_a_torchvision_of_another_torch_is_one_sentence(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> ModuleType:
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(spandrel_model, "import_module", fail)
    with pytest.raises(ConfigError, match=r"torchvision::nms .*the torchvision that fits your torch"):
        SpandrelMethod.load(file)


@pytest.mark.skipif(find_spec("spandrel") is None, reason="spandrel is not installed (extra: restorers)")
def test_a_file_of_the_real_library(tmp_path: Path, pair: DualPixelPair) -> None:
    """A tiny NAFNet drawn at random; it adds its last layer's output, which is zero, to what it sees."""
    spandrel_model._import_spandrel()
    from spandrel.architectures.NAFNet.__arch.NAFNet_arch import NAFNet

    network = NAFNet(img_channel=3, width=4, middle_blk_num=1, enc_blk_nums=[1, 1], dec_blk_nums=[1, 1])
    nn.init.zeros_(network.ending.weight)
    nn.init.zeros_(network.ending.bias)
    torch.save(network.state_dict(), tmp_path / "nafnet.pth")
    method = load_baseline("spandrel", network=tmp_path / "nafnet.pth", device="cpu")
    assert method.name == "nafnet"
    np.testing.assert_allclose(method(pair).pixels, pair.combined.pixels, atol=1e-5)
    (tmp_path / "noise.pth").write_bytes(b"noise")
    with pytest.raises(WeightsError, match=r"noise\.pth is no network that spandrel"):
        load_baseline("spandrel", network=tmp_path / "noise.pth")


def test_models_of_different_runs_have_different_rows() -> None:
    rows = [row_name(source) for source in ("compact", "own/mine.safetensors", "a/model.safetensors",
                                            "b/model.safetensors", "b/best.safetensors")]  # fmt: skip
    assert rows == ["compact", "mine", "a", "b", "b-best"]


def test_a_classical_method_has_the_identity_of_its_kernels_and_a_map(pair: DualPixelPair) -> None:
    method = load_baseline("wiener")
    assert (method.name, method.info.kind) == ("wiener", "baseline")
    assert "half-disc" in method.info.identity and "balance" in method.info.identity
    assert method.defocus_map(pair).shape == pair.left.shape[:2]
    assert method(pair).pixels.shape == pair.left.shape
