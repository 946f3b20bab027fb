"""The kernels of a calibration, as Xin et al. (ICCV 2021) publish them: two arrays in a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ConfigError

GRIDS = {1: (1, 1), 48: (6, 8)}
"""Rows and columns of the known grids of cells, by the number of cells."""


def kernel_files(folder: Path) -> tuple[Path, Path]:
    """Return the files of both views' kernels."""
    return folder / "blur_kernels_left.npy", folder / "blur_kernels_right.npy"


def read_kernels(folder: Path) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """Read `blur_kernels_left.npy` and `blur_kernels_right.npy` of a folder.

    Raises: ConfigError if one is missing or is no array.
    """
    try:
        left, right = (np.load(file, allow_pickle=False) for file in kernel_files(folder))
    except FileNotFoundError as error:
        raise ConfigError(
            f"{error.filename} is missing; name a folder with blur_kernels_left.npy and blur_kernels_right.npy"
        ) from error
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{folder} holds no readable blur_kernels_left.npy and blur_kernels_right.npy ({error}); "
            "name the folder of a calibration"
        ) from error
    return left, right


def check_kernels(name: str, kernels: NDArray[np.generic]) -> None:
    """Check that each kernel (cells, K, K) is finite, nowhere negative, and not dark.

    Raises: ConfigError naming the first one that is not.
    """
    if kernels.dtype.kind not in "fiu":
        raise ConfigError(
            f"{name} holds {kernels.dtype} where numbers are needed; save the kernels as float32"
        )
    values = kernels.astype(np.float64)
    for wrong, value in (
        (~np.isfinite(values).all((-1, -2)), "a value that is not finite"),
        ((values < 0).any((-1, -2)), "a negative value"),
        (~(values > 0).any((-1, -2)), "no light at all"),
    ):
        if wrong.any():
            raise ConfigError(
                f"{name} has {value} in cell {int(wrong.argmax())}, counted from 0; a kernel is finite, nowhere "
                "negative and above zero somewhere, so mend or measure it again"
            )
