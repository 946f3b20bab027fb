"""Write a network as a TorchScript file, for programs that load models by torch alone, from C++ or Python."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dpanet.checkpoints.exported_model import KEY
from dpanet.export.traced_network import TracedNetwork, describe_network, example_views
from dpanet.network.base import Network
from dpanet.network.ops.exported import exporting
from dpanet.pair import Pixels


def write_torchscript(network: Network, path: Path) -> None:
    """Write a network as a TorchScript file of any height and width, computing in float32.

    ``torch.jit.load(path)(left, right)`` returns a tuple: the picture and, where the network has one, the signed blur
    radius. The sides of the views must be multiples of `Description.multiple_of`. The extra file ``dpanet`` in it is
    the JSON of an `ExportedModel`.

    Args:
        network: in evaluation mode, on the CPU.
        path: of the file; an older one is replaced.
    """
    traced = TracedNetwork(network).eval()
    with exporting("plain"), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that sizes are compared: they are multiples
        script = torch.jit.trace(  # type: ignore[no-untyped-call]
            traced, tuple(example_views(network.description.multiple_of)), check_trace=False
        )
        torch.jit.save(script, str(path), _extra_files={KEY: describe_network(network).to_json()})


def run_torchscript(path: Path, left: Pixels, right: Pixels) -> NDArray[np.float32]:
    """Run a TorchScript file on two views (H, W, 3); return (H, W, 3), or (H, W, 4) with the defocus map."""
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = torch.jit.load(str(path))  # type: ignore[no-untyped-call]
        views = [torch.from_numpy(view).permute(2, 0, 1)[None] for view in (left, right)]
        outputs = torch.cat(script(*views), dim=1)
    result: NDArray[np.float32] = outputs[0].permute(1, 2, 0).numpy()
    return result
