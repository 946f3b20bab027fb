"""Compare an exported file with the network that it came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpanet.engines.torch_engine import TorchEngine
from dpanet.errors import WeightsError
from dpanet.images.demo_pair import read_demo_pair
from dpanet.images.encoding import linear_to_srgb
from dpanet.network.base import Network
from dpanet.network.description import Description
from dpanet.pair import Pixels

Run = Callable[[Pixels, Pixels], NDArray[np.float32]]
"""Runs an exported file on two views (H, W, 3); returns (H, W, 3), or (H, W, 4) with the defocus map."""

TOLERANCE = {"float32": 1e-3, "int8": 3 / 255}
"""Difference of a picture that is no fault; white is 1.0. That of a defocus map, in px, is 100 times it.

In float32 it is the largest difference, in int8 the root mean square: single pixels may differ ten times as much."""


_PUBLISHED_SIDE = 256
"""Largest side of the simulated pair for the published network, px: one pixel costs it five million products."""


@dataclass(frozen=True)
class Check:
    """The difference of one input's outputs."""

    views: str
    """What the input was."""
    picture: float
    """Largest difference of the pictures; white is 1.0."""
    radius: float | None
    """Largest difference of the defocus maps, px; None where there is no map."""
    rms: float = 0.0
    """Root mean square of the differences of the pictures."""
    radius_rms: float = 0.0
    """Root mean square of the differences of the defocus maps, px."""

    def __str__(self) -> str:
        text = (
            f"{self.views}: picture differs by {self.picture * 255:.4f}/255 at most, {self.rms * 255:.4f} rms"
        )
        return (
            text
            if self.radius is None
            else f"{text}; defocus map by {self.radius:.4f} px, {self.radius_rms:.4f} rms"
        )


def verify(run: Run, network: Network, file: str, precision: str = "float32") -> list[Check]:
    """Run an exported file and its network on noise of two sizes and on a simulated pair, and compare them.

    Args:
        run: runs the file.
        network: computes in float32.
        file: to be named in errors.
        precision: of the file, a key of `TOLERANCE`. Of int8, only the simulated pair counts: noise is not what its
            ranges were measured on.

    Returns:
        the differences, one for each input.

    Raises:
        WeightsError: if a difference is larger than `TOLERANCE`, or no number.
    """
    reference = TorchEngine(network, device="cpu", precision="float32")
    has_defocus, tolerance = network.description.has_defocus, TOLERANCE[precision]
    checks = []
    for name, left, right in _inputs(network.description):
        expected = reference(left, right, defocus=has_defocus)
        output = run(left, right)
        if output.shape != expected.shape:
            raise WeightsError(
                f"{file} returns {output.shape} for {name} where the network returns {expected.shape}; it is not "
                "kept: report this with the model"
            )
        difference = np.abs(output - expected)
        check = Check(
            name,
            float(difference[..., :3].max()),
            float(difference[..., 3:].max()) if has_defocus else None,
            _rms(difference[..., :3]),
            _rms(difference[..., 3:]) if has_defocus else 0.0,
        )
        checks.append(check)
        counts = precision == "float32" or not name.startswith("noise")
        largest = check.picture, check.radius or 0.0
        picture, radius = largest if precision == "float32" else (check.rms, check.radius_rms)
        within = picture <= tolerance and radius <= 100 * tolerance
        if not np.isfinite(output).all() or (counts and not within):
            raise WeightsError(
                f"{file} does not compute what the network computes ({check}; allowed are "
                f"{tolerance * 255:.2f}/255); it is not kept: report this with the model"
            )
    return checks


def _rms(difference: NDArray[np.float32]) -> float:
    return float(np.sqrt((difference.astype(np.float64) ** 2).mean()))


def _inputs(description: Description) -> list[tuple[str, Pixels, Pixels]]:
    """Return views by what they are."""
    multiple = description.multiple_of
    random = np.random.default_rng(0)
    inputs = []
    for height, width in ((96, 128), (160, 64)):
        shape = (-(-height // multiple) * multiple, -(-width // multiple) * multiple, 3)
        left, right = (random.random(shape, dtype=np.float32) for _ in range(2))
        inputs.append((f"noise of {shape[1]} x {shape[0]} px", left, right))
    pair, _ = read_demo_pair()
    largest = _PUBLISHED_SIDE if description.whole_image else max(pair.left.shape)
    sides = [min(side, largest) // multiple * multiple for side in pair.left.shape[:2]]
    left, right = (np.ascontiguousarray(view[: sides[0], -sides[1] :]) for view in (pair.left, pair.right))
    if pair.encoding == "linear":
        left, right = linear_to_srgb(left), linear_to_srgb(right)
    inputs.append((f"a simulated pair of {sides[1]} x {sides[0]} px", left, right))
    return inputs
