"""What decides a set of simulated scenes, and the scenes themselves, one at a time and in any order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dpanet.errors import ConfigError
from dpanet.simulation.kernels import MeasuredKernels
from dpanet.simulation.optics import BEFORE
from dpanet.simulation.scene_config import SceneConfig
from dpanet.simulation.thin_lens import ThinLens
from dpanet.version import __version__

SMALLEST, LARGEST = 16, 4096
"""Pixels a side of a scene."""

DECIDING = ("torch", "numpy", "scipy", "pillow", "matplotlib", "opencv-python-headless")
"""Packages whose version may change a scene's last bits."""


@dataclass(frozen=True)
class Psf:
    """The family of kernels: ``half-disc``, ``butterworth``, or ``measured`` with the folder of a calibration."""

    family: str = "half-disc"
    folder: Path | None = None

    @classmethod
    def parse(cls, text: str) -> Psf:
        """From ``half-disc``, ``butterworth`` or ``measured:FOLDER``. Raises: ConfigError for another word."""
        family, colon, folder = text.partition(":")
        if family == "measured" and folder:
            return cls(family, Path(folder))
        if family not in ("half-disc", "butterworth") or colon:
            raise ConfigError(f"psf is {text!r}; give half-disc, butterworth, or measured:FOLDER")
        return cls(family)

    def kernels(self) -> MeasuredKernels | None:
        return None if self.folder is None else MeasuredKernels.read(self.folder)

    @property
    def identity(self) -> dict[str, str]:
        """The family and, of a measured lens, the SHA-256 of its two files."""
        if self.folder is None:
            return {"family": self.family}
        files = [self.folder / f"blur_kernels_{side}.npy" for side in ("left", "right")]
        total = hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files))
        return {"family": self.family, "sha256": total.hexdigest()}


@dataclass(frozen=True)
class SimulationConfig:
    """All that decides the scenes; scene number i is drawn from a generator of its own, seeded (seed, i).

    size: px a side; None, with depth maps, for whole photographs. scenes: how likely is what; its shares of lenses
    follow `psf`. depth: a depth map for each photograph, if the scenes are the photographs themselves, each in its
    turn, seen through `lens`.
    """

    photographs: tuple[Path, ...]
    seed: int
    size: int | None = 256
    psf: Psf = field(default_factory=Psf)
    scenes: SceneConfig = field(default_factory=SceneConfig)
    depth: tuple[Path, ...] | None = None
    lens: ThinLens | None = None

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; it must be 0 or more")
        if (self.depth is None) != (self.lens is None):
            raise ConfigError("depth and lens belong together; give both or none")
        if self.size is None and self.depth is None:
            raise ConfigError("size is missing; only photographs with depth maps can be simulated whole")
        if self.size is not None and not SMALLEST <= self.size <= LARGEST:
            raise ConfigError(f"size is {self.size} px; it must be {SMALLEST} to {LARGEST}")

    def identity(self) -> dict[str, Any]:
        """As plain values, for a file: the same identity gives the same bytes on one machine."""
        return {
            "dpanet": __version__,
            "seed": self.seed,
            "size": self.size,
            "psf": self.psf.identity,
            "scenes": json.loads(json.dumps(asdict(self.scenes))),
            "depth": None if self.depth is None else [path.name for path in self.depth],
            "lens": None if self.lens is None else asdict(self.lens),
            "photographs": [path.name for path in self.photographs],
            "versions": {name: version(name) for name in DECIDING},
        }


def completed(identity: Mapping[str, Any]) -> Mapping[str, Any]:
    """An identity as it was stored by any version, with what later ones tell besides.

    Settings that it lacks were those of `BEFORE`; of a package that it lacks, the present version gets the benefit of
    the doubt.
    """
    present = {name: version(name) for name in DECIDING}
    return {
        **identity,
        "scenes": {**BEFORE, **identity.get("scenes", {})},
        "versions": {**present, **identity.get("versions", {})},
    }


def config_of(
    identity: Mapping[str, Any], photographs: Path, kernels: Path | None = None, depth: Path | None = None
) -> SimulationConfig:
    """The recipe with this identity, its photographs, measured kernels and depth maps being in these folders."""
    scenes: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in identity["scenes"].items()
    }
    files = tuple(photographs / name for name in identity["photographs"])
    psf = Psf(identity["psf"]["family"], kernels)
    maps = None if depth is None else tuple(depth / name for name in identity["depth"] or ())
    lens = None if identity["lens"] is None else ThinLens(**identity["lens"])
    return SimulationConfig(files, identity["seed"], identity["size"], psf, SceneConfig(**scenes), maps, lens)
