"""Photographs to simulate from: find and check them, split them for training and validation, and read them."""

from __future__ import annotations

import csv
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dpanet.containers.exif import orientation
from dpanet.datasets.upright import turn_upright
from dpanet.errors import DatasetError, ImageWarning, UnreadableImageError, counted, shown
from dpanet.images.encoding import dequantize, linear_to_srgb
from dpanet.images.header import read_header
from dpanet.images.pairing import SUFFIXES, natural_key
from dpanet.images.reading import read_file
from dpanet.images.value_scale import warn_of_encoding, warn_of_scale

HELD_OUT_EVERY = 20
"""One photograph of so many is held out, if no list says which."""

_OTHER_PICTURES = (
    *(
        ".heic",
        ".heif",
        ".jxl",
        ".jp2",
        ".bmp",
        ".gif",
        ".psd",
        ".exr",
        ".hdr",
        ".dng",
    ),
    *(".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".raf", ".rw2", ".orf", ".pef", ".srw"),
    *(".3fr", ".iiq", ".x3f", ".raw"),
)
"""Suffixes of pictures in other formats; such files are named when they are left out."""

_THREADS = 4
"""Photographs that are checked at once; each takes the memory of its pixels."""

_STRIP = 256
"""Rows that are converted at once, so that no second full-size copy exists."""


def find_photographs(source: Path) -> tuple[Path, ...]:
    """List the image files of a folder in natural order of name (or the one file named), headers checked.

    Pictures in formats that are not read are left out with a warning that names them.

    Raises: DatasetError if there are none; it lists all files that are no image, were cut short or are too large.
    """
    try:
        paths = [source] if source.is_file() else list(source.iterdir())
    except OSError as error:
        raise DatasetError(
            f"{shown(source)} cannot be listed ({error.strerror}); name a folder of photographs"
        ) from error
    visible = [path for path in paths if path.name[0] != "." and path.is_file()]
    files = [path for path in visible if path.suffix.lower() in SUFFIXES]
    if not files:
        raise DatasetError(
            f"{shown(source)} holds no photographs ({', '.join(SUFFIXES)}); name a folder that does"
        )
    _warn_of_other_pictures(source, [path for path in visible if path not in set(files)])
    files.sort(key=lambda path: natural_key(path.name))
    _check_each(source, files, read_header, 1)
    return tuple(files)


def check_photographs(files: Sequence[Path]) -> None:
    """Decode every photograph once, so that none of them stops the work that follows.

    Raises: DatasetError that lists all photographs that are damaged, transparent, or contain NaN or infinity.
    """
    if files:
        threads = max(1, min(_THREADS, os.cpu_count() or 1))
        _check_each(files[0].parent, files, read_photograph, threads)


def read_photograph(path: Path) -> NDArray[np.uint8]:
    """Read a photograph for a scene: upright, display-encoded, 8 bits.

    Gray is repeated in three channels. Values that the file states to be linear are encoded as sRGB; values beyond
    white are clipped.

    Returns: (H, W, 3).
    Raises:  UnreadableImageError if it cannot be read, is transparent, or contains NaN or infinity.
    """
    file = read_file(path)
    warn_of_scale(file)
    warn_of_encoding(file)
    codes = file.codes
    if not file.opaque:
        raise UnreadableImageError(
            f"{shown(path)} has transparent pixels, and what is behind them is unknown; export it without an alpha "
            "channel"
        )
    color = np.empty((*codes.shape[:2], 3), np.uint8)
    for top in range(0, len(codes), _STRIP):
        rows = codes[top : top + _STRIP]
        if rows.dtype.kind == "f" and not np.isfinite(rows).all():
            raise UnreadableImageError(
                f"{shown(path)} contains NaN or infinity; every pixel must be a number, so repair the file"
            )
        if file.encoding == "linear":
            rows = linear_to_srgb(rows.astype(np.float32) if rows.dtype.kind == "f" else dequantize(rows))
        if rows.dtype != np.uint8:
            values = np.clip(rows.astype(np.float32) / np.float32(_white(rows.dtype)), 0, 1)
            rows = np.rint(values * 255).astype(np.uint8)
        color[top : top + _STRIP] = rows[..., None] if rows.ndim == 2 else rows
    return np.ascontiguousarray(turn_upright(color, orientation(file.exif)))


def split_photographs(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the photographs of a folder to train on, and those held out.

    ``SOURCES.csv`` (columns file and split; split is ``train`` or another word) decides, if the folder has one; a
    warning counts the photographs that it does not name, which are left out. Otherwise the first of every
    `HELD_OUT_EVERY` is held out, or none of fewer.

    Raises:
        DatasetError: if there are no photographs, one of them cannot be read, or a file of the list is missing.
    """
    files = find_photographs(folder)
    sources = folder / "SOURCES.csv"
    if not sources.exists():
        if len(files) < HELD_OUT_EVERY:
            return list(files), []
        held_out = set(files[::HELD_OUT_EVERY])
        return [file for file in files if file not in held_out], sorted(held_out)
    split = _read_split(sources)
    by_name = {file.name: file for file in files}
    missing = [name for name in split if name not in by_name]
    if missing:
        raise DatasetError(
            f"{shown(folder / missing[0])} is missing, but {shown(sources)} names it; restore it or remove its line"
        )
    training = [by_name[name] for name in split if split[name] == "train"]
    if not training:
        raise DatasetError(f"{shown(sources)} has no line whose split is train; correct or remove it")
    unnamed = [name for name in by_name if name not in split]
    if unnamed:
        warnings.warn(
            f"{shown(sources)} does not name {counted(len(unnamed), 'photograph')} of its folder, which will not be "
            f"used: {_listed(unnamed)}",
            ImageWarning,
            stacklevel=2,
        )
    return training, [by_name[name] for name in split if split[name] != "train"]


def _read_split(sources: Path) -> dict[str, str]:
    """Return the split of each file that a list names."""
    try:
        # A name that is not UTF-8 is kept as Python keeps it in paths.
        with sources.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as stream:
            split = {row["file"]: row["split"] for row in csv.DictReader(stream)}
    except (KeyError, OSError, csv.Error) as error:
        raise DatasetError(f"{shown(sources)} has no columns file and split; correct or remove it") from error
    if not all(name and part for name, part in split.items()):
        raise DatasetError(f"{shown(sources)} has a line without file or split; complete or remove it")
    return split


def _check_each(source: Path, files: Sequence[Path], read: Callable[[Path], object], threads: int) -> None:
    """Read every file; raise one error that lists those that cannot be read."""

    def problem_of(path: Path) -> str | None:
        try:
            read(path)
        except UnreadableImageError as error:
            return str(error)
        return None

    if threads == 1:
        problems = [text for path in files if (text := problem_of(path))]
    else:
        with ThreadPoolExecutor(threads) as pool:
            problems = [text for text in pool.map(problem_of, files) if text]
    if len(files) == 1 and problems:
        raise UnreadableImageError(problems[0])
    if problems:
        raise DatasetError(
            f"{len(problems)} of the {len(files)} photographs in {shown(source)} cannot be used: "
            f"{_listed([text.replace('; ', ', ') for text in problems], '; ')}; mend or remove them",
            tuple(problems),
        )


def _warn_of_other_pictures(source: Path, paths: Sequence[Path]) -> None:
    others = sorted(path.name for path in paths if path.suffix.lower() in _OTHER_PICTURES)
    if others:
        warnings.warn(
            f"{shown(source)} has {counted(len(others), 'picture')} in formats that are not read, which will not be "
            f"used: {_listed(others)}; export them as PNG, TIFF or JPEG",
            ImageWarning,
            stacklevel=3,
        )


def _listed(names: Sequence[str], separator: str = ", ", most: int = 10) -> str:
    """Return the first names, and the number of the others."""
    texts = [shown(name) for name in names[:most]]
    return separator.join(texts + ([f"and {len(names) - most} more"] if len(names) > most else []))


def _white(kind: np.dtype[Any]) -> float:
    return 1.0 if kind.kind == "f" else float(np.iinfo(kind).max)


def scikit_image_photographs(held_out: bool = False) -> list[torch.Tensor]:
    """Return photographs of scikit-image, (3, H, W) uint8: three to train on, or the one held out."""
    from skimage.data import astronaut, chelsea, coffee, rocket

    pictures = (coffee,) if held_out else (astronaut, chelsea, rocket)
    arrays = [np.asarray(picture()).transpose(2, 0, 1) for picture in pictures]  # type: ignore[no-untyped-call]
    return [torch.from_numpy(array.copy()) for array in arrays]
