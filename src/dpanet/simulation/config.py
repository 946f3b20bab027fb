"""The config of a set of simulated scenes: everything that decides their bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dpanet.errors import ConfigError
from dpanet.files.store import file_identity
from dpanet.lenses.pixel4_parameters import PIXEL4
from dpanet.simulation.measured_kernels import MeasuredKernels
from dpanet.simulation.scene_config import SceneConfig
from dpanet.simulation.thin_lens import ThinLens
from dpanet.version import __version__

MIN_SIZE, MAX_SIZE = 16, 4096
"""Least and largest side of a scene, px."""

FORMER_FAMILIES = {"half-disc": "ramped-disc"}
"""Words for families in earlier commands and records; read as the new ones. The disc was never cut in half."""

PACKAGES = ("torch", "numpy", "scipy", "pillow", "matplotlib", "opencv-python-headless", "pyvips-binary")
"""Packages whose version may change the last bits of a scene."""


@dataclass(frozen=True)
class PsfConfig:
    """The family of kernels that scenes are blurred with."""

    family: str = "ramped-disc"
    """``ramped-disc``, ``butterworth``, ``pixel4`` or ``measured``; ``half-disc`` is read as ``ramped-disc``."""
    folder: Path | None = None
    """The folder of the calibration, for ``measured``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", FORMER_FAMILIES.get(self.family, self.family))

    @classmethod
    def parse(cls, text: str) -> PsfConfig:
        """Read ``ramped-disc``, ``butterworth``, ``pixel4`` or ``measured:FOLDER``.

        Raises: ConfigError for another word.
        """
        family, colon, folder = text.partition(":")
        if family == "measured" and folder:
            return cls(family, Path(folder))
        if family not in ("ramped-disc", "butterworth", "pixel4", *FORMER_FAMILIES) or colon:
            raise ConfigError(f"psf is {text!r}; give ramped-disc, butterworth, pixel4, or measured:FOLDER")
        return cls(family)

    def read_measured_kernels(self) -> MeasuredKernels | None:
        """Read the measured kernels, or compute the Pixel 4's; None for ideal lenses.

        Raises: as `MeasuredKernels.read`.
        """
        if self.family == "pixel4":
            return MeasuredKernels.of_pixel4()
        return None if self.folder is None else MeasuredKernels.read(self.folder)

    def identity(self) -> dict[str, str]:
        """Return the family and, for measured kernels, the SHA-256 of their two files; of pixel4, of its numbers."""
        if self.family == "pixel4":
            return {"family": self.family, "sha256": hashlib.sha256(repr(PIXEL4).encode()).hexdigest()}
        if self.folder is None:
            return {"family": self.family}
        files = [self.folder / f"blur_kernels_{side}.npy" for side in ("left", "right")]
        total = hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files))
        return {"family": self.family, "sha256": total.hexdigest()}


@dataclass(frozen=True)
class SimulationConfig:
    """Configure a set of scenes; scene number i is drawn from a generator of its own, seeded with (seed, i).

    Raises: ConfigError naming the field whose value is impossible.
    """

    photographs: tuple[Path, ...]
    """Files of the photographs, as `find_photographs` lists them."""
    seed: int
    """Decides every scene, together with its number; 0 or more."""
    size: int | None = 256
    """Side of the scenes, px; None, with depth maps, for whole photographs."""
    psf: PsfConfig = field(default_factory=PsfConfig)
    """The kernels."""
    scenes: SceneConfig = field(default_factory=SceneConfig)
    """Probabilities and ranges; those of the kernels' family follow `psf`."""
    depth_maps: tuple[Path, ...] | None = None
    """A depth map for each photograph: scene i is then photograph i, counted around, blurred by its depth."""
    lens: ThinLens | None = None
    """The lens that photographs with depth maps are seen through."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; it must be 0 or more")
        if (self.depth_maps is None) != (self.lens is None):
            raise ConfigError("depth and lens belong together; give both or none")
        if self.size is None and self.depth_maps is None:
            raise ConfigError("size is missing; only photographs with depth maps can be simulated whole")
        if self.size is not None and not MIN_SIZE <= self.size <= MAX_SIZE:
            raise ConfigError(f"size is {self.size} px; it must be {MIN_SIZE} to {MAX_SIZE}")

    def identity(self) -> dict[str, Any]:
        """Return the config as plain values; on one machine the same identity gives the same bytes.

        Photographs are identified by name and size, wherever they are.

        Raises: OSError if a photograph is missing.
        """
        return {
            "dpanet": __version__,
            "seed": self.seed,
            "size": self.size,
            "psf": self.psf.identity(),
            "scenes": json.loads(json.dumps(asdict(self.scenes))),
            "depth": None if self.depth_maps is None else [path.name for path in self.depth_maps],
            "lens": None if self.lens is None else asdict(self.lens),
            "photographs": [{"name": path.name, "bytes": path.stat().st_size} for path in self.photographs],
            "versions": {name: version(name) for name in PACKAGES},
        }

    def depth_files(self, index: int) -> list[dict[str, Any]]:
        """Return the `file_identity` of photograph and depth map of scene `index`; nothing without depth maps."""
        if self.depth_maps is None:
            return []
        place = index % len(self.depth_maps)
        return [file_identity(self.photographs[place]), file_identity(self.depth_maps[place])]


def in_stored_words(identity: dict[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return an identity with the former word for its family, if a stored identity has that word."""
    psf = stored.get("psf")
    family = psf.get("family") if isinstance(psf, dict) else None
    if family not in FORMER_FAMILIES or FORMER_FAMILIES[family] != identity["psf"]["family"]:
        return identity
    return {**identity, "psf": {**identity["psf"], "family": family}}


def config_from_identity(
    identity: Mapping[str, Any],
    photographs: Path,
    kernels: Path | None = None,
    depth_maps: Path | None = None,
) -> SimulationConfig:
    """Return the config with this identity, for files that are now in these folders.

    Args:   identity: as `SimulationConfig.identity` returns it. photographs, kernels, depth_maps: folders; the last
            two only if the scenes have measured kernels or depth maps.
    Raises: ConfigError for impossible values.
    """
    scenes: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in identity["scenes"].items()
    }
    files = tuple(photographs / photograph["name"] for photograph in identity["photographs"])
    psf = PsfConfig(identity["psf"]["family"], kernels)
    maps = None if depth_maps is None else tuple(depth_maps / name for name in identity["depth"] or ())
    lens = None if identity["lens"] is None else ThinLens(**identity["lens"])
    return SimulationConfig(files, identity["seed"], identity["size"], psf, SceneConfig(**scenes), maps, lens)
