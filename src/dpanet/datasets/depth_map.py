"""Depth maps of photographs: metres from the lens, without holes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from dpanet.errors import DatasetError, UnreadableImageError
from dpanet.images.reading import read_codes

SUFFIXES = (".png", ".npy")


def find_depth_maps(folder: Path, photographs: Sequence[Path]) -> tuple[Path, ...]:
    """Find NAME.png or NAME.npy in `folder` for each photograph NAME.

    Raises: DatasetError if `folder` is no folder, or a photograph has no map or two.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is no folder; name one with a depth map for each photograph")
    maps = []
    for photograph in photographs:
        files = [path for s in SUFFIXES if (path := folder / f"{photograph.stem}{s}").is_file()]
        if len(files) != 1:
            what = "both" if files else "neither"
            raise DatasetError(
                f"{folder} has {what} of {photograph.stem}.png (16 bits, mm) and {photograph.stem}.npy (m) for the "
                f"photograph {photograph.name}; give one depth map for each"
            )
        maps.append(files[0])
    return tuple(maps)


def read_depth(path: Path) -> NDArray[np.float64]:
    """Read a depth map: a 16-bit gray PNG in mm, or an .npy file in m.

    0, negative numbers and NaN are unknown, and take the depth of the nearest known pixel; infinity is a depth.

    Returns: (H, W), m from the lens, above zero.
    Raises:  UnreadableImageError if it is no such file, or no depth in it is known.
    """
    if path.suffix.lower() == ".npy":
        try:
            depth = np.asarray(np.load(path, allow_pickle=False))
        except (OSError, ValueError, EOFError) as error:
            raise UnreadableImageError(
                f"{path} is no readable array ({error}); save it with numpy.save"
            ) from error
        if depth.ndim != 2 or depth.dtype.kind not in "fiu":
            raise UnreadableImageError(
                f"{path} holds {depth.dtype} numbers of shape {depth.shape}; a depth map is height x width, in metres"
            )
        depth = depth.astype(np.float64)
    else:
        codes = read_codes(path)
        if codes.ndim != 2 or codes.dtype != np.uint16:
            raise UnreadableImageError(
                f"{path} is no 16-bit gray picture; write the depth in mm as one, or in m as .npy"
            )
        depth = codes.astype(np.float64) / 1000
    known = depth > 0  # false for NaN, true for infinity
    if not known.any():
        raise UnreadableImageError(
            f"{path} holds no depth above zero; write mm in a PNG or m in an .npy file"
        )
    return depth if known.all() else depth[nearest_known(known)]


def nearest_known(known: NDArray[np.bool_]) -> tuple[NDArray[np.intp], ...]:
    """Return (rows, columns) of the known pixel that is nearest to each pixel, each (H, W); itself if known."""
    places = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return tuple(places)
