"""Depth maps of photographs: metres from the lens, without holes, upright like their photograph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from dpanet.containers.exif import orientation
from dpanet.containers.header import Header
from dpanet.datasets.upright import turn_upright, upright_size
from dpanet.errors import DatasetError, UnreadableImageError, shown
from dpanet.images.reading import read_file

SUFFIXES = (".png", ".npy")


def find_depth_maps(folder: Path, photographs: Sequence[Path]) -> tuple[Path, ...]:
    """Find NAME.png or NAME.npy in `folder` for each photograph NAME.

    Raises: DatasetError if `folder` is no folder, or a photograph has no map or two.
    """
    if not folder.is_dir():
        raise DatasetError(f"{shown(folder)} is no folder; name one with a depth map for each photograph")
    maps = []
    for photograph in photographs:
        files = [path for s in SUFFIXES if (path := folder / f"{photograph.stem}{s}").is_file()]
        if len(files) != 1:
            what, name = "both" if files else "neither", shown(photograph.stem)
            raise DatasetError(
                f"{shown(folder)} has {what} of {name}.png (16 bits, mm) and {name}.npy (m) for the "
                f"photograph {shown(photograph.name)}; give one depth map for each"
            )
        maps.append(files[0])
    return tuple(maps)


def read_depth_of(photograph: Header, path: Path) -> NDArray[np.float64]:
    """Read the depth map of a photograph, to lie on the upright photograph.

    A map with an orientation of its own is brought upright by that. A map without one is taken to be upright if its
    size is that of the upright photograph; if it has the size of the stored pixels alone, it is turned with them.

    Args:    photograph: header of the photograph. path: of the map.
    Returns: (H, W), m from the lens, above zero, of the upright photograph.
    Raises:  DatasetError if the sizes differ; UnreadableImageError as `read_depth`.
    """
    depth, turned = read_depth(path)
    stored = photograph.height, photograph.width
    wanted = upright_size(*stored, photograph.orientation)
    if depth.shape == wanted:
        return depth
    if depth.shape == stored and not turned:
        return np.ascontiguousarray(turn_upright(depth, photograph.orientation))
    height, width = wanted
    raise DatasetError(
        f"{shown(path)} is {depth.shape[1]} x {depth.shape[0]} px, its photograph {width} x {height}"
        f"{', both upright' if turned or photograph.orientation != 1 else ''}; give a depth map of the photograph's "
        "size"
    )


def read_depth(path: Path) -> tuple[NDArray[np.float64], bool]:
    """Read a depth map: a 16-bit gray PNG in mm, or an .npy file in m; upright, as its own EXIF orientation says.

    0, negative numbers and NaN are unknown, and take the depth of the nearest known pixel; infinity is a depth.

    Returns: (H, W), m from the lens, above zero; and whether an orientation of its own was applied.
    Raises:  UnreadableImageError if it is no such file, or no depth in it is known.
    """
    turned = 1
    if path.suffix.lower() == ".npy":
        depth = _read_array(path)
    else:
        file = read_file(path)
        codes = file.stored_codes
        if codes.ndim != 2 or codes.dtype != np.uint16:
            raise UnreadableImageError(
                f"{shown(path)} is no 16-bit gray picture; write the depth in mm as one, or in m as .npy"
            )
        if not file.opaque:
            raise UnreadableImageError(
                f"{shown(path)} has transparent pixels; write a depth map without alpha, and 0 where it is unknown"
            )
        turned = orientation(file.exif)
        depth = turn_upright(codes, turned).astype(np.float64) / 1000
    known = depth > 0  # false for NaN, true for infinity
    if not known.any():
        raise UnreadableImageError(
            f"{shown(path)} holds no depth above zero; write mm in a PNG or m in an .npy file"
        )
    return depth if known.all() else depth[nearest_known(known)], turned != 1


def _read_array(path: Path) -> NDArray[np.float64]:
    try:
        depth = np.asarray(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise UnreadableImageError(
            f"{shown(path)} is no readable array ({error}); save it with numpy.save"
        ) from error
    if depth.ndim != 2 or depth.dtype.kind not in "fiu":
        raise UnreadableImageError(
            f"{shown(path)} holds {depth.dtype} numbers of shape {depth.shape}; a depth map is height x width, in "
            "metres"
        )
    return depth.astype(np.float64)


def nearest_known(known: NDArray[np.bool_]) -> tuple[NDArray[np.intp], ...]:
    """Return (rows, columns) of the known pixel that is nearest to each pixel, each (H, W); itself if known."""
    places = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return tuple(places)
