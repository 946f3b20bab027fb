"""Families of kernels that may explain how a lens blurred a picture, each over scales, shapes and the field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from dpanet.deconvolution.lens import scales_of
from dpanet.simulation.butterworth import CUTOFFS, FLOORS, ORDERS, Ring, butterworth
from dpanet.simulation.kernels import SIZE, HalfDisc, MeasuredKernels, half_disc

Place = tuple[float, float]
"""(y, x) in the field, each 0..1 from its top left corner."""

RADII = tuple(float(radius) for radius in np.linspace(-22, 22, 45))
"""Signed blur radii in px, a pixel apart, at which ideal lenses are tried first."""


class Family(Protocol):
    """Kernel pairs at a place of the field, a signed scale and a shape.

    name: as tables call it. scales: tried first, rising, evenly spaced. shapes: their parameters by name; the first
    is tried first.
    """

    @property
    def name(self) -> str: ...

    @property
    def scales(self) -> tuple[float, ...]: ...

    @property
    def shapes(self) -> tuple[dict[str, float], ...]: ...

    def kernels(self, place: Place, scales: Sequence[float], shape: int) -> Tensor:
        """(N, 2, SIZE, SIZE), each summing to 1; a scale of any size within `scales`."""
        ...

    def parts(self, rows: Tensor, columns: Tensor) -> Iterator[tuple[Place, Tensor]]:
        """Where in the field the kernels for these pixels come from, and each one's share of each pixel.

        Args:   rows, columns: (h,) and (w,), the y and x of the pixels in the field, 0..1.
        Yields: a place and its shares (h, w); the shares of all places sum to 1.
        """
        ...


class _Even:
    """A lens that is the same all over the field."""

    def parts(self, rows: Tensor, columns: Tensor) -> Iterator[tuple[Place, Tensor]]:
        yield (0.5, 0.5), torch.ones(len(rows), len(columns))


class Point(_Even):
    """No blur at all: what the truth itself explains."""

    name = "no blur"
    scales: tuple[float, ...] = (0.0,)
    shapes: tuple[dict[str, Any], ...] = ({},)

    def kernels(self, place: Place, scales: Sequence[float], shape: int) -> Tensor:
        kernels = torch.zeros(len(scales), 2, SIZE, SIZE)
        kernels[..., SIZE // 2, SIZE // 2] = 1
        return kernels


class HalfDiscs(_Even):
    """Half discs, scaled by their radius in px; softness and rim span what the simulator draws."""

    name = "half disc"
    scales = RADII
    shapes: tuple[dict[str, Any], ...] = tuple(
        {"softness": softness, "rim": rim} for softness, rim in product((0.8, 0.3, 1.6), (0.0, -0.4, 0.5))
    )

    def kernels(self, place: Place, scales: Sequence[float], shape: int) -> Tensor:
        return half_disc([HalfDisc(radius, edge=1.2, **self.shapes[shape]) for radius in scales])


class Rings(_Even):
    """The twelve Butterworth rings, scaled by their radius in px."""

    name = "Butterworth"
    scales = RADII
    shapes: tuple[dict[str, Any], ...] = tuple(
        {"order": order, "cutoff": cutoff, "floor": floor}
        for order, cutoff, floor in product(ORDERS, CUTOFFS, FLOORS)
    )

    def kernels(self, place: Place, scales: Sequence[float], shape: int) -> Tensor:
        order, cutoff, floor = self.shapes[shape].values()
        return butterworth([Ring(radius, int(order), cutoff, floor) for radius in scales])


class Measured:
    """A calibrated lens: kernels between the cells of its grid, scaled against the calibration's."""

    name = "measured"
    shapes: tuple[dict[str, Any], ...] = ({},)

    def __init__(self, lens: MeasuredKernels) -> None:
        self.lens = lens
        self.scales = scales_of(lens)
        lens.shares([(0.5, 0.5)])  # so that a calibration without a known grid is told at once

    def kernels(self, place: Place, scales: Sequence[float], shape: int) -> Tensor:
        shares = self.lens.cell_weights([place])[0]
        cells = [int(cell) for cell in shares.nonzero()[:, 0]]
        count = len(scales)
        pairs = self.lens.at([cell for cell in cells for _ in scales], [*scales] * len(cells))
        every = pairs.reshape(len(cells), count, 2, SIZE, SIZE)
        return (shares[cells].reshape(-1, 1, 1, 1, 1) * every).sum(0)

    def parts(self, rows: Tensor, columns: Tensor) -> Iterator[tuple[Place, Tensor]]:
        assert self.lens.grid is not None
        down, across = self.lens.grid
        shares = self.lens.cell_weights(torch.cartesian_prod(rows, columns))
        for cell in shares.amax(0).nonzero()[:, 0].tolist():
            row, column = divmod(cell, across)
            place = ((row + 0.5) / down, (column + 0.5) / across)
            yield place, shares[:, cell].reshape(len(rows), len(columns))
