"""Pairs of a texture seen through known kernels: in focus on the left, out of focus on the right."""

import numpy as np
from scipy.signal import fftconvolve

from dpanet.pair import DualPixelPair
from dpanet.simulation.kernels import RampedDisc, ramped_disc

HEIGHT, WIDTH = 320, 480


def texture(seed: int = 1, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Return a picture with as much contrast in each octave of frequency, as natural scenes have."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.standard_normal((height, width)))
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    picture = np.fft.irfft2(spectrum / np.maximum(frequency, 1 / 100), (height, width))
    return 0.5 + 0.08 * picture / picture.std()


def see_through(scene: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Blur a scene by both halves of a lens."""
    if radius == 0:
        return scene, scene
    kernels = ramped_disc([RampedDisc(radius, softness=0.8)]).numpy()[0]
    padded = np.pad(scene, 48, mode="reflect")
    left, right = (fftconvolve(padded, kernel, mode="same")[48:-48, 48:-48] for kernel in kernels)
    return left, right


def planted_pair(
    radius: float = 6.0, noise: float = 0.002, sharp: float = 0.5, seed: int = 1
) -> DualPixelPair:
    """Return a gray pair in linear light; the first `sharp` of the columns are in focus.

    Args:
        radius: blur radius of the others, px, positive behind the focal plane.
        noise: standard deviation.
        sharp: share of the columns.
        seed: of the scene.
    """
    scene = texture(seed)
    edge = round(sharp * WIDTH)
    views = []
    rng = np.random.default_rng(seed + 100)
    for view in see_through(scene, radius):
        mixed = np.concatenate((scene[:, :edge], view[:, edge:]), axis=1)
        mixed = mixed + noise * rng.standard_normal(mixed.shape)
        views.append(np.repeat(np.clip(mixed, 0, 1)[..., None], 3, axis=2).astype(np.float32))
    return DualPixelPair(views[0], views[1], "linear")
