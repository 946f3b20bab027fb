"""The Pixel 4 captures of Xin et al. as they publish them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dpanet.datasets.captures import (
    CALIBRATION,
    PIXEL4_TRUTHS,
    WHITE_SHEETS,
    Capture,
    load_pixel4,
    load_white_sheets,
)
from dpanet.datasets.inspection import Inspection, Listing, existing
from dpanet.datasets.scene import Scene
from dpanet.images.raw import PIXEL4, RawFormat

DEFOCUS_MAPS = "gt_defocus_map"


def find_pixel4(
    inspection: Inspection, root: Path, calibration: Path | None = None, format: RawFormat = PIXEL4
) -> list[Scene]:
    """The scenes of a Pixel 4 folder in order of name.

    Layout: as `load_pixel4` and `load_white_sheets` say; the white sheets lie in ``calibration`` of the root,
            or where `calibration` points, and what else lies there is left alone. Where there is a folder
            ``gt_defocus_map``, it holds the true defocus map ``NAME_gt.png`` of every scene, 8 or 16 bits.
    """
    sheets = root / CALIBRATION if calibration is None else calibration
    for name in WHITE_SHEETS:
        if (sheets / name).is_file():
            _check(inspection, sheets / name, format.size)
        else:
            inspection.note(f"{inspection.name(sheets / name)} is missing")
    left, right = _views(inspection, root)
    truths = inspection.listing(root / PIXEL4_TRUTHS, "_gt")
    maps = inspection.listing(root / DEFOCUS_MAPS, "_gt") if (root / DEFOCUS_MAPS).is_dir() else None
    names = inspection.agree([left, right, truths] if maps is None else [left, right, truths, maps])
    top, bottom, first, last = format.crop or (0, format.size[0], 0, format.size[1])
    field = (bottom - top, last - first)
    scenes = []
    for name in names:
        one, other = left.files.get(name), right.files.get(name)
        for view in existing(one, other):
            _check(inspection, view, format.size)
        truth = None if truths is None else truths.files.get(name)
        if truth is not None:
            _check(inspection, truth, field, channels=(1, 3))
        map = None if maps is None else maps.files.get(name)
        if map is not None:
            _check(inspection, map, field, bits=(8, 16))
        if one is not None and other is not None and truth is not None:
            load = partial(_load, name, root, sheets, format)
            white_sheets = tuple(sheets / sheet for sheet in WHITE_SHEETS)
            scenes.append(Scene(name, one, other, truth, load, defocus=map, calibration=white_sheets))
    return scenes


def _load(name: str, root: Path, sheets: Path, format: RawFormat) -> Capture:
    return load_pixel4(name, root, load_white_sheets(sheets, format), format)


def _views(inspection: Inspection, root: Path) -> tuple[Listing, Listing]:
    sides: dict[str, dict[str, Path]] = {"left": {}, "right": {}}
    for path in inspection.pictures(root) or []:
        name, _, side = path.stem.rpartition("_")
        if name and side in sides and path.suffix == ".png":
            sides[side][name] = path
        else:
            inspection.note(f"{path.name} is an extra file (neither NAME_left.png nor NAME_right.png)")
    left, right = (Listing(root, files, f"_{side}.png") for side, files in sides.items())
    return left, right


def _check(
    inspection: Inspection,
    path: Path,
    size: tuple[int, int],
    bits: tuple[int, ...] = (16,),
    channels: tuple[int, ...] = (1,),
) -> None:
    """Whether the file has that (height, width), and one of those depths and numbers of channels."""
    header = inspection.header(path)
    if header is None:
        return
    name = inspection.name(path)
    if header.bits not in bits:
        inspection.note(f"{name} has {header.bits} bits where {' or '.join(map(str, bits))} are expected")
    if (header.height, header.width) != size:
        inspection.note(f"{name} is {header.width} x {header.height} px and not {size[1]} x {size[0]} px")
    if header.channels not in channels:
        inspection.note(f"{name} has {header.channels} channels and not {' or '.join(map(str, channels))}")
