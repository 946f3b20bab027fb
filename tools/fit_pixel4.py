"""Fit the parameters of `dpanet.lenses.pixel4` to the calibration of Xin et al. (ICCV 2021).

python tools/fit_pixel4.py CALIBRATION [-o src/dpanet/lenses/pixel4_parameters.py]

CALIBRATION holds blur_kernels_left.npy and blur_kernels_right.npy. Levenberg and Marquardt's method on the difference
of model and measured kernels, about their common centroid; a frequency f (cycles a px) weighs
1 / (f**2 + .06**2) + 2, as the power of pictures falls. Takes some minutes of one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpanet.lenses.field_model import FieldModel
from dpanet.lenses.measured_grid import MeasuredGrid
from dpanet.lenses.resizing import common_centroid

Array = NDArray[np.float64]
Exponents = tuple[tuple[int, ...], ...]

HALF = 21
"""Pixels on each side of the middle that are fitted."""

SIDE = 64
"""Size of the Fourier transforms."""

ROUNDS = 14


def round_terms(degree: int, in_kernel: int) -> Exponents:
    """Return the exponents of s, q, t up to a degree in p and F together, and one in p, from 1."""
    return tuple(
        (a, b, c)
        for a, b, c in product(range(degree + 1), repeat=3)
        if 1 <= 2 * a + b <= in_kernel and 2 * (a + b + c) <= degree
    )


def mirrored_terms(in_kernel: int, in_field: int, degree: int) -> Exponents:
    """Return the exponents of p's and F's coordinates that change sign with x and keep it with y."""
    return tuple(
        (i, j, k, m)
        for i, j, k, m in product(range(degree + 1), repeat=4)
        if i + j <= in_kernel and k + m <= in_field and i + j + k + m <= degree
        if (i + k) % 2 == 1 and (j + m) % 2 == 0
    )


class Layout:
    """Which numbers a model has, and their order in one vector."""

    def __init__(self, outline: Exponents, brightness: Exponents, division: Exponents) -> None:
        self.terms = {"outline": outline, "brightness": brightness, "division": division}

    def model(self, vector: Array) -> FieldModel:
        """Return the model with these numbers."""
        values = [float(value) for value in vector]
        tables, at = {}, 8
        for name, terms in self.terms.items():
            tables[name] = dict(zip(terms, values[at : at + len(terms)], strict=True))
            at += len(terms)
        softness = (values[4], values[5], values[6], values[7])
        return FieldModel(
            (1.2, 1.6), (values[0], values[1]), (values[2], values[3]), softness=softness, **tables
        )

    def vector(self, model: FieldModel) -> Array:
        """Return the numbers of a model; those that it lacks are 0."""
        tables = [getattr(model, name).get(term, 0.0) for name, terms in self.terms.items() for term in terms]
        return np.array([*model.lens_axis, *model.sensor_axis, *model.softness, *tables])


START = FieldModel((1.2, 1.6), (0.1, 0), (0, 0), (3, 0.1, 0, 0), {(1, 0, 0): 1.0}, {}, {(1, 0, 0, 0): -1.5})
"""A round disc with a soft border and a ramp."""


def fit(
    layout: Layout, start: FieldModel, predict: Callable[[FieldModel], Array], measured: Array
) -> FieldModel:
    """Fit the numbers of `layout`, from those of `start` on."""
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE))
    weight = np.sqrt(1 / (frequency**2 + 0.06**2) + 2)

    def weighted(kernels: Array) -> NDArray[np.float32]:
        spectrum = (np.fft.rfft2(kernels, s=(SIDE, SIDE)) * weight).astype(np.complex64)
        return np.asarray(spectrum.ravel().view(np.float32))

    norm = float((weighted(measured) ** 2).sum())
    vector, damping = layout.vector(start), 1e-2
    kernels = predict(layout.model(vector))
    rest = weighted(measured - kernels)
    for _ in range(ROUNDS):
        slopes = np.empty((len(vector), rest.size), np.float32)
        for number in range(len(vector)):
            moved = vector.copy()
            moved[number] += 1e-5
            slopes[number] = weighted((predict(layout.model(moved)) - kernels) / 1e-5)
        normal = (slopes @ slopes.T).astype(np.float64)
        gradient = (slopes @ rest).astype(np.float64)
        scale = np.diag(np.diag(normal)) + 1e-12 * norm * np.eye(len(vector))
        before = float((rest**2).sum())
        for _ in range(8):
            step = np.linalg.solve(normal + damping * scale + 1e-7 * norm * np.eye(len(vector)), gradient)
            tried = predict(layout.model(vector + step))
            after = weighted(measured - tried)
            if float((after**2).sum()) < before:
                break
            damping *= 5
        else:
            break
        vector, kernels, rest, damping = vector + step, tried, after, max(damping / 4, 1e-7)
        gain = 1 - float((rest**2).sum()) / before
        print(
            f"{len(vector)} numbers: {float((rest**2).sum()) / norm:.6f} of the weighted power left",
            flush=True,
        )
        if gain < 1e-3:
            break
    left = float(((kernels - measured) ** 2).sum() / (measured**2).sum())
    print(f"{len(vector)} numbers: {left:.5f} of the kernels' power left")
    return layout.model(vector)


def source(model: FieldModel) -> str:
    """Return the module that holds the model."""

    def pair(values: tuple[float, ...]) -> str:
        return "(" + ", ".join(f"{value:.5g}" for value in values) + ")"

    text = (
        '"""The Pixel 4\'s lens, fitted to the calibration of Xin et al. (ICCV 2021) by tools/fit_pixel4.py."""\n\n'
        "from dpanet.lenses.field_model import FieldModel\n\nPIXEL4 = FieldModel(\n"
    )
    for name in ("size", "lens_axis", "sensor_axis", "softness"):
        text += f"    {name}={pair(getattr(model, name))},\n"
    for name in ("outline", "brightness", "division"):
        rows = "".join(f"        {term}: {value:.5g},\n" for term, value in getattr(model, name).items())
        text += f"    {name}={{\n{rows}    }},\n"
    return text + ")\n"


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("calibration", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    grid = MeasuredGrid.read(options.calibration)
    rows, columns = grid.grid
    middle = grid.pairs.shape[-1] // 2
    measured = grid.pairs[:, :, middle - HALF : middle + HALF + 1, middle - HALF : middle + HALF + 1]
    x, y = common_centroid(grid.pairs)
    line = np.arange(-HALF, HALF + 1.0)
    down = np.broadcast_to((line - y[:, None])[:, :, None], (len(y), len(line), len(line)))
    right = np.broadcast_to((line - x[:, None])[:, None, :], down.shape)
    row, column = np.divmod(np.arange(len(y)), columns)

    def predict(model: FieldModel) -> Array:
        return model.pairs((row + 0.5) / rows, (column + 0.5) / columns, down, right)

    model = START
    for layout in (Layout(round_terms(4, 4), round_terms(6, 4), mirrored_terms(2, 3, 4)),):
        model = fit(layout, model, predict, measured)
    if options.output is None:
        print(source(model))
    else:
        options.output.write_text(source(model))


if __name__ == "__main__":
    main()
