"""The networks as spandrel loads them; a stand-in has what is used of spandrel 0.4.2, which needs torchvision."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from enum import Enum, auto
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from dpanet import load_model, save_model
from dpanet.checkpoints.shipped_models import SHIPPED, shipped_file
from dpanet.network.families import build

MODULE = Path(__file__).parents[2] / "integrations/spandrel/dpanet_spandrel.py"

T = TypeVar("T")


class Architecture(Generic[T]):
    def __init__(self, *, id: str, detect: Callable[[dict[str, Any]], bool], name: str) -> None:
        self.id, self.name, self.detect = id, name, detect


class Tiling(Enum):
    SUPPORTED = auto()
    INTERNAL = auto()


class Descriptor(Generic[T]):
    def __init__(
        self, model: nn.Module, state_dict: dict[str, Any], architecture: Any, **values: Any
    ) -> None:
        model.load_state_dict(state_dict)
        self.model, self.values = model, values
        names = "purpose tags supports_half supports_bfloat16 scale input_channels output_channels"
        assert set(values) == {*names.split(), "size_requirements", "tiling", "call_fn"}


@pytest.fixture(scope="module")
def architecture() -> Iterator[Any]:
    added: list[Any] = []

    class Registry:
        def add(self, *supports: Any, ignore_duplicates: bool) -> None:
            added.extend(supports)

    class Support:
        @staticmethod
        def from_architecture(architecture: Any) -> Any:
            return architecture

    spandrel = ModuleType("spandrel")
    vars(spandrel).update(
        MAIN_REGISTRY=Registry(),
        Architecture=Architecture,
        ArchSupport=Support,
        ImageModelDescriptor=Descriptor,
        ModelTiling=Tiling,
        SizeRequirements=dict,
    )
    spec = importlib.util.spec_from_file_location("dpanet_spandrel", MODULE)
    assert spec is not None and spec.loader is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "spandrel", spandrel)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    yield added[0]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_are_recognized_and_run(architecture: Any, name: str) -> None:
    state = load_file(str(shipped_file(name)))
    assert architecture.detect(state)
    descriptor = architecture.load(state)
    network = load_model(name)
    views = torch.rand(2, 1, 3, 32, 64)
    with torch.inference_mode():
        expected = network(*views)
        values = descriptor.values["call_fn"](descriptor.model.eval(), torch.cat([*views], dim=1))
    torch.testing.assert_close(values, expected, rtol=0, atol=0)
    assert descriptor.values["size_requirements"] == {"multiple_of": network.description.multiple_of}
    assert descriptor.values["tiling"] is Tiling.SUPPORTED
    assert (descriptor.values["input_channels"], descriptor.values["output_channels"]) == (6, 3)


def test_a_preset_in_a_file(architecture: Any, tmp_path: Path) -> None:
    network = build("unet-compact")
    save_model(network, tmp_path / "a.safetensors")
    state = load_file(tmp_path / "a.safetensors")
    assert architecture.detect(state)
    descriptor = architecture.load(state)
    assert type(descriptor.model) is type(network) and descriptor.values["tags"] == ["unet-compact"]


def test_files_of_others_are_not_taken(architecture: Any) -> None:
    state = load_file(str(shipped_file("nano")))
    name = next(iter(state))
    assert not architecture.detect({**state, name: state[name][:1]})
    assert not architecture.detect({other: tensor for other, tensor in state.items() if other != name})
    assert not architecture.detect({"epoch": 3, "state": None})


def test_the_order_of_the_views_matters(architecture: Any) -> None:
    descriptor = architecture.load(load_file(str(shipped_file("nano"))))
    pair = torch.rand(1, 6, 32, 32)
    with torch.inference_mode():
        run = descriptor.values["call_fn"]
        assert (run(descriptor.model, pair) - run(descriptor.model, pair.roll(3, dims=1))).abs().max() > 0.01
