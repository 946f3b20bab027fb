"""Convolutions by torch."""

from __future__ import annotations

from collections.abc import Callable

import torch

from dpanet.engines.torch_engine import torch_threads


def prepare_torch(
    layers: int, channels: int, side: int, precision: str, threads: int
) -> Callable[[], object]:
    """Return a function that runs 3 x 3 convolutions, channels last, on the processor."""
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]
    network = torch.nn.Sequential(
        *(torch.nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(layers))
    ).to(dtype)
    for weight in network.parameters():
        weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    x = torch.ones(1, channels, side, side, dtype=dtype).to(memory_format=torch.channels_last)

    def run() -> None:
        with torch_threads(threads), torch.inference_mode():
            network(x)

    return run
