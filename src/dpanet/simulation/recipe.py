"""What decides a set of simulated scenes, and the scenes themselves, one at a time and in any order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dpanet import __version__
from dpanet.errors import SettingsError
from dpanet.images.header import read_header
from dpanet.simulation.depth_scene import blur_radius, depth_scene
from dpanet.simulation.kernels import MeasuredKernels
from dpanet.simulation.optics import BEFORE, Optics, SceneSettings
from dpanet.simulation.scene import Simulator
from dpanet.simulation.stock import Pages, Photographs
from dpanet.simulation.thin_lens import ThinLens

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
        """From ``half-disc``, ``butterworth`` or ``measured:FOLDER``. Raises: SettingsError for another word."""
        family, colon, folder = text.partition(":")
        if family == "measured" and folder:
            return cls(family, Path(folder))
        if family not in ("half-disc", "butterworth") or colon:
            raise SettingsError(f"psf is {text!r}; give half-disc, butterworth, or measured:FOLDER")
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
class Recipe:
    """All that decides the scenes; scene number i is drawn from a generator of its own, seeded (seed, i).

    size: px a side; None, with depth maps, for whole photographs. scenes: how likely is what; its shares of lenses
    follow `psf`. depth: a depth map for each photograph, if the scenes are the photographs themselves, each in its
    turn, seen through `lens`.
    """

    photographs: tuple[Path, ...]
    seed: int
    size: int | None = 256
    psf: Psf = field(default_factory=Psf)
    scenes: SceneSettings = field(default_factory=SceneSettings)
    depth: tuple[Path, ...] | None = None
    lens: ThinLens | None = None

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise SettingsError(f"seed is {self.seed}; it must be 0 or more")
        if (self.depth is None) != (self.lens is None):
            raise SettingsError("depth and lens belong together; give both or none")
        if self.size is None and self.depth is None:
            raise SettingsError("size is missing; only photographs with depth maps can be simulated whole")
        if self.size is not None and not SMALLEST <= self.size <= LARGEST:
            raise SettingsError(f"size is {self.size} px; it must be {SMALLEST} to {LARGEST}")

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


def recipe_of(
    identity: Mapping[str, Any], photographs: Path, kernels: Path | None = None, depth: Path | None = None
) -> Recipe:
    """The recipe with this identity, its photographs, measured kernels and depth maps being in these folders."""
    scenes: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in identity["scenes"].items()
    }
    files = tuple(photographs / name for name in identity["photographs"])
    psf = Psf(identity["psf"]["family"], kernels)
    maps = None if depth is None else tuple(depth / name for name in identity["depth"] or ())
    lens = None if identity["lens"] is None else ThinLens(**identity["lens"])
    return Recipe(files, identity["seed"], identity["size"], psf, SceneSettings(**scenes), maps, lens)


@dataclass(frozen=True)
class SimulatedScene:
    """left, right, sharp: (3, H, W) display-encoded, 0..1. radius: (H, W), signed blur radius in px.

    photographs: name and SHA-256 of the photographs in it, and of its depth map as depth/NAME.
    """

    left: Tensor
    right: Tensor
    sharp: Tensor
    radius: Tensor
    photographs: Mapping[str, str]


class Studio:
    """Makes the scenes of a recipe. Any studio gives the same scene for the same number.

    Raises: SettingsError if the kernels cannot be read, or are too large for the scale of the scenes.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.photographs = Photographs(recipe.photographs)
        shares = {
            "measured": float(recipe.psf.family == "measured"),
            "butterworth": float(recipe.psf.family == "butterworth"),
        }
        self.settings = SceneSettings(**{**asdict(recipe.scenes), **shares})
        self.measured = recipe.psf.kernels()
        self._depth: dict[str, str] = {}
        self.simulator = Simulator(
            self.photographs, self.measured, self.settings, pages=Pages(self.settings.pages)
        )

    def scene(self, index: int) -> SimulatedScene:
        """Scene number `index`, computed on one thread.

        Raises: UnreadableImageError for a damaged photograph or depth map; `depth_scene` for more.
        """
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        self.photographs.used.clear()
        try:
            left, right, sharp, radius = self._drawn(index)
        finally:
            torch.set_num_threads(threads)
        return SimulatedScene(left, right, sharp, radius, self._sources())

    def check_depth(self, count: int) -> None:
        """Read the depth maps of the first `count` scenes, if there are any.

        Raises: what `scene` would for a map or lens that does not fit.
        """
        recipe = self.recipe
        if recipe.depth is None or recipe.lens is None:
            return
        most = Optics(np.random.default_rng(0), self.measured, self.settings, 1.0).most_radius
        for photograph, depth in list(zip(recipe.photographs, recipe.depth, strict=True))[:count]:
            header = read_header(photograph)
            blur_radius(depth, (header.height, header.width), recipe.lens, most, recipe.size)

    def _drawn(self, index: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        recipe = self.recipe
        rng = np.random.default_rng([recipe.seed, index])
        if recipe.depth is not None and recipe.lens is not None:
            place = index % len(recipe.depth)
            # The whole field is seen, and one kernel holds for all of a layer: no clip that differs by place.
            optics = Optics(rng, self.measured, replace(self.settings, vignetted=0.0), 1.0)
            picture, depth = self.photographs[place], recipe.depth[place]
            self._depth = {f"depth/{depth.name}": hashlib.sha256(depth.read_bytes()).hexdigest()}
            quantised = self.settings.quantised
            return depth_scene(rng, picture, depth, recipe.lens, optics, recipe.size, quantised)
        assert recipe.size is not None
        left, right, sharp, radius = self.simulator.scenes([[recipe.seed, index]], recipe.size)
        assert radius is not None
        return left[0], right[0], sharp[0], radius[0, 0]

    def _sources(self) -> dict[str, str]:
        stock = self.photographs
        return {stock.files[place].name: stock.sums[place] for place in sorted(stock.used)} | self._depth
