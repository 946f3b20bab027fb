"""The Canon captures that DPDNet's authors publish as videos: frames become pairs with their truth.

Each scene has two videos. `animated_DP_examples/NAME.mp4` repeats left, combined, right, combined, three frames each.
`animated_results/NAME_DPNet.mp4` repeats the blurred input, DPDNet's picture and the truth, thirty frames each.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dpanet.errors import DatasetError, UnreadableImageError
from dpanet.images.pairing import natural_key
from dpanet.images.writing import write_picture
from dpanet.pair import Picture

VIEWS, RESULTS = "animated_DP_examples", "animated_results"
"""Folders of the views' and of the results' videos."""

CAPTION_ROWS = 96
"""Rows at the top of each frame that hold a caption, px."""

TRANSITION = 9
"""Frames at the beginning of each showing of a result that still show the one before."""

Sums = dict[str, tuple[NDArray[np.float64], int]]
"""By part of the scene: the sum of its frames and their number."""


def view_of_frame(index: int) -> str | None:
    """Return what a frame of the views' video shows: ``left``, ``right``, or None for the combined picture."""
    return {0: "left", 2: "right"}.get(index // 3 % 4)


def result_of_frame(index: int) -> str | None:
    """Return what a frame of the results' video shows: ``dpdnet``, ``sharp``, or None for anything else."""
    if index % 30 < TRANSITION:
        return None
    return {1: "dpdnet", 2: "sharp"}.get(index // 30 % 3)


def find_videos(root: Path) -> list[tuple[str, Path, Path]]:
    """List the scenes of a folder in natural order: name, video of the views, video of the results.

    Raises: DatasetError if there are none, or a video has no partner.
    """
    views = {path.stem: path for path in (root / VIEWS).glob("*.mp4")}
    results = {path.stem.removesuffix("_DPNet"): path for path in (root / RESULTS).glob("*_DPNet.mp4")}
    if not views and not results:
        raise DatasetError(
            f"{root} has no videos {VIEWS}/NAME.mp4 and {RESULTS}/NAME_DPNet.mp4; give the folder that holds both"
        )
    alone = sorted(views.keys() ^ results.keys(), key=natural_key)
    if alone:
        where = RESULTS if alone[0] in views else VIEWS
        raise DatasetError(f"{root / where} lacks the video of {alone[0]}; add it, or remove its partner")
    return [(name, views[name], results[name]) for name in sorted(views, key=natural_key)]


def extract_scene(name: str, views: Path, results: Path, folder: Path, overwrite: bool = False) -> None:
    """Write NAME_left.png, NAME_right.png, NAME_dpdnet.png and NAME_sharp.png, 8 bits, of one scene.

    Each picture is the mean of all frames that show it, which removes most of the codec's noise.

    Raises: UnreadableImageError if a video cannot be decoded or does not show all parts; OutputError if a file exists
            (without `overwrite`) or cannot be written.
    """
    parts = mean_frames(views, view_of_frame, ("left", "right"))
    parts |= mean_frames(results, result_of_frame, ("dpdnet", "sharp"))
    for part, pixels in parts.items():
        picture = Picture(pixels, "srgb", {})
        write_picture(picture, folder / f"{name}_{part}.png", bits=8, overwrite=overwrite)


def mean_frames(
    video: Path, part_of_frame: Callable[[int], str | None], parts: tuple[str, ...]
) -> dict[str, NDArray[np.float32]]:
    """Average the frames of each part of a video, without the caption.

    Returns: by part, H x W x 3, RGB, display-encoded, 0..1.
    Raises:  UnreadableImageError if the video cannot be decoded or a part is missing.
    """
    reader = cv2.VideoCapture(str(video))
    sums: Sums = {}
    index = 0
    try:
        while True:
            there, frame = reader.read()
            if not there:
                break
            part = part_of_frame(index)
            if part is not None:
                total, count = sums.get(part, (np.zeros(frame[CAPTION_ROWS:].shape), 0))
                sums[part] = (total + frame[CAPTION_ROWS:], count + 1)
            index += 1
    finally:
        reader.release()
    missing = [part for part in parts if part not in sums]
    if missing:
        raise UnreadableImageError(
            f"{video} has {index} frames that can be decoded, none of which shows {' or '.join(missing)}; "
            "copy the file again"
        )
    return {
        part: np.ascontiguousarray((total / (255 * count))[..., ::-1], dtype=np.float32)
        for part, (total, count) in sums.items()
    }
