"""Real pairs with their truth as a source of scenes to train on."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from dpanet.datasets import open_dataset
from dpanet.datasets.inspection import Inspection
from dpanet.errors import ConfigError, DatasetError, PairError
from dpanet.images.decoded import Decoded
from dpanet.images.reading import read_file, read_views, to_pixels
from dpanet.pair import SMALLEST_SIDE, Pixels
from dpanet.simulation.scene import Scenes
from dpanet.training.dpdd_patches import UNFINISHED

KEPT = 2**30
"""Bytes of decoded pictures that a source keeps."""

_READERS = 4
"""Scenes read at once."""

_ORDER = 1
"""Sets the generators of the order apart from those of the scenes, whose seeds have no fourth number."""

Picture = tuple[Decoded, Decoded, Decoded]
"""Left view, right view, truth."""


@dataclass(frozen=True)
class Augmentation:
    """What is done to a picture at random.

    mirror: left and right sides change places, and so do the views (half of the time).
    flip:   top and bottom change places (half of the time).
    resize: (low, high), px, both even: a window of `low` px is brought to a random even side of low..high by cubic
            interpolation, and the patch is cut from that; values that overshoot are clipped. (512, 638) is DPDD's.
    """

    mirror: bool = True
    flip: bool = True
    resize: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.resize is not None:
            low, high = self.resize
            if not SMALLEST_SIDE <= low <= high or low % 2 or high % 2:
                raise ConfigError(
                    f"resize is {low}, {high}; it must be two even numbers of pixels, the smaller first, "
                    f"from {SMALLEST_SIDE} on, such as 512, 638"
                )


class PairSource:
    """Patches of the pictures of a folder: NAME_left, NAME_right and NAME_sharp, PNG or TIFF, sRGB.

    Every picture is seen once before any is seen again: step after step the patches of the global batches are
    dealt from a shuffled stack of all pictures, and each epoch's stack is shuffled anew.

    Args:   batch: patches in the global batch of a step. patch: the largest size that will be asked for, px.
            memory: bytes of decoded pictures to keep; the first ones read stay, the others are read each time,
            since nothing is gained by keeping the last ones when a shuffled whole does not fit.
    Raises: DatasetError, once, with all problems of the files: those of layout ``pairs`` of `open_dataset`, and
            pictures smaller than the patch or the window of `resize`; ConfigError for sizes that do not go
            together.
    """

    def __init__(
        self,
        folder: Path,
        *,
        batch: int,
        patch: int,
        augmentation: Augmentation | None = None,
        memory: int = KEPT,
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
        self._kept: dict[int, Picture] = {}
        self._room = memory
        self._order: tuple[tuple[int, ...], list[int]] = ((), [])

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self._scenes)

    def scenes(self, seeds: Sequence[Sequence[int]], size: int, strength: float = 1.0) -> Scenes:
        """One patch for each of `seeds`, (N, 3, size, size), float32, display-encoded, 0..1; no blur radius.

        seeds:    each [run seed, step, number in the global batch], and the patch depends on nothing else.
        strength: has no meaning here, since the blur is the camera's.
        Raises:   UnreadableImageError or PairError naming a file that has become damaged; ConfigError for a size
                  above `patch`.
        """
        if size > self.patch:
            raise ConfigError(f"patches of {size} px are asked for; at most {self.patch} px were announced")
        places = [self.place(seed) for seed in seeds]
        with ThreadPoolExecutor(max(1, min(len(places), _READERS, os.cpu_count() or 1))) as pool:
            made = list(pool.map(self._scene, places, seeds, repeat(size)))
        for place, (picture, _) in zip(places, made, strict=True):
            self._keep(place, picture)
        left, right, truth = (torch.stack([views[part] for _, views in made]) for part in range(3))
        return Scenes(left, right, truth, None)

    def place(self, seed: Sequence[int]) -> int:
        """The number of the picture (in natural order of name) that a scene is cut from."""
        *run, step, index = seed
        epoch, number = divmod(step * self.batch + index, len(self))
        key = (*run, epoch)
        if self._order[0] != key:
            self._order = key, np.random.default_rng([*key, 0, _ORDER]).permutation(len(self)).tolist()
        return self._order[1][number]

    def _check_sizes(self, window: int) -> None:
        inspection = Inspection(self.folder)
        for scene in self._scenes:
            view = scene.files[0]
            header = inspection.header(view)
            if header and min(header.width, header.height) < window:
                size = f"{header.width} x {header.height} px"
                inspection.note(f"{inspection.name(view)} is {size}, under the patch's {window}")
        inspection.finish("pairs to train on")

    def _scene(self, place: int, seed: Sequence[int], size: int) -> tuple[Picture | None, list[Tensor]]:
        """The views, and the whole picture where there was room for it."""
        picture = self._kept.get(place) or self._read(place)
        views = cut(np.random.default_rng(list(seed)), picture, size, self.augmentation)
        parts = [torch.from_numpy(np.ascontiguousarray(view.transpose(2, 0, 1))) for view in views]
        return picture if _nbytes(picture) <= self._room else None, parts

    def _keep(self, place: int, picture: Picture | None) -> None:
        if picture is not None and place not in self._kept and _nbytes(picture) <= self._room:
            self._kept[place] = picture
            self._room -= _nbytes(picture)

    def _read(self, place: int) -> Picture:
        one, other, truth = self._scenes[place].files
        left, right = read_views(one, other)
        sharp = read_file(truth)
        if sharp.codes.shape[:2] != left.codes.shape[:2]:
            raise PairError(f"{truth} is not of the size of {one}; give the truth that belongs to the views")
        return left, right, sharp


def cut(
    rng: Generator, picture: Picture, size: int, augmentation: Augmentation
) -> tuple[Pixels, Pixels, Pixels]:
    """A patch of left view, right view and truth, each (size, size, 3), float32, 0..1, all from one place."""
    window = size if augmentation.resize is None else augmentation.resize[0]
    height, width = picture[0].codes.shape[:2]
    top, left = int(rng.integers(height - window + 1)), int(rng.integers(width - window + 1))
    views = [
        to_pixels(Decoded(file.path, file.codes[top : top + window, left : left + window])).clip(0, 1)
        for file in picture
    ]
    if augmentation.resize is not None:
        side = 2 * int(rng.integers(window // 2, augmentation.resize[1] // 2 + 1))
        views = [_resized(view, side) for view in views]
        top, left = (int(offset) for offset in rng.integers(side - size + 1, size=2))
        views = [view[top : top + size, left : left + size] for view in views]
    if rng.random() < 0.5 and augmentation.mirror:
        views = [view[:, ::-1] for view in (views[1], views[0], views[2])]
    if rng.random() < 0.5 and augmentation.flip:
        views = [view[::-1] for view in views]
    return views[0], views[1], views[2]


def _resized(view: Pixels, side: int) -> Pixels:
    if side == view.shape[0]:
        return view
    resized = cv2.resize(view, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(resized, np.float32).clip(0, 1)


def _nbytes(picture: Picture) -> int:
    return sum(file.codes.nbytes for file in picture)


def epoch_steps(epochs: float, pictures: int, batch: int) -> int:
    """Steps in which `pictures` are seen `epochs` times in batches of `batch`, rounded up."""
    return math.ceil(epochs * pictures / batch)


def split_folders(folder: Path) -> tuple[Path, Path | None]:
    """Where the pairs for training lie, and those for validation where there are any.

    A folder may hold ``train`` and ``val``, as `dpanet prepare-dpdd` writes them, or be the pairs itself.

    Raises: DatasetError if `dpanet prepare-dpdd` did not come to its end there.
    """
    unfinished = [split for split in ("train", "val") if (folder / f"{split}{UNFINISHED}").is_dir()]
    if unfinished:
        told = f"{folder / unfinished[0]}{UNFINISHED} is not finished"
        raise DatasetError(f"{told}; give the same dpanet prepare-dpdd command again to go on", (told,))
    if not (folder / "train").is_dir():
        return folder, None
    return folder / "train", folder / "val" if (folder / "val").is_dir() else None
