"""Photographs to simulate from: find them, and split them for training and validation."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import torch

from dpanet.errors import DatasetError
from dpanet.images.header import read_header
from dpanet.images.pairing import SUFFIXES, natural_key

HELD_OUT_EVERY = 20
"""One photograph of so many is held out, if no list says which."""


def find_photographs(source: Path) -> tuple[Path, ...]:
    """List the image files of a folder in natural order of name (or the one file named), headers checked.

    Raises: DatasetError if there are none; UnreadableImageError for a file that is no image or was cut short.
    """
    try:
        paths = [source] if source.is_file() else list(source.iterdir())
    except OSError as error:
        raise DatasetError(
            f"{source} cannot be listed ({error.strerror}); name a folder of photographs"
        ) from error
    files = [path for path in paths if path.suffix.lower() in SUFFIXES and path.name[0] != "."]
    if not files:
        raise DatasetError(f"{source} holds no photographs ({', '.join(SUFFIXES)}); name a folder that does")
    files.sort(key=lambda path: natural_key(path.name))
    for path in files:
        read_header(path)
    return tuple(files)


def split_photographs(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the photographs of a folder to train on, and those held out.

    ``SOURCES.csv`` (columns file and split; split is ``train`` or another word) decides, if the folder has one.
    Otherwise the first of every `HELD_OUT_EVERY` is held out, or none of fewer.

    Raises:
        DatasetError: if there are no photographs, or a file of the list is missing.
        UnreadableImageError: if a header cannot be read.
    """
    files = find_photographs(folder)
    sources = folder / "SOURCES.csv"
    if not sources.exists():
        if len(files) < HELD_OUT_EVERY:
            return list(files), []
        held_out = set(files[::HELD_OUT_EVERY])
        return [file for file in files if file not in held_out], sorted(held_out)
    try:
        with sources.open(newline="", encoding="utf-8") as stream:
            split = {row["file"]: row["split"] for row in csv.DictReader(stream)}
    except (KeyError, UnicodeDecodeError) as error:
        raise DatasetError(f"{sources} has no columns file and split; correct or remove it") from error
    by_name = {file.name: file for file in files}
    missing = [name for name in split if name not in by_name]
    if missing:
        raise DatasetError(
            f"{folder / missing[0]} is missing, but {sources} names it; restore it or remove its line"
        )
    training = [by_name[name] for name in split if split[name] == "train"]
    if not training:
        raise DatasetError(f"{sources} has no line whose split is train; correct or remove it")
    return training, [by_name[name] for name in split if split[name] != "train"]


def scikit_image_photographs(held_out: bool = False) -> list[torch.Tensor]:
    """Return photographs of scikit-image, (3, H, W) uint8: three to train on, or the one held out."""
    from skimage.data import astronaut, chelsea, coffee, rocket

    pictures = (coffee,) if held_out else (astronaut, chelsea, rocket)
    arrays = [np.asarray(picture()).transpose(2, 0, 1) for picture in pictures]  # type: ignore[no-untyped-call]
    return [torch.from_numpy(array.copy()) for array in arrays]
