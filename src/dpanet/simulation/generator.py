"""Simulated scenes, one at a time and in any order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor

from dpanet.images.header import read_header
from dpanet.simulation.config import SimulationConfig
from dpanet.simulation.depth_scene import blur_radius, depth_scene
from dpanet.simulation.optics import Optics
from dpanet.simulation.photo_cache import Pages, Photographs
from dpanet.simulation.scene import Simulator
from dpanet.simulation.scene_config import SceneConfig


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


class SceneGenerator:
    """Makes the scenes of a recipe. Any studio gives the same scene for the same number.

    Raises: ConfigError if the kernels cannot be read, or are too large for the scale of the scenes.
    """

    def __init__(self, recipe: SimulationConfig) -> None:
        self.recipe = recipe
        self.photographs = Photographs(recipe.photographs)
        shares = {
            "measured": float(recipe.psf.family == "measured"),
            "butterworth": float(recipe.psf.family == "butterworth"),
        }
        self.settings = SceneConfig(**{**asdict(recipe.scenes), **shares})
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
        most = Optics(np.random.default_rng(0), self.measured, self.settings, 1.0).max_radius
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
            quantized = self.settings.quantized
            return depth_scene(rng, picture, depth, recipe.lens, optics, recipe.size, quantized)
        assert recipe.size is not None
        left, right, sharp, radius = self.simulator.scenes([[recipe.seed, index]], recipe.size)
        assert radius is not None
        return left[0], right[0], sharp[0], radius[0, 0]

    def _sources(self) -> dict[str, str]:
        stock = self.photographs
        return {stock.files[place].name: stock.sums[place] for place in sorted(stock.used)} | self._depth
