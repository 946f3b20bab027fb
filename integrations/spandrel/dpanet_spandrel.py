"""Let the library spandrel load dpanet's networks: import this module, then use its `ModelLoader` as for any model.

    import dpanet_spandrel
    from spandrel import ModelLoader

    model = ModelLoader().load_from_file("compact.safetensors")
    sharp = model(torch.cat([left, right], dim=1))  # (1, 6, H, W) -> (1, 3, H, W), display-encoded, 0 to 1

A pair is one image of six channels, the left view before the right one. A program that gives a model the three
channels of a photograph, as chaiNNer and most others do, cannot run it: it has no second view.

Spandrel hands over the tensors of a file without its metadata, so the config is told by the names and shapes of the
tensors: those of dpanet's presets and shipped models are known. For a network of another config use
`dpanet.load_model`, which reads it from the file.

Needs dpanet with the extra torch, and spandrel 0.4. Copy this file to where Python finds it. License: MIT, as dpanet.
"""

from collections.abc import Iterator
from typing import Any

from spandrel import (
    MAIN_REGISTRY,
    Architecture,
    ArchSupport,
    ImageModelDescriptor,
    ModelTiling,
    SizeRequirements,
)
from torch import Tensor

from dpanet.checkpoints.model_file import load_model
from dpanet.checkpoints.shipped_models import SHIPPED
from dpanet.network.base import Network
from dpanet.network.config import ModelConfig
from dpanet.network.families import FAMILIES
from dpanet.network.old_names import rename_parameters

Shapes = frozenset[tuple[str, tuple[int, ...]]]


class DpanetArchitecture(Architecture[Network]):
    """Any of dpanet's networks, told by the names and shapes of its parameters."""

    def __init__(self) -> None:
        super().__init__(id="dpanet", name="dpanet", detect=lambda state: _find(_shapes(state)) is not None)

    def load(self, state_dict: dict[str, Any]) -> ImageModelDescriptor[Network]:
        """Return the network with its weights, as spandrel describes networks."""
        found = _find(_shapes(state_dict))
        assert found is not None, "what is not detected is not loaded"
        family, config = found
        network = FAMILIES[family].network(config)
        description = network.description
        return ImageModelDescriptor(
            network,
            rename_parameters(state_dict),
            self,
            purpose="Restoration",
            tags=[config.name],
            supports_half=False,
            supports_bfloat16=False,  # `dpanet deblur` knows which networks lose nothing by it
            scale=1,
            input_channels=6,
            output_channels=3,
            size_requirements=SizeRequirements(multiple_of=description.multiple_of),
            tiling=ModelTiling.INTERNAL if description.whole_image else ModelTiling.SUPPORTED,
            call_fn=lambda model, pair: model(pair[:, :3], pair[:, 3:]),
        )


def _shapes(state_dict: dict[str, Any]) -> Shapes | None:
    """Return the names and shapes of parameters; None if the values are no tensors."""
    if not all(isinstance(value, Tensor) for value in state_dict.values()):
        return None
    return frozenset((name, tuple(value.shape)) for name, value in rename_parameters(state_dict).items())


def _find(shapes: Shapes | None) -> tuple[str, ModelConfig] | None:
    """Return family and config of the network whose parameters have these names and shapes; None if it is unknown."""
    while shapes is not None and shapes not in _known:
        network = next(_others, None)
        if network is None:
            return None
        _known.setdefault(_shapes(network.state_dict()), (network.family, network.config))
    return _known.get(shapes)


def _networks() -> Iterator[Network]:
    yield from (load_model(name) for name in SHIPPED)
    for family in FAMILIES.values():
        yield from (family.network(config) for config in family.presets.values())


_known: dict[Shapes | None, tuple[str, ModelConfig]] = {}
"""By the names and shapes of parameters."""

_others = _networks()
"""Those that are not among the known ones yet: building one takes up to two seconds."""

MAIN_REGISTRY.add(ArchSupport.from_architecture(DpanetArchitecture()), ignore_duplicates=True)
