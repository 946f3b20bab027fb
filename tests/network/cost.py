"""What a preset costs."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from dpanet.network import build


def macs(name: str) -> float:
    """Multiply-adds a pixel of convolutions and matrix products."""
    network = build(name).eval()
    view = torch.rand(1, 3, 64, 64)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(view, view)
    return counter.get_total_flops() / 2 / view[0, 0].numel()
