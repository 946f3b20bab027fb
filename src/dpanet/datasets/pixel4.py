"""The layout ``pixel4``: the Pixel 4 captures of Xin et al., as they publish them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpanet.datasets.captures import Capture, read_linear
from dpanet.datasets.dataset_check import DatasetCheck, NamedFiles, existing
from dpanet.datasets.scene import Scene
from dpanet.errors import PairError
from dpanet.images.raw import PIXEL4, RawFormat
from dpanet.images.raw_pair import read_flat_field, read_raw_pair

TRUTHS = "gt_all_in_focus_im"
DEFOCUS_MAPS = "gt_defocus_map"
CALIBRATION = "calibration"
WHITE_SHEETS = ("white_sheet_left.png", "white_sheet_right.png")


def find_pixel4(
    check: DatasetCheck, root: Path, calibration: Path | None = None, format: RawFormat = PIXEL4
) -> list[Scene]:
    """List the scenes of a Pixel 4 folder, sorted by name; problems go to `check`.

    Files: see `read_pixel4_capture` and `read_sheets_flat_field`. If there is a folder ``gt_defocus_map``, it has the
    true defocus map ``NAME_gt.png`` of every scene, 8 or 16 bits.

    Args:
        check: collects the problems.
        root: the folder.
        calibration: folder of the white sheets, ``calibration`` in the root if None; other files there are ignored.
        format: of the raw views.
    """
    sheets = root / CALIBRATION if calibration is None else calibration
    for name in WHITE_SHEETS:
        if (sheets / name).is_file():
            _check_file(check, sheets / name, format.size)
        else:
            check.add_problem(f"{check.relative_name(sheets / name)} is missing")
    left, right = _list_views(check, root)
    truths = check.list_by_name(root / TRUTHS, "_gt")
    maps = check.list_by_name(root / DEFOCUS_MAPS, "_gt") if (root / DEFOCUS_MAPS).is_dir() else None
    names = check.match_names([left, right, truths] if maps is None else [left, right, truths, maps])
    top, bottom, first, last = format.crop or (0, format.size[0], 0, format.size[1])
    cropped = (bottom - top, last - first)
    scenes = []
    for name in names:
        one, other = left.files.get(name), right.files.get(name)
        for view in existing(one, other):
            _check_file(check, view, format.size)
        truth = None if truths is None else truths.files.get(name)
        if truth is not None:
            _check_file(check, truth, cropped, channels=(1, 3))
        map = None if maps is None else maps.files.get(name)
        if map is not None:
            _check_file(check, map, cropped, bits=(8, 16))
        if one is not None and other is not None and truth is not None:
            load = partial(_read_scene, name, root, sheets, format)
            white_sheets = tuple(sheets / sheet for sheet in WHITE_SHEETS)
            scenes.append(Scene(name, one, other, truth, load, defocus=map, calibration=white_sheets))
    return scenes


def read_pixel4_capture(
    name: str, folder: Path, flat_field: NDArray[np.float32], format: RawFormat = PIXEL4
) -> Capture:
    """Read one scene of a Pixel 4 folder: linear, its white is the larger maximum of the developed views.

    Files: ``NAME_left.png`` and ``NAME_right.png``, raw 16-bit codes; ``gt_all_in_focus_im/NAME_gt.png``, the truth
    of the central field, 16 bits, linear, code / 65535 on the scale of the developed views.

    Args:
        name: of the scene.
        folder: the Pixel 4 folder.
        flat_field: of `read_sheets_flat_field`.
        format: of the raw views.

    Raises:
        UnreadableImageError: for a missing or damaged file.
        PairError: for a file of another size or depth, and for black views.

    Source:
        Xin et al., ICCV 2021.
    """
    pair = read_raw_pair(folder / f"{name}_left.png", folder / f"{name}_right.png", format, flat_field)
    truth = read_linear(folder / TRUTHS / f"{name}_gt.png")
    white = float(max(pair.left.max(), pair.right.max()))
    if white <= 0:
        raise PairError(f"scene {name}: both views are black; a score needs light, so give another capture")
    return Capture(name, pair, truth, white)


def read_sheets_flat_field(folder: Path, format: RawFormat = PIXEL4) -> NDArray[np.float32]:
    """Return the flat-field ratio of the two white sheets in a folder; see `flat_field_ratio`."""
    return read_flat_field(folder / WHITE_SHEETS[0], folder / WHITE_SHEETS[1], format)


def _read_scene(name: str, root: Path, sheets: Path, format: RawFormat) -> Capture:
    return read_pixel4_capture(name, root, read_sheets_flat_field(sheets, format), format)


def _list_views(check: DatasetCheck, root: Path) -> tuple[NamedFiles, NamedFiles]:
    sides: dict[str, dict[str, Path]] = {"left": {}, "right": {}}
    for path in check.list_pictures(root) or []:
        name, _, side = path.stem.rpartition("_")
        if name and side in sides and path.suffix == ".png":
            sides[side][name] = path
        else:
            check.add_problem(f"{path.name} is an extra file (neither NAME_left.png nor NAME_right.png)")
    left, right = (NamedFiles(root, files, f"_{side}.png") for side, files in sides.items())
    return left, right


def _check_file(
    check: DatasetCheck,
    path: Path,
    size: tuple[int, int],
    bits: tuple[int, ...] = (16,),
    channels: tuple[int, ...] = (1,),
) -> None:
    """Check a file's size (height, width), bit depth and number of channels."""
    header = check.read_header(path)
    if header is None:
        return
    name = check.relative_name(path)
    if header.bits not in bits:
        check.add_problem(f"{name} has {header.bits} bits where {' or '.join(map(str, bits))} are expected")
    if (header.height, header.width) != size:
        check.add_problem(f"{name} is {header.width} x {header.height} px and not {size[1]} x {size[0]} px")
    if header.channels not in channels:
        check.add_problem(f"{name} has {header.channels} channels and not {' or '.join(map(str, channels))}")
