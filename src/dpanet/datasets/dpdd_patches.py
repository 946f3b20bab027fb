"""Cut DPDD's pictures into patches, laid out as pairs with truths.

    settings.json                     the rule, and the pictures it was applied to
    train/NAME_TOP_LEFT_left.png      512 px patches of 16 bits, codes as in the pictures; also _right and _sharp
    train/patches.jsonl               one line for each picture: its patches and their sharpness
    val/...
    .lock                             locked by the process that writes there

A split is written to ``SPLIT.unfinished``, which is renamed when it is complete.
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

from dpanet.containers.decoded_image import Codes, DecodedImage
from dpanet.datasets import Scene, TrainingSplit, open_training_dataset
from dpanet.datasets.dataset_check import DatasetCheck
from dpanet.datasets.patch_rule import CUTS, SIDE, SOBEL_SIZES, Cut, select_windows
from dpanet.errors import DatasetError, OutputError, why_no_folder
from dpanet.files.lock import contains_files, lock_folder
from dpanet.files.output import atomic_output, make_folder
from dpanet.formats.png import encode_png
from dpanet.images.reading import read_file

SETTINGS, INDEX, UNFINISHED = "settings.json", "patches.jsonl", ".unfinished"

_PARTS = ("left", "right", "sharp")

Splits = Mapping[TrainingSplit, tuple[Scene, ...]]
Line = dict[str, Any]


def open_splits(root: Path, side: int = SIDE) -> Splits:
    """Return the scenes of DPDD that may be trained on, after checking all their headers.

    Args:
        root: the folder of the data set.
        side: side of the patches, px.

    Raises:
        DatasetError: with the problems of all splits: those of `open_training_dataset`, pictures smaller than a
            patch, and pictures without three channels.
    """
    if not root.is_dir():
        problem = why_no_folder(root)
        raise DatasetError(
            f"{problem}; give the folder of DPDD that contains train_c, train_l, train_r", (problem,)
        )
    check = DatasetCheck(root)
    splits: dict[TrainingSplit, tuple[Scene, ...]] = {}
    for split in CUTS:
        try:
            splits[split] = open_training_dataset(root, "dpdd", split).scenes
        except DatasetError as error:
            check.problems += error.problems
    for scene in (scene for scenes in splits.values() for scene in scenes):
        for path in scene.pictures:
            header = check.read_header(path)
            if header and min(header.width, header.height) < side:
                check.add_problem(
                    f"{check.relative_name(path)} is {header.width} x {header.height} px, under a patch's {side}"
                )
            if header and header.channels != 3:
                check.add_problem(
                    f"{check.relative_name(path)} has {header.channels} channels where 3 are expected"
                )
    check.raise_problems("a data set of layout dpdd with its splits " + " and ".join(CUTS))
    return splits


class PatchFolder:
    """A folder of patches, locked against other processes until `fill` has finished.

    Args:
        folder: the folder; it is created if it does not exist.
        splits: the scenes to cut.
        side: side of the patches, px.

    Raises:
        OutputError: if it contains anything but patches of the same pictures, cut in the same way, cannot be created,
            or another process writes there.
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
        """Write or compare the settings, and create a folder for each split."""
        folder, settings = self.folder, self.folder / SETTINGS
        if settings.exists() and _read(settings) != identity:
            raise OutputError(
                f"{folder} contains patches of other pictures, or cut in another way; choose another folder"
            )
        if not settings.exists():
            _write(settings, (json.dumps(identity, indent=1) + "\n").encode())
        for split in self.splits:
            if not (folder / split).is_dir():
                make_folder(folder / f"{split}{UNFINISHED}")

    def split_folder(self, split: TrainingSplit) -> Path:
        """Return the current folder of a split."""
        whole = self.folder / split
        return whole if whole.is_dir() else self.folder / f"{split}{UNFINISHED}"

    def lines(self, split: TrainingSplit) -> dict[str, Line]:
        """Return the line of each picture whose patches are all written, by its name."""
        path = self.split_folder(split) / INDEX
        lines = {}
        for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                line = json.loads(text)
            except ValueError:
                continue  # cut off by a failing machine
            files = (self.split_folder(split) / f"{p}_{part}.png" for p in line["patches"] for part in _PARTS)
            if all(file.is_file() for file in files):
                lines[line["picture"]] = line
        return lines

    def missing(self) -> list[tuple[TrainingSplit, Scene]]:
        """Return the pictures that are not yet cut."""
        finished = {split: self.lines(split) for split in self.splits}
        return [
            (split, scene)
            for split, scenes in self.splits.items()
            for scene in scenes
            if scene.name not in finished[split]
        ]

    def count_patches(self, split: TrainingSplit) -> int:
        """Return the number of patches of a split."""
        return sum(len(line["patches"]) for line in self.lines(split).values())

    def fill(self, threads: int = 1, on_picture: Callable[[], None] = lambda: None) -> None:
        """Cut the missing pictures, then release the folder.

        The files are the same whatever the number of threads. After an error, the finished pictures remain, and the
        next call cuts the others.

        Args:
            threads: number of threads.
            on_picture: called after each picture.

        Raises:
            UnreadableImageError: for a damaged picture.
            OutputError: if a file cannot be written.
        """
        try:
            self._fill(threads, on_picture)
        finally:
            self._lock.release()

    def _fill(self, threads: int, on_picture: Callable[[], None]) -> None:
        with ThreadPoolExecutor(threads) as pool:
            for split, scene in self.missing():
                self._append_line(split, self._cut(scene, CUTS[split], self.split_folder(split), pool))
                on_picture()
        for split, scenes in self.splits.items():
            folder, lines = self.split_folder(split), self.lines(split)
            text = "".join(json.dumps(lines[scene.name]) + "\n" for scene in scenes)
            _write(folder / INDEX, text.encode())
            if folder.name != split:
                _rename(folder, self.folder / split)

    def _cut(self, scene: Scene, cut: Cut, folder: Path, pool: ThreadPoolExecutor) -> Line:
        views = [read_file(path) for path in scene.pictures]
        kept = select_windows(views[-1].codes, cut, self.side, pool.map)

        def write(job: tuple[Codes, Mapping[str, Any], Path]) -> None:
            _write(job[2], encode_png(np.ascontiguousarray(job[0]), None, job[1]))

        def jobs() -> Iterator[tuple[Codes, Mapping[str, Any], Path]]:
            for (top, left), _ in kept:
                for view, part in zip(views, _PARTS, strict=True):
                    patch = view.codes[top : top + self.side, left : left + self.side]
                    yield patch, _colors(view), folder / f"{_name(scene, top, left)}_{part}.png"

        list(pool.map(write, jobs()))
        return {
            "picture": scene.name,
            "patches": {_name(scene, top, left): value for (top, left), value in kept},
        }

    def _append_line(self, split: TrainingSplit, line: Line) -> None:
        path = self.split_folder(split) / INDEX
        try:
            with path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written ({error.strerror}); free space or choose another folder"
            ) from error


def _colors(file: DecodedImage) -> dict[str, Any]:
    """Return what a patch takes over: how the values are meant, and nothing else."""
    return {key: value for key, value in file.metadata.items() if key in ("icc", "png")}


def _name(scene: Scene, top: int, left: int) -> str:
    return f"{scene.name}_{top:04d}_{left:04d}"


def _fingerprint(scenes: tuple[Scene, ...]) -> str:
    """Return a hash of the names and sizes of the files."""
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


def _rename(unfinished: Path, folder: Path) -> None:
    try:
        unfinished.rename(folder)
    except OSError as error:
        raise OutputError(f"{folder} cannot be created ({error.strerror}); choose another folder") from error
