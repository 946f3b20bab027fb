"""The engine of torch: a network on a device, in float32 or bfloat16."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from dpanet.engines.allocator import reuse_freed_memory
from dpanet.engines.placement import choose_device, choose_precision
from dpanet.network.description import Description
from dpanet.pair import Pixels


class Network(Protocol):
    """What a `TorchEngine` runs: a function of two (B, 3, H, W) tensors that describes itself."""

    @property
    def description(self) -> Description: ...

    def __call__(self, left: Tensor, right: Tensor) -> Tensor: ...


class _DefocusNetwork(Network, Protocol):
    """A network with `Description.has_defocus`."""

    def with_defocus(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]: ...


class TorchEngine:
    """Run a torch network on arrays; see `Engine`.

    Args:
        network: moved to the device; its training mode is restored after each run.
        device: as of `choose_device`.
        precision: as of `choose_precision`.
        threads: that compute on the CPU while the network runs; None leaves what torch chose.
        reuse_memory: on the CPU, run under `reuse_freed_memory`, which changes the allocator of this process.

    Raises:
        ConfigError: for an unknown device or precision, or a device that is missing.
    """

    name = "torch"
    version: str = torch.__version__
    model_source: str = ""
    """Name or path by which the model was loaded, for errors; empty for a network from memory."""
    parallel_calls: int = 1
    """Its threads scale well: calls side by side gain nothing."""

    def __init__(
        self,
        network: Network,
        *,
        device: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        reuse_memory: bool = False,
    ) -> None:
        self.network = network
        self._device = choose_device(device)
        self._precision = choose_precision(precision, self._device, network.description)
        self._reuse_memory = reuse_memory and self._device.type == "cpu"
        self._threads = threads
        if isinstance(network, nn.Module):
            network.to(self._device)
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in its stub

    @property
    def device(self) -> str:
        """Where the network runs, such as ``cpu`` or ``cuda:0``."""
        return str(self._device)

    @property
    def precision(self) -> str:
        """What the network computes in."""
        return str(self._precision).removeprefix("torch.")

    @property
    def family(self) -> str:
        """Kind of the network."""
        return str(getattr(self.network, "family", ""))

    @property
    def parameters(self) -> int | None:
        """Number of the network's parameters."""
        network = self.network
        return sum(p.numel() for p in network.parameters()) if isinstance(network, nn.Module) else None

    @property
    def description(self) -> Description:
        """Needs and capabilities of the network."""
        return self.network.description

    def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
        with torch_threads(self._threads), reuse_freed_memory() if self._reuse_memory else nullcontext():
            output = self._run(left, right, defocus)
        return output.copy() if self._reuse_memory else output  # the next run needs an empty heap

    def _run(self, left: Pixels, right: Pixels, defocus: bool) -> Pixels:
        views = [torch.from_numpy(np.ascontiguousarray(view)).to(self._device) for view in (left, right)]
        batch = [view.permute(2, 0, 1)[None] for view in views]  # a channels-last tensor without a copy
        mixed = self._precision == torch.bfloat16
        with (
            _evaluation_mode(self.network),
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=mixed),
        ):
            if defocus:
                picture, radius = cast(_DefocusNetwork, self.network).with_defocus(*batch)
                output = torch.cat((picture.float(), radius.float()), dim=1)
            else:
                output = self.network(*batch).float()
        result: Pixels = output[0].permute(1, 2, 0).cpu().numpy()
        return result


@contextmanager
def torch_threads(threads: int | None) -> Iterator[None]:
    """Let torch compute with so many threads in the `with` block; None changes nothing.

    torch keeps the number for each thread that calls it, so calls from several threads do not disturb each other.
    """
    if threads is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


_RUNS: dict[nn.Module, tuple[int, bool]] = {}
"""Networks that run now: how many threads run one, and whether it was in training before."""

_CHANGING_RUNS = threading.Lock()


@contextmanager
def _evaluation_mode(network: Network) -> Iterator[None]:
    """Switch a network to evaluation, and back after the last of the threads that run it."""
    if not isinstance(network, nn.Module):
        yield
        return
    with _CHANGING_RUNS:
        runs, training = _RUNS.get(network, (0, network.training))
        _RUNS[network] = runs + 1, training
        if network.training:
            network.eval()
    try:
        yield
    finally:
        with _CHANGING_RUNS:
            runs, training = _RUNS.pop(network)
            if runs > 1:
                _RUNS[network] = runs - 1, training
            elif training:
                network.train()
