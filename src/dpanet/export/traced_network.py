"""A network as an exporter traces it: two views in, the picture and, where there is one, the defocus map out."""

from __future__ import annotations

import hashlib
import math

import torch
from torch import Tensor, nn

from dpanet.checkpoints.exported_model import ExportedModel
from dpanet.network.base import Network
from dpanet.version import __version__


class TracedNetwork(nn.Module):
    """Return all outputs of a network.

    Args:
        network: in evaluation mode, float32, on the CPU.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        """Return the picture, (1, 3, H, W), and where there is one the signed blur radius, (1, 1, H, W)."""
        if self.network.description.has_defocus:
            return self.network.with_defocus(left, right)
        return (self.network(left, right),)

    @property
    def outputs(self) -> list[str]:
        """Names of what `forward` returns."""
        return ["picture", "radius"] if self.network.description.has_defocus else ["picture"]


def describe_network(network: Network) -> ExportedModel:
    """Return what a file exported from a network says of it, in float32."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().to("cpu", torch.float32).contiguous().numpy().tobytes())
    return ExportedModel(
        name=network.config.name,
        family=network.family,
        config=network.config.to_dict(),
        description=network.description,
        precision="float32",
        weights=digest.hexdigest(),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        version=__version__,
    )


def example_views(multiple_of: int) -> list[Tensor]:
    """Return two views of noise, (1, 3, H, W), 0..1, whose sides are different multiples, at least 48 px."""
    random = torch.Generator().manual_seed(0)
    least = math.ceil(48 / multiple_of)
    shape = (1, 3, max(3, least) * multiple_of, max(4, least + 1) * multiple_of)
    return [torch.rand(shape, generator=random) for _ in range(2)]
