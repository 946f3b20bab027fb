"""Simulated scenes by number, in any order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from dpanet.images.header import read_header
from dpanet.simulation.config import SimulationConfig
from dpanet.simulation.depth_scene import read_blur_radius, simulate_depth_scene
from dpanet.simulation.optics import Optics
from dpanet.simulation.photo_cache import PageCache, PhotoCache
from dpanet.simulation.scene import Simulator


@dataclass(frozen=True)
class SimulatedScene:
    """One scene, views and truth display-encoded."""

    left: Tensor
    """(3, H, W), 0..1."""
    right: Tensor
    """(3, H, W), 0..1."""
    sharp: Tensor
    """(3, H, W), 0..1: the scene without blur and noise."""
    radius: Tensor
    """(H, W), signed blur radius in px, positive behind the focal plane."""
    sources: Mapping[str, str]
    """SHA-256 of each photograph in it by file name, and of its depth map as depth/NAME."""


class SceneGenerator:
    """Generates the scenes of a config; any generator of that config gives the same scene for the same number.

    Raises: ConfigError if the kernels cannot be read, or are too large for the scale of the scenes.
    """

    def __init__(self, config: SimulationConfig) -> None:
        self.config = config
        self.photo_cache = PhotoCache(config.photographs)
        family = config.psf.family
        scenes = replace(
            config.scenes,
            measured=float(family in ("measured", "pixel4")),
            butterworth=float(family == "butterworth"),
        )
        self._measured = config.psf.read_measured_kernels()
        pages = PageCache(scenes.pages)
        self._simulator = Simulator(self.photo_cache, self._measured, scenes, pages=pages)
        # With depth maps the whole field is seen, and a layer has one kernel: no clip that varies with the position.
        self._depth_scenes = replace(scenes, vignetted=0.0)

    def generate(self, index: int) -> SimulatedScene:
        """Simulate scene number `index`, on one thread.

        Raises: UnreadableImageError for a damaged photograph or depth map; `read_blur_radius` for more.
        """
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        self.photo_cache.used.clear()
        try:
            if self.config.depth_maps is None:
                return self._generate_random_scene(index)
            return self._generate_depth_scene(index)
        finally:
            torch.set_num_threads(threads)

    def check_depth_maps(self, count: int) -> None:
        """Read the depth maps of the first `count` scenes, if there are any.

        Raises: what `generate` would for a map or lens that does not fit.
        """
        config = self.config
        if config.depth_maps is None or config.lens is None:
            return
        max_radius = self._draw_optics(np.random.default_rng(0)).max_radius
        for photograph, depth_map in list(zip(config.photographs, config.depth_maps, strict=True))[:count]:
            read_blur_radius(read_header(photograph), depth_map, config.lens, max_radius, config.size)

    def _generate_random_scene(self, index: int) -> SimulatedScene:
        assert self.config.size is not None
        scenes = self._simulator.scenes([[self.config.seed, index]], self.config.size)
        assert scenes.radius is not None
        return SimulatedScene(
            scenes.left[0], scenes.right[0], scenes.truth[0], scenes.radius[0, 0], self._photograph_digests()
        )

    def _generate_depth_scene(self, index: int) -> SimulatedScene:
        config = self.config
        assert config.depth_maps is not None and config.lens is not None
        rng = np.random.default_rng([config.seed, index])
        place = index % len(config.depth_maps)
        depth_map, optics = config.depth_maps[place], self._draw_optics(rng)
        header = read_header(config.photographs[place])
        radius = read_blur_radius(header, depth_map, config.lens, optics.max_radius, config.size)
        parts = simulate_depth_scene(
            rng, self.photo_cache[place], radius, optics, config.size, self._depth_scenes.quantized
        )
        digest = hashlib.sha256(depth_map.read_bytes()).hexdigest()
        return SimulatedScene(*parts, self._photograph_digests() | {f"depth/{depth_map.name}": digest})

    def _draw_optics(self, rng: np.random.Generator) -> Optics:
        """Draw the lens of a scene with a depth map."""
        return Optics(rng, self._measured, self._depth_scenes, 1.0)

    def _photograph_digests(self) -> dict[str, str]:
        """Return the SHA-256 of the photographs in the last scene, by name."""
        cache = self.photo_cache
        return {cache.files[index].name: cache.sha256[index] for index in sorted(cache.used)}
