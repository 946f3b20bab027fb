"""Random patches of real pairs with truths, as a source of scenes to train on."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from dpanet.containers.decoded_image import DecodedImage
from dpanet.datasets import open_dataset
from dpanet.datasets.captures import require_opaque
from dpanet.datasets.dataset_check import DatasetCheck
from dpanet.errors import ConfigError, PairError, shown
from dpanet.images.encoding import linear_to_srgb
from dpanet.images.reading import read_file, read_views, to_pixels
from dpanet.images.value_scale import warn_of_encoding, warn_of_scale
from dpanet.pair import SMALLEST_SIDE, Pixels
from dpanet.simulation.scene import Scenes

CACHE_BYTES = 2**30
"""Memory for decoded pictures that a source keeps."""

_THREADS = 4
"""Scenes that are read at once."""

_ORDER_SEED = 1
"""Fourth number of the seeds of the order; seeds of scenes have three."""

Picture = tuple[DecodedImage, DecodedImage, DecodedImage]
"""Left view, right view, truth."""


@dataclass(frozen=True)
class Augmentation:
    """Random changes to a picture."""

    mirror: bool = True
    """Mirror left to right and swap the views, half of the time."""
    flip: bool = True
    """Flip top to bottom, half of the time."""
    resize: tuple[int, int] | None = None
    """(low, high), px, both even: resize a window of `low` px to a random even side of low..high by cubic
    interpolation, clip, and cut the patch from that; (512, 638) is DPDD's."""

    def __post_init__(self) -> None:
        if self.resize is not None:
            low, high = self.resize
            if not SMALLEST_SIDE <= low <= high or low % 2 or high % 2:
                raise ConfigError(
                    f"resize is {low}, {high}; it must be two even numbers of pixels, the smaller first, "
                    f"from {SMALLEST_SIDE} on, such as 512, 638"
                )


class PairSource:
    """Patches of the pictures of a folder: NAME_left, NAME_right and NAME_sharp, PNG or TIFF: sRGB, unless the
    files state linear values, which are encoded as sRGB.

    Each picture is used once in an epoch: the patches of the global batches follow an order of all pictures that is
    shuffled anew for each epoch.

    Args:
        folder: the folder.
        batch: patches in the global batch of a step.
        patch: the largest size that will be requested, px.
        augmentation: random changes.
        memory: bytes of decoded pictures to keep: the first ones, as the last ones of a shuffled set gain nothing.

    Raises:
        DatasetError: with all problems of the files: those of layout ``pairs`` of `open_dataset`, and pictures
            smaller than the patch or the window of `resize`.
        ConfigError: for sizes that do not go together.
    """

    def __init__(
        self,
        folder: Path,
        *,
        batch: int,
        patch: int,
        augmentation: Augmentation | None = None,
        memory: int = CACHE_BYTES,
    ) -> None:
        self.folder, self.batch, self.patch = Path(folder), batch, patch
        self.augmentation = Augmentation() if augmentation is None else augmentation
        window = patch if self.augmentation.resize is None else self.augmentation.resize[0]
        if batch < 1:
            raise ConfigError(f"batch is {batch}; it must be at least 1")
        if not SMALLEST_SIDE <= patch <= window:
            raise ConfigError(
                f"patch is {patch} px; it must be at least {SMALLEST_SIDE}"
                + ("" if self.augmentation.resize is None else f" and at most the smaller resize, {window}")
            )
        self._scenes = open_dataset(self.folder, "pairs").scenes
        self._check_sizes(window)
        self._cache: dict[int, Picture] = {}
        self._free_bytes = memory
        self._order: tuple[tuple[int, ...], list[int]] = ((), [])

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self._scenes)

    def scenes(self, seeds: Sequence[Sequence[int]], size: int, strength: float = 1.0) -> Scenes:
        """Return one patch for each seed.

        Args:
            seeds: [run seed, step, number in the global batch] each; the patch depends on nothing else.
            size: side of the patches, px.
            strength: ignored; the blur is the camera's.

        Returns:
            Scenes whose parts are (N, 3, size, size), float32, display values 0..1; without blur radius.

        Raises:
            UnreadableImageError, PairError: naming a file that has been damaged since.
            ConfigError: for a size above `patch`.
        """
        if size > self.patch:
            raise ConfigError(f"patches of {size} px are requested; at most {self.patch} px were announced")
        indices = [self.picture_index(seed) for seed in seeds]
        with ThreadPoolExecutor(max(1, min(len(indices), _THREADS, os.cpu_count() or 1))) as pool:
            scenes = list(pool.map(self._cut_scene, indices, seeds, repeat(size)))
        for index, (picture, _) in zip(indices, scenes, strict=True):
            self._cache_picture(index, picture)
        left, right, truth = (torch.stack([views[part] for _, views in scenes]) for part in range(3))
        return Scenes(left, right, truth, None)

    def picture_index(self, seed: Sequence[int]) -> int:
        """Return the index of the picture, in natural order of name, that a patch is cut from."""
        *run, step, index = seed
        epoch, number = divmod(step * self.batch + index, len(self))
        key = (*run, epoch)
        if self._order[0] != key:
            order = np.random.default_rng([*key, 0, _ORDER_SEED]).permutation(len(self)).tolist()
            self._order = key, order
        return self._order[1][number]

    def _check_sizes(self, window: int) -> None:
        check = DatasetCheck(self.folder)
        for scene in self._scenes:
            view = scene.left
            header = check.read_header(view)
            if header and min(header.width, header.height) < window:
                size = f"{header.width} x {header.height} px"
                check.add_problem(f"{check.relative_name(view)} is {size}, under the patch's {window}")
        check.raise_problems("pairs to train on")

    def _cut_scene(self, index: int, seed: Sequence[int], size: int) -> tuple[Picture | None, list[Tensor]]:
        """Return the picture, if there is memory to keep it, and the patch of each of its parts."""
        picture = self._cache.get(index) or self._read(index)
        views = cut(np.random.default_rng(list(seed)), picture, size, self.augmentation)
        parts = [torch.from_numpy(np.ascontiguousarray(view.transpose(2, 0, 1))) for view in views]
        return picture if _nbytes(picture) <= self._free_bytes else None, parts

    def _cache_picture(self, index: int, picture: Picture | None) -> None:
        if picture is not None and index not in self._cache and _nbytes(picture) <= self._free_bytes:
            self._cache[index] = picture
            self._free_bytes -= _nbytes(picture)

    def _read(self, index: int) -> Picture:
        scene = self._scenes[index]
        left, right = read_views(scene.left, scene.right)
        truth = read_file(scene.truth)
        if truth.codes.shape[:2] != left.codes.shape[:2]:
            raise PairError(
                f"{shown(scene.truth)} is {_size(truth)} and {shown(scene.left)} {_size(left)} px; give the truth "
                "that belongs to the views"
            )
        encodings = [file.encoding or "srgb" for file in (left, right, truth)]
        if len(set(encodings)) > 1:
            values = ", ".join(f"{shown(p)} {e}" for p, e in zip(scene.pictures, encodings, strict=True))
            raise PairError(f"a scene has one encoding, but its files state {values}; export them alike")
        for file in (left, right, truth):
            warn_of_scale(require_opaque(file))
            warn_of_encoding(file)
        return replace(left, alpha=None), replace(right, alpha=None), replace(truth, alpha=None)


def cut(
    rng: Generator, picture: Picture, size: int, augmentation: Augmentation
) -> tuple[Pixels, Pixels, Pixels]:
    """Return a random patch of left view, right view and truth, each (size, size, 3), float32, sRGB, 0..1."""
    window = size if augmentation.resize is None else augmentation.resize[0]
    height, width = picture[0].codes.shape[:2]
    top, left = int(rng.integers(height - window + 1)), int(rng.integers(width - window + 1))
    views = []
    for file in picture:
        pixels = to_pixels(replace(file, codes=file.codes[top : top + window, left : left + window]))
        views.append((linear_to_srgb(pixels) if file.encoding == "linear" else pixels).clip(0, 1))
    if augmentation.resize is not None:
        side = 2 * int(rng.integers(window // 2, augmentation.resize[1] // 2 + 1))
        views = [_resize(view, side) for view in views]
        top, left = (int(offset) for offset in rng.integers(side - size + 1, size=2))
        views = [view[top : top + size, left : left + size] for view in views]
    if rng.random() < 0.5 and augmentation.mirror:
        views = [view[:, ::-1] for view in (views[1], views[0], views[2])]
    if rng.random() < 0.5 and augmentation.flip:
        views = [view[::-1] for view in views]
    return views[0], views[1], views[2]


def _resize(view: Pixels, side: int) -> Pixels:
    if side == view.shape[0]:
        return view
    resized = cv2.resize(view, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(resized, np.float32).clip(0, 1)


def _size(file: DecodedImage) -> str:
    height, width = file.codes.shape[:2]
    return f"{width} x {height}"


def _nbytes(picture: Picture) -> int:
    return sum(file.codes.nbytes for file in picture)


def epoch_steps(epochs: float, pictures: int, batch: int) -> int:
    """Return the number of steps in which so many pictures are used `epochs` times, rounded up."""
    return math.ceil(epochs * pictures / batch)
