"""Kernel families: models of how a lens blurs, each over blur scales, shapes and the field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from dpanet.deconvolution.lens import search_scales
from dpanet.simulation.butterworth import CUTOFFS, FLOORS, ORDERS, Ring, butterworth
from dpanet.simulation.kernels import SIZE, RampedDisc, ramped_disc
from dpanet.simulation.measured_kernels import MeasuredKernels

Place = tuple[float, float]
"""(y, x) in the field, each 0..1 from its top left corner."""

RADII = tuple(float(radius) for radius in np.linspace(-22, 22, 45))
"""Signed blur radii in px, a pixel apart, at which ideal lenses are tried first."""


class KernelFamily(Protocol):
    """Kernel pairs for each place of the field, signed blur scale and shape."""

    @property
    def name(self) -> str:
        """Name in tables and files."""
        ...

    @property
    def scales(self) -> tuple[float, ...]:
        """Scales that are tried first, rising, evenly spaced."""
        ...

    @property
    def shapes(self) -> tuple[dict[str, float], ...]:
        """Parameters of each shape by name; the first shape is tried first."""
        ...

    def kernels(self, place: Place, scales: Sequence[float], shape: int) -> Tensor:
        """Return kernel pairs at N scales: (N, 2, SIZE, SIZE), each kernel summing to 1.

        Args:
            place: position in the field.
            scales: of any value within the range of `scales`.
            shape: index into `shapes`.
        """
        ...

    def regions(self, rows: Tensor, columns: Tensor) -> Iterator[tuple[Place, Tensor]]:
        """Yield the places whose kernels blur these pixels, and the weight of each place at each pixel.

        Args:   rows, columns: (h,) and (w,), the y and x of the pixels in the field, 0..1.
        Yields: a place and its weights (h, w); the weights of all places sum to 1.
        """
        ...


class _UniformFamily:
    """A lens that is the same over the whole field."""

    def regions(self, rows: Tensor, columns: Tensor) -> Iterator[tuple[Place, Tensor]]:
        yield (0.5, 0.5), torch.ones(len(rows), len(columns))


class NoBlur(_UniformFamily):
    """No blur: the error that the truth itself leaves."""

    name = "no blur"
    scales: tuple[float, ...] = (0.0,)
    shapes: tuple[dict[str, Any], ...] = ({},)

    def kernels(self, place: Place, scales: Sequence[float], shape: int) -> Tensor:
        kernels = torch.zeros(len(scales), 2, SIZE, SIZE)
        kernels[..., SIZE // 2, SIZE // 2] = 1
        return kernels


class GaussianFamily(_UniformFamily):
    """The same Gaussian in both views, moved apart; the scale is the radius of the disc of its variance, px.

    `slope` is that of the ramp that moves the centroids as far: each by slope * radius / 4.
    """

    name = "Gaussian"
    scales = RADII
    shapes: tuple[dict[str, Any], ...] = tuple({"slope": slope} for slope in (0.6, 0.3, 1.0, 1.5, 2.0))

    def kernels(self, place: Place, scales: Sequence[float], shape: int) -> Tensor:
        line = torch.arange(SIZE) - SIZE // 2
        pairs = []
        for radius in scales:
            sigma = max(abs(radius) / 2, 0.3)
            down = torch.exp(-0.5 * (line / sigma) ** 2)
            move = self.shapes[shape]["slope"] * radius / 4
            across = (torch.exp(-0.5 * ((line - x) / sigma) ** 2) for x in (-move, move))
            pairs.append(torch.stack([down[:, None] * one for one in across]))
        kernels = torch.stack(pairs)
        return kernels / kernels.sum((-1, -2), keepdim=True)


class HalvedDiscFamily(_UniformFamily):
    """Discs of which each view sees exactly one half, the limit of a steep ramp; the scale is the radius in px."""

    name = "halved disc"
    scales = RADII
    shapes: tuple[dict[str, Any], ...] = ({"rim": 0.0}, {"rim": -0.4}, {"rim": 0.5})

    def kernels(self, place: Place, scales: Sequence[float], shape: int) -> Tensor:
        return ramped_disc([RampedDisc(radius, 0.02, edge=1.2, **self.shapes[shape]) for radius in scales])


class RampedDiscFamily(_UniformFamily):
    """Discs with a ramp, disc * (1 - slope * x / radius), not below 0; the scale is the radius in px."""

    name = "ramped disc"
    scales = RADII
    shapes: tuple[dict[str, Any], ...] = tuple(
        {"slope": slope, "rim": rim}
        for slope, rim in product((0.8, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9, 1.1, 1.4, 2.0, 3.0), (0.0, -0.4, 0.5))
    )

    def kernels(self, place: Place, scales: Sequence[float], shape: int) -> Tensor:
        slope, rim = self.shapes[shape].values()
        return ramped_disc([RampedDisc(radius, 1 / slope, rim, edge=1.2) for radius in scales])


class ButterworthFamily(_UniformFamily):
    """The twelve Butterworth rings; the scale is the radius in px."""

    name = "Butterworth"
    scales = RADII
    shapes: tuple[dict[str, Any], ...] = tuple(
        {"order": order, "cutoff": cutoff, "floor": floor}
        for order, cutoff, floor in product(ORDERS, CUTOFFS, FLOORS)
    )

    def kernels(self, place: Place, scales: Sequence[float], shape: int) -> Tensor:
        order, cutoff, floor = self.shapes[shape].values()
        return butterworth([Ring(radius, int(order), cutoff, floor) for radius in scales])


class MeasuredFamily:
    """A calibrated lens: kernels interpolated between the cells of its grid; scale 1 is as measured.

    Raises: ConfigError for a calibration whose grid is not known.
    """

    name = "measured"
    shapes: tuple[dict[str, Any], ...] = ({},)

    def __init__(self, lens: MeasuredKernels) -> None:
        self.lens = lens
        self.scales = search_scales(lens)
        lens.cell_weights([(0.5, 0.5)])  # raises for an unknown grid before any fit begins

    def kernels(self, place: Place, scales: Sequence[float], shape: int) -> Tensor:
        weights = self.lens.cell_weights([place])[0]
        cells = [int(cell) for cell in weights.nonzero()[:, 0]]
        count = len(scales)
        pairs = self.lens.at([cell for cell in cells for _ in scales], [*scales] * len(cells))
        by_cell = pairs.reshape(len(cells), count, 2, SIZE, SIZE)
        return (weights[cells].reshape(-1, 1, 1, 1, 1) * by_cell).sum(0)

    def regions(self, rows: Tensor, columns: Tensor) -> Iterator[tuple[Place, Tensor]]:
        assert self.lens.grid is not None
        down, across = self.lens.grid
        weights = self.lens.cell_weights(torch.cartesian_prod(rows, columns))
        for cell in weights.amax(0).nonzero()[:, 0].tolist():
            row, column = divmod(cell, across)
            place = ((row + 0.5) / down, (column + 0.5) / across)
            yield place, weights[:, cell].reshape(len(rows), len(columns))
