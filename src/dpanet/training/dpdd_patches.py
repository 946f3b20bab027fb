"""DPDD's pictures become folders of patches, each laid out as pairs with their truth.

    settings.json                     the rule, and which pictures it was applied to
    train/NAME_TOP_LEFT_left.png      512 px patches of 16 bits, codes as in the pictures; _right and _sharp alike
    train/patches.jsonl               one line a picture: its patches, and how sharp they are
    val/...
    .lock                             held by the process that writes there

A split is gathered under ``SPLIT.unfinished`` and gets its name when it is whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from dpanet.datasets import Scene, TrainingSplit, open_training_dataset
from dpanet.datasets.inspection import Inspection
from dpanet.errors import DatasetError, OutputError
from dpanet.files.lock import contains_files, lock_folder
from dpanet.files.output import atomic_output, make_folder
from dpanet.images.decoded_image import Codes
from dpanet.images.png import encode_png
from dpanet.images.reading import read_codes
from dpanet.training.patch_rule import CUTS, SIDE, SOBEL_SIZES, Cut, kept_windows

SETTINGS, JOURNAL, UNFINISHED = "settings.json", "patches.jsonl", ".unfinished"

_PARTS = ("left", "right", "sharp")

Splits = Mapping[TrainingSplit, tuple[Scene, ...]]
Line = dict[str, Any]


def open_splits(root: Path, side: int = SIDE) -> Splits:
    """The scenes of DPDD that training may see, all their headers checked.

    Raises: DatasetError, once, with the problems of all splits: those of `open_training_dataset`, a picture
            smaller than a patch, one that is not in three colours.
    """
    if not root.is_dir():
        told = f"{root} is not a folder"
        raise DatasetError(f"{told}; give the folder of DPDD that holds train_c, train_l, train_r", (told,))
    inspection = Inspection(root)
    splits: dict[TrainingSplit, tuple[Scene, ...]] = {}
    for split in CUTS:
        try:
            splits[split] = open_training_dataset(root, "dpdd", split).scenes
        except DatasetError as error:
            inspection.problems += error.problems
    for scene in (scene for scenes in splits.values() for scene in scenes):
        for path in scene.pictures:
            header = inspection.header(path)
            if header and min(header.width, header.height) < side:
                inspection.note(
                    f"{inspection.name(path)} is {header.width} x {header.height} px, under a patch's {side}"
                )
            if header and header.channels != 3:
                inspection.note(
                    f"{inspection.name(path)} has {header.channels} channels where 3 are expected"
                )
    inspection.finish("a data set of layout dpdd with its splits " + " and ".join(CUTS))
    return splits


class PatchFolder:
    """The folder that the patches of `splits` go to, kept from other processes until `fill` is done.

    Raises: OutputError if it holds anything but patches of the same pictures, cut in the same way, cannot be made, or
            another process writes there.
    """

    def __init__(self, folder: Path, splits: Splits, side: int = SIDE) -> None:
        self.folder, self.splits, self.side = folder, splits, side
        identity = {
            "side": side,
            "sobel_sizes": list(SOBEL_SIZES),
            "cuts": {split: asdict(cut) for split, cut in CUTS.items()},
            "pictures": {split: _fingerprint(scenes) for split, scenes in splits.items()},
        }
        settings = folder / SETTINGS
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder} is a file; name a folder to write the patches to")
        if not settings.exists() and contains_files(folder):
            raise OutputError(f"{folder} holds other files; name a new or an empty folder for the patches")
        self._lock = lock_folder(folder, *splits, *(f"{split}{UNFINISHED}" for split in splits))
        try:
            self._open(identity)
        except BaseException:
            self._lock.release()
            raise

    def _open(self, identity: Mapping[str, Any]) -> None:
        """Have this identity's settings there, and a place for each split."""
        folder, settings = self.folder, self.folder / SETTINGS
        if settings.exists() and _read(settings) != identity:
            raise OutputError(
                f"{folder} holds patches of other pictures or cut in another way; choose another folder"
            )
        if not settings.exists():
            _write(settings, (json.dumps(identity, indent=1) + "\n").encode())
        for split in self.splits:
            if not (folder / split).is_dir():
                make_folder(folder / f"{split}{UNFINISHED}")

    def place(self, split: TrainingSplit) -> Path:
        """Where the split is now."""
        whole = self.folder / split
        return whole if whole.is_dir() else self.folder / f"{split}{UNFINISHED}"

    def lines(self, split: TrainingSplit) -> dict[str, Line]:
        """By the picture's name, what was made of those whose patches are all there."""
        path = self.place(split) / JOURNAL
        held = {}
        for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                line = json.loads(text)
            except ValueError:
                continue  # cut off by a failing machine
            files = (self.place(split) / f"{p}_{part}.png" for p in line["patches"] for part in _PARTS)
            if all(file.is_file() for file in files):
                held[line["picture"]] = line
        return held

    def missing(self) -> list[tuple[TrainingSplit, Scene]]:
        """The pictures that are still to be cut."""
        held = {split: self.lines(split) for split in self.splits}
        return [
            (split, s) for split, scenes in self.splits.items() for s in scenes if s.name not in held[split]
        ]

    def patches(self, split: TrainingSplit) -> int:
        """How many lie there."""
        return sum(len(line["patches"]) for line in self.lines(split).values())

    def fill(self, threads: int = 1, done: Callable[[], None] = lambda: None) -> None:
        """Cut the missing pictures; `done` is told of each. The files are the same whatever the number of threads.

        Raises: UnreadableImageError for a damaged picture, OutputError if a file cannot be written; what was
                finished until then is kept, and the next call goes on behind it.
        """
        try:
            self._fill(threads, done)
        finally:
            self._lock.release()

    def _fill(self, threads: int, done: Callable[[], None]) -> None:
        with ThreadPoolExecutor(threads) as pool:
            for split, scene in self.missing():
                self._note(split, self._cut(scene, CUTS[split], self.place(split), pool))
                done()
        for split, scenes in self.splits.items():
            place, lines = self.place(split), self.lines(split)
            _write(place / JOURNAL, "".join(json.dumps(lines[s.name]) + "\n" for s in scenes).encode())
            if place.name != split:
                _rename(place, self.folder / split)

    def _cut(self, scene: Scene, cut: Cut, place: Path, pool: ThreadPoolExecutor) -> Line:
        views = [read_codes(path) for path in scene.pictures]
        kept = kept_windows(views[-1], cut, self.side, pool.map)

        def write(job: tuple[Codes, Path]) -> None:
            _write(job[1], encode_png(np.ascontiguousarray(job[0]), None, None))

        def jobs() -> Iterator[tuple[Codes, Path]]:
            for (top, left), _ in kept:
                for codes, part in zip(views, _PARTS, strict=True):
                    patch = codes[top : top + self.side, left : left + self.side]
                    yield patch, place / f"{_name(scene, top, left)}_{part}.png"

        list(pool.map(write, jobs()))
        return {
            "picture": scene.name,
            "patches": {_name(scene, top, left): value for (top, left), value in kept},
        }

    def _note(self, split: TrainingSplit, line: Line) -> None:
        path = self.place(split) / JOURNAL
        try:
            with path.open("a", encoding="utf-8") as journal:
                journal.write(json.dumps(line) + "\n")
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written ({error.strerror}); free space or choose another folder"
            ) from error


def _name(scene: Scene, top: int, left: int) -> str:
    return f"{scene.name}_{top:04d}_{left:04d}"


def _fingerprint(scenes: tuple[Scene, ...]) -> str:
    """Tells one set of pictures from another by the names and sizes of their files."""
    files = [[path.name, path.stat().st_size] for scene in scenes for path in scene.pictures]
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()


def _read(settings: Path) -> Any:
    try:
        return json.loads(settings.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write(path: Path, data: bytes) -> None:
    with atomic_output(path, overwrite=True) as unfinished:
        unfinished.write_bytes(data)


def _rename(place: Path, whole: Path) -> None:
    try:
        place.rename(whole)
    except OSError as error:
        raise OutputError(f"{whole} cannot be made ({error.strerror}); choose another folder") from error
