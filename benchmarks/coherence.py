"""Show by spatial frequency how much of a capture's truth its views still hold, and how much pictures bring back.

python benchmarks/coherence.py CAPTURES SCENE PICTURE ... [--layout pairs]

CAPTURES is a folder as `dpanet evaluate` reads it, SCENE the name of one of its scenes, PICTURE a file that a method
made of its views. The truth is registered to the views, and for each picture to that picture: a network may move what
it sharpens, and a truth may be magnified. All are compared as gray display values in windows of 128 px.
A picture gets the gain and offset that bring it closest to the truth.

Prints for each band, in cycles a px:
share: of the truth's energy, dB.
views: coherence of both views together with the truth, 0 to 1: no linear filter that is the same everywhere has more.
And for each picture:
amplitude: of what it shares with the truth, 1 if it is as strong as there.
coherence: with the truth.
error: energy of the difference, relative to the truth's, dB.
least: that error if the amplitude were best for this coherence, dB.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpanet.datasets import open_dataset
from dpanet.evaluation.registration import find_affine
from dpanet.fidelity.exposure import linear_planes
from dpanet.fidelity.refine_registration import warp_truth
from dpanet.images.encoding import linear_to_srgb
from dpanet.images.reading import read_picture

WINDOW, STRIDE, BORDER = 128, 48, 48
BANDS = (0.006, 0.014, 0.03, 0.046, 0.062, 0.08, 0.1, 0.12, 0.14, 0.17, 0.2, 0.25, 0.3, 0.4, 0.5)

Plane = NDArray[np.float64]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("captures", type=Path)
    parser.add_argument("scene")
    parser.add_argument("pictures", type=Path, nargs="*")
    parser.add_argument("--layout", default="pairs")
    options = parser.parse_args()
    scenes = {scene.name: scene for scene in open_dataset(options.captures, options.layout).scenes}
    if options.scene not in scenes:
        parser.error(f"there is no scene {options.scene}; there are {', '.join(scenes)}")
    capture = scenes[options.scene].load()
    truth, views, warp = linear_planes(capture)
    of_views = cross_spectra([to_display(warp_truth(truth, warp, 0)), *map(to_display, views)])
    of_pictures = [pair_spectra(truth, read_gray(file, capture.white)) for file in options.pictures]
    frequency = np.hypot(np.fft.fftfreq(WINDOW)[:, None], np.fft.fftfreq(WINDOW)[None])
    names = "".join(f"   {file.stem[-33:]:33}" for file in options.pictures)
    print(
        f"{'':23}{names}\n{'':11}{'share':>6}{'views':>6}"
        + "   amplitude coherence error least" * len(options.pictures)
    )
    for low, high in pairwise(BANDS):
        inside = (frequency >= low) & (frequency < high)
        share = decibels(of_views[0, 0, inside].real.sum() / of_views[0, 0].real.sum())
        row = f"{low:.3f}-{high:.3f}{share:6.1f}{joint_coherence(of_views[:, :, inside]):6.3f}"
        for spectra in of_pictures:
            row += "   {:9.2f} {:9.3f} {:5.1f} {:5.1f}".format(*compare(spectra[:, :, inside], 1))
        print(row)


def read_gray(file: Path, white: float) -> Plane:
    """Return a picture as gray display values, (H, W)."""
    picture = read_picture(file)
    gray = picture.pixels.mean(axis=2)
    return to_display(gray / white) if picture.encoding == "linear" else np.asarray(gray, np.float64)


def pair_spectra(truth: NDArray[np.float32], picture: Plane) -> NDArray[np.complex128]:
    """Return the cross-spectra of a truth (linear light, gray), registered to a picture, and this picture."""
    found = find_affine(_three(to_display(truth)), _three(picture), "srgb")
    warp = np.eye(2, 3) if found is None else np.asarray(found, np.float64)
    target = to_display(warp_truth(truth, warp, 0))
    return cross_spectra([target, match(picture, target)])


def to_display(light: NDArray[np.float32]) -> Plane:
    """Return linear light as display values, both gray, (H, W)."""
    return np.asarray(linear_to_srgb(np.clip(light, 0, 1)), np.float64)


def _three(plane: Plane) -> NDArray[np.float32]:
    return np.asarray(np.repeat(plane[..., None], 3, 2), np.float32)


def match(picture: Plane, target: Plane) -> Plane:
    """Return the picture (H, W) with the gain and offset that bring it closest to the target, inside the border."""
    inside = (slice(BORDER, -BORDER), slice(BORDER, -BORDER))
    gain, offset = np.polyfit(picture[inside].ravel(), target[inside].ravel(), 1)
    return np.asarray(gain * picture + offset, np.float64)


def cross_spectra(planes: list[Plane]) -> NDArray[np.complex128]:
    """Sum the products of all pairs of spectra over all windows: (N, N, WINDOW, WINDOW)."""
    taper = np.outer(np.hanning(WINDOW), np.hanning(WINDOW))
    height, width = planes[0].shape
    total = np.zeros((len(planes), len(planes), WINDOW, WINDOW), complex)
    for top in range(BORDER, height - BORDER - WINDOW + 1, STRIDE):
        for left in range(BORDER, width - BORDER - WINDOW + 1, STRIDE):
            parts = np.stack([plane[top : top + WINDOW, left : left + WINDOW] for plane in planes])
            spectrum = np.fft.fft2((parts - parts.mean((1, 2), keepdims=True)) * taper)
            total += spectrum[:, None] * spectrum[None].conj()
    return total


def joint_coherence(band: NDArray[np.complex128]) -> float:
    """Return the share of the truth's energy that one linear filter of both views explains."""
    among, with_truth = np.moveaxis(band[1:3, 1:3], 2, 0), band[1:3, 0].T[..., None]
    explained = (with_truth.conj().swapaxes(1, 2) @ np.linalg.solve(among, with_truth)).real.sum()
    return float(explained / band[0, 0].real.sum())


def compare(band: NDArray[np.complex128], index: int) -> tuple[float, float, float, float]:
    """Return amplitude, coherence, error and least error of one picture in a band."""
    truth, own, cross = band[0, 0].real, band[index, index].real, band[index, 0]
    coherence = float((np.abs(cross) ** 2 / own).sum() / truth.sum())
    error = float((own + truth - 2 * cross.real).sum() / truth.sum())
    return float(cross.real.sum() / truth.sum()), coherence, decibels(error), decibels(1 - coherence)


def decibels(ratio: float) -> float:
    """Return a ratio of energies in dB."""
    return float(10 * np.log10(max(ratio, 1e-9)))


if __name__ == "__main__":
    main()
