"""LPIPS: a perceptual distance of two pictures, from the features of a network."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from dpanet.errors import ShapeError, WeightsError
from dpanet.evaluation.metrics import psnr

SMALLEST = 31
"""Least side of a picture in px; below, nothing is left after the second pooling."""

_CONVOLUTIONS = (
    # name in the file, stride, padding, whether pooled before, shape of the weights
    ("net.slice1.0", 4, 2, False, (64, 3, 11, 11)),
    ("net.slice2.3", 1, 2, True, (192, 64, 5, 5)),
    ("net.slice3.6", 1, 1, True, (384, 192, 3, 3)),
    ("net.slice4.8", 1, 1, False, (256, 384, 3, 3)),
    ("net.slice5.10", 1, 1, False, (256, 256, 3, 3)),
)
_SHAPES: dict[str, tuple[int, ...]] = {
    "scaling_layer.shift": (1, 3, 1, 1),
    "scaling_layer.scale": (1, 3, 1, 1),
    **{f"{name}.weight": shape for name, *_, shape in _CONVOLUTIONS},
    **{f"{name}.bias": shape[:1] for name, *_, shape in _CONVOLUTIONS},
    **{f"lin{i}.model.1.weight": (1, shape[0], 1, 1) for i, (*_, shape) in enumerate(_CONVOLUTIONS)},
}
_TINY = 1e-10
"""Added to the length of a feature vector, so that an all-zero one stays zero."""


class Lpips:
    """The metric with AlexNet, version 0.1, from a file of weights.

    Args:
        weights: File written by ``torch.save(lpips.LPIPS(net="alex").state_dict(), FILE)`` with the authors' package
            `lpips`, or the same tensors under the same names as safetensors.

    Raises:
        WeightsError: If the file is missing, damaged, unsafe or of another network.

    Source:
        Zhang et al., CVPR 2018; in version 0.1 inputs are scaled first.
    """

    sha256: str
    """Of the file, in hexadecimal digits; to be stated with every figure."""

    def __init__(self, weights: Path) -> None:
        self._weights = _read(Path(weights))
        with Path(weights).open("rb") as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()

    @torch.inference_mode()
    def __call__(self, output: NDArray[Any], truth: NDArray[Any], *, data_range: float) -> float:
        """Return the perceptual distance of two pictures.

        Args:
            output: (H, W, 3), RGB, at least 31 px a side, display-encoded, as the pictures that the network was
                trained on.
            truth: The perfect picture, of the same shape and encoding.
            data_range: The value of white, above 0. Values are clipped to 0..data_range first, as for the published
                figures, then scaled to -1..1.

        Returns:
            Mean over pixels, summed over the five layers; 0 for a perfect picture, the lower the better. Symmetric.

        Raises:
            ShapeError: If the shapes differ or do not fit.
            PairError: If a pixel is NaN or infinite.
            ConfigError: If `data_range` is not above 0.
        """
        psnr(output, truth, data_range=data_range)  # raises for pictures that have no score at all
        if output.shape[2] != 3 or min(output.shape[:2]) < SMALLEST:
            raise ShapeError(
                f"the pictures have shape {output.shape}; LPIPS needs three channels and {SMALLEST} px a side, "
                "so give larger ones in color"
            )
        distance = torch.zeros(())
        layers = zip(self._features(output, data_range), self._features(truth, data_range), strict=True)
        for i, (one, other) in enumerate(layers):
            distance += F.conv2d((one - other) ** 2, self._weights[f"lin{i}.model.1.weight"]).mean()
        return float(distance)

    def _features(self, picture: NDArray[Any], data_range: float) -> list[Tensor]:
        """Return the features after each of the five layers: (1, C, h, w), of length 1 along C."""
        scaled = np.clip(picture / data_range, 0, 1).astype(np.float32) * 2 - 1
        x = torch.from_numpy(np.ascontiguousarray(scaled.transpose(2, 0, 1)))[None]
        x = (x - self._weights["scaling_layer.shift"]) / self._weights["scaling_layer.scale"]
        features = []
        for name, stride, padding, pooled, _ in _CONVOLUTIONS:
            if pooled:
                x = F.max_pool2d(x, kernel_size=3, stride=2)
            weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
            x = F.relu(F.conv2d(x, weight, bias, stride, padding))
            features.append(x / (torch.linalg.vector_norm(x, dim=1, keepdim=True) + _TINY))
        return features


def _read(path: Path) -> dict[str, Tensor]:
    """Read and check the tensors of `_SHAPES`, in float32; a file may have the linear layers twice, as `lins`."""
    content = _load(path)
    if not isinstance(content, dict):
        raise WeightsError(
            f"{path} contains no named tensors; save the state_dict of lpips.LPIPS(net='alex')"
        )
    tensors = {str(name): tensor for name, tensor in content.items() if not str(name).startswith("lins.")}
    shapes = {name: tuple(getattr(tensor, "shape", ())) for name, tensor in tensors.items()}
    wrong = sorted(n for n in _SHAPES.keys() | shapes.keys() if _SHAPES.get(n) != shapes.get(n))
    if wrong:
        name = wrong[0]
        raise WeightsError(
            f"{path} is no LPIPS with AlexNet: {name} should be {_SHAPES.get(name, 'absent')} and is "
            f"{shapes.get(name, 'absent')} ({len(wrong)} such differences); save the state_dict of "
            "lpips.LPIPS(net='alex')"
        )
    floats = {name: tensor.float() for name, tensor in tensors.items()}
    if not all(bool(tensor.isfinite().all()) for tensor in floats.values()):
        raise WeightsError(f"{path} contains NaN or infinity; save the weights again")
    return floats


def _load(path: Path) -> Any:
    if not path.is_file():
        raise WeightsError(f"{path} does not exist; name the file of the LPIPS weights")
    try:
        if path.suffix.lower() == ".safetensors":
            return load(path.read_bytes())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that an old pickle protocol may not be readable
            return torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except (pickle.UnpicklingError, SafetensorError) as error:
        raise WeightsError(
            f"{path} is damaged, or asks for more than tensors and was refused, since it could run code; "
            "save the state_dict of lpips.LPIPS(net='alex')"
        ) from error
    except Exception as error:  # the unpickler may raise anything on a damaged file
        raise WeightsError(f"{path} is damaged or holds no weights; save them again") from error
