"""LPIPS written out: every convolution, pooling and sum as the papers define it, float64, without torch."""

import math

import numpy as np

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Version 0.1: mean and deviation of ImageNet, moved from 0..1 to -1..1."""


def convolve(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """C x H x W to K x h x w, pixel by pixel; zero outside."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    side = weight.shape[2]
    height, width = ((n - side) // stride + 1 for n in x.shape[1:])
    result = np.empty((len(weight), height, width))
    for row in range(height):
        for column in range(width):
            top, left = row * stride, column * stride
            window = x[:, top : top + side, left : left + side]
            result[:, row, column] = (weight * window).sum(axis=(1, 2, 3)) + bias
    return result


def pool(x: np.ndarray) -> np.ndarray:
    """The largest of 3 x 3, every second pixel."""
    height, width = ((n - 3) // 2 + 1 for n in x.shape[1:])
    result = np.empty((len(x), height, width))
    for row in range(height):
        for column in range(width):
            result[:, row, column] = x[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3].max(axis=(1, 2))
    return result


def features(picture: np.ndarray, weights: dict[str, np.ndarray]) -> list[np.ndarray]:
    """After each ReLU: C x h x w. `picture` is H x W x 3 in 0..1."""
    x = np.stack([(2 * picture[..., c] - 1 - SHIFT[c]) / SCALE[c] for c in range(3)])
    layers = []
    for slice, number, stride, padding in (
        (1, 0, 4, 2),
        (2, 3, 1, 2),
        (3, 6, 1, 1),
        (4, 8, 1, 1),
        (5, 10, 1, 1),
    ):
        if slice in (2, 3):
            x = pool(x)
        name = f"net.slice{slice}.{number}"
        x = np.maximum(convolve(x, weights[f"{name}.weight"], weights[f"{name}.bias"], stride, padding), 0)
        layers.append(x)
    return layers


def distance(one: np.ndarray, other: np.ndarray, weights: dict[str, np.ndarray]) -> float:
    """LPIPS of two pictures in 0..1: weighted squares between feature vectors of length 1."""
    total = 0.0
    for layer, (first, second) in enumerate(
        zip(features(one, weights), features(other, weights), strict=True)
    ):
        linear = weights[f"lin{layer}.model.1.weight"].ravel()
        _, height, width = first.shape
        for row in range(height):
            for column in range(width):
                a, b = first[:, row, column], second[:, row, column]
                a, b = (v / (math.sqrt((v**2).sum()) + 1e-10) for v in (a, b))
                total += float((linear * (a - b) ** 2).sum()) / (height * width)
    return total
