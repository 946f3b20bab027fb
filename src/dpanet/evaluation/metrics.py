"""How far a picture is from its truth: three metrics, each a pure function of two arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import ConfigError, PairError, ShapeError
from dpanet.extras import named_extra

_UNIFORM_WINDOW = 7
_GAUSSIAN_SIGMA = 1.5
_GAUSSIAN_WINDOW = 11


def psnr(output: NDArray[Any], truth: NDArray[Any], *, data_range: float) -> float:
    """Return the peak signal-to-noise ratio over all pixels and channels together.

    Args:
        output: Picture to be scored, (H, W, C), any type, any scale.
        truth: The perfect picture, of the same shape and scale.
        data_range: The value of white, above 0.

    Returns:
        10 log10(data_range**2 / mean squared error) in dB; infinity for a perfect picture.

    Raises:
        ShapeError: If the shapes differ.
        PairError: If a pixel is NaN or infinite.
        ConfigError: If `data_range` is not above 0.

    >>> import numpy as np
    >>> from dpanet.evaluation import psnr
    >>> truth = np.zeros((16, 16, 3), np.float32)
    >>> round(psnr(truth + 0.1, truth, data_range=1.0), 3)
    20.0
    """
    output, truth = _checked(output, truth)
    error = float(np.mean((output - truth) ** 2))
    return math.inf if error == 0 else 10 * math.log10(_checked_range(data_range) ** 2 / error)


def ssim(output: NDArray[Any], truth: NDArray[Any], *, data_range: float, gaussian: bool = False) -> float:
    """Return the structural similarity: the mean over pixels and channels, each channel by itself.

    Args:
        output: Picture to be scored, (H, W, C), any type, any scale; at least 7 px a side (11 with `gaussian`).
        truth: The perfect picture, of the same shape and scale.
        data_range: The value of white, above 0.
        gaussian: False for scikit-image's default, a uniform 7 x 7 window with the sample covariance, which the
            published dual-pixel figures use; True for the weights of the original paper, sigma 1.5 px in 11 x 11.

    Returns:
        -1..1; 1 for a perfect picture.

    Raises:
        ShapeError: If the shapes differ or are too small.
        PairError: If a pixel is NaN or infinite.
        ConfigError: If `data_range` is not above 0.
        MissingPackageError: If scikit-image is not installed.

    Source:
        Wang et al. 2004; scikit-image `structural_similarity`.

    >>> import numpy as np
    >>> from dpanet.evaluation import ssim
    >>> truth = np.random.default_rng(0).random((16, 16, 3))
    >>> ssim(truth, truth, data_range=1.0)
    1.0
    >>> 0 < ssim(truth * 0.5, truth, data_range=1.0) < 1
    True
    """
    with named_extra("dpanet.ssim"):
        from skimage.metrics import structural_similarity

    output, truth = _checked(output, truth)
    window = _GAUSSIAN_WINDOW if gaussian else _UNIFORM_WINDOW
    if min(output.shape[:2]) < window:
        raise ShapeError(
            f"the pictures are {output.shape[1]} x {output.shape[0]} px; SSIM needs {window} px a side, "
            "so give larger ones"
        )
    weights: dict[str, Any] = {"win_size": _UNIFORM_WINDOW}
    if gaussian:
        weights = {"gaussian_weights": True, "sigma": _GAUSSIAN_SIGMA, "use_sample_covariance": False}
    similarity = structural_similarity(
        truth, output, data_range=_checked_range(data_range), channel_axis=2, **weights
    )
    return float(similarity)


def mae(output: NDArray[Any], truth: NDArray[Any]) -> float:
    """Return the mean absolute error over all pixels and channels, in the pictures' own scale.

    Args:
        output: Picture to be scored, (H, W, C), any type, any scale.
        truth: The perfect picture, of the same shape and scale.

    Returns:
        0 and above; 0 for a perfect picture.

    Raises:
        ShapeError: If the shapes differ.
        PairError: If a pixel is NaN or infinite.

    >>> import numpy as np
    >>> from dpanet.evaluation import mae
    >>> truth = np.zeros((16, 16, 3), np.uint8)
    >>> mae(truth + 2, truth)
    2.0
    """
    output, truth = _checked(output, truth)
    return float(np.mean(np.abs(output - truth)))


def _checked(output: NDArray[Any], truth: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both pictures in float64, so that no figure depends on the order of a sum."""
    if output.shape != truth.shape or output.ndim != 3 or output.size == 0:
        raise ShapeError(
            f"the output has shape {output.shape} and the truth {truth.shape}; both must be height x width x "
            "channels of one size, so give the two pictures of one scene"
        )
    for pixels, name in ((output, "output"), (truth, "truth")):
        if not np.isfinite(pixels).all():
            raise PairError(
                f"the {name} contains NaN or infinity; such a picture has no score, so find its origin"
            )
    return output.astype(np.float64), truth.astype(np.float64)


def _checked_range(data_range: float) -> float:
    if not (math.isfinite(data_range) and data_range > 0):
        raise ConfigError(f"data_range is {data_range}; it is the value of white, so give a number above 0")
    return float(data_range)
