"""Compare the Pixel 4's fitted kernels with the measured ones on real captures.

python benchmarks/fitted_lens.py CAPTURES [--calibration FOLDER] [--every 5]

As `dpanet check-fidelity`: the truth, blurred at the best scale in each cell of 168 px, against the views. Prints for
each scene the median PSNR over the cells in dB, and the mean difference.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dpanet.datasets import open_dataset
from dpanet.deconvolution.blur_families import MeasuredFamily
from dpanet.fidelity.check import CellFidelity, CellGrid, check_scene
from dpanet.fidelity.results import to_psnr
from dpanet.simulation.measured_kernels import MeasuredKernels


class FittedFamily(MeasuredFamily):
    """The fitted kernels, in the same cells as the measured ones."""

    name = "pixel4"


def show(title: str, cells: Sequence[CellFidelity]) -> None:
    """Print one row of the table."""
    fitted, measured = (
        np.array([to_psnr(cell.fits[name].error) for cell in cells]) for name in ("pixel4", "measured")
    )
    difference = fitted - measured
    print(
        f"{title:10}{len(cells):6}{np.median(measured):10.2f}{np.median(fitted):10.2f}{difference.mean():+12.3f}"
        f"{difference.min():+9.2f}{difference.max():+9.2f}",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("captures", type=Path)
    parser.add_argument("--calibration", type=Path)
    parser.add_argument("--every", type=int, default=5, help="take every N-th cell")
    options = parser.parse_args()
    calibration = options.calibration or options.captures / "calibration"
    # The measured kernels come last, so that they refine the registration, as in `check-fidelity`.
    families = (FittedFamily(MeasuredKernels.of_pixel4()), MeasuredFamily(MeasuredKernels.read(calibration)))
    print(f"{'':10}{'cells':>6}{'measured':>10}{'pixel4':>10}{'difference':>12}{'least':>9}{'most':>9}")
    every: list[CellFidelity] = []
    for scene in open_dataset(options.captures, "pixel4").scenes:
        cells = check_scene(scene.load(), families, CellGrid(every=options.every)).cells
        show(scene.name, cells)
        every.extend(cells)
    show("all cells", every)


if __name__ == "__main__":
    main()
