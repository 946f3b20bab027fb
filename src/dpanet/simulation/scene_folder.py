"""A folder of simulated scenes: what decides them, what lies there already, and how one is written.

    settings.json        what decided the scenes
    scenes.jsonl         one line a finished scene: name, number, photographs, SHA-256 of its files
    NAME_left.png, NAME_right.png, NAME_sharp.png    16 bits, sRGB (layout ``pairs`` of the evaluation)
    defocus/NAME.png     signed blur radius, 16 bits (`dpanet.images.defocus`)
    .lock                held by the process that writes there

A scene whose line is missing counts as not made, so a run may be killed at any moment and go on later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dpanet.errors import OutputError
from dpanet.files.lock import claim, holds_files
from dpanet.files.output import atomic_output, make_folder
from dpanet.images.defocus import defocus_codes
from dpanet.images.encoding import quantise
from dpanet.images.png import encode_png
from dpanet.simulation.config import completed
from dpanet.simulation.generator import SimulatedScene

SETTINGS, JOURNAL, MAPS = "settings.json", "scenes.jsonl", "defocus"

Line = dict[str, Any]


def scene_name(index: int) -> str:
    """Six digits or more, whatever the count, so that a set can grow."""
    return f"{index:06d}"


def scene_files(folder: Path, name: str) -> dict[str, Path]:
    """The four files of a scene by part."""
    files = {part: folder / f"{name}_{part}.png" for part in ("left", "right", "sharp")}
    return {"defocus": folder / MAPS / f"{name}.png", **files}


def encode_scene(scene: SimulatedScene) -> dict[str, bytes]:
    """The bytes of the four files by part."""
    maps = {"defocus": encode_png(defocus_codes(scene.radius.numpy()), None, None)}
    views = {"left": scene.left, "right": scene.right, "sharp": scene.sharp}
    return {**maps, **{part: encode_png(_codes(view), None, None) for part, view in views.items()}}


def _codes(view: Tensor) -> NDArray[Any]:
    return quantise(np.ascontiguousarray(view.permute(1, 2, 0).numpy()), 16)


def write_scene(scene: SimulatedScene, folder: Path, index: int) -> Line:
    """Write the files, each whole or not at all; returns the scene's line.

    Raises: OutputError if one cannot be written.
    """
    name = scene_name(index)
    sums = {}
    data = encode_scene(scene)
    for part, path in scene_files(folder, name).items():
        with atomic_output(path, overwrite=True) as unfinished:
            unfinished.write_bytes(data[part])
        sums[part] = hashlib.sha256(data[part]).hexdigest()
    return {"name": name, "index": index, "photographs": dict(scene.photographs), "sha256": sums}


class SceneFolder:
    """The folder of one recipe, kept from other processes until `close`.

    Args:   identity: what decides the scenes, plain values (`SimulationConfig.identity`). overwrite: throw away
            the scenes of another identity; where none was finished, nothing is lost, and it is done without.
    Raises: OutputError if the folder holds other scenes (without `overwrite`) or other files, cannot be made, or
            another process writes there.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], overwrite: bool = False) -> None:
        self.folder = folder
        settings = folder / SETTINGS
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder} is a file; name a folder to write the scenes to")
        if not settings.exists() and holds_files(folder):
            raise OutputError(f"{folder} holds other files; name a new or an empty folder for the scenes")
        self._lock = claim(folder, MAPS)
        try:
            self._open(identity, overwrite)
        except BaseException:
            self._lock.release()
            raise

    def _open(self, identity: Mapping[str, Any], overwrite: bool) -> None:
        """Have this identity's settings there, and its finished scenes in `lines`."""
        folder, settings = self.folder, self.folder / SETTINGS
        if settings.exists():
            other = difference(read_settings(folder), identity)
            if other and not overwrite and next(iter(read_journal(folder)), None) is not None:
                raise OutputError(
                    f"{folder} holds scenes made with other {other}; choose another folder, or start anew with "
                    "--overwrite"
                )
            if other:
                _clear(folder)
        make_folder(folder / MAPS)
        if not settings.exists():
            _write(settings, json.dumps(identity, indent=1, allow_nan=False) + "\n")
        self.lines = {line["index"]: line for line in read_journal(folder) if self._is_there(line)}
        self._rewrite()

    def _is_there(self, line: Line) -> bool:
        return all(path.is_file() for path in scene_files(self.folder, line["name"]).values())

    def missing(self, count: int) -> list[int]:
        """Numbers below `count` of scenes that are not made yet."""
        return [index for index in range(count) if index not in self.lines]

    def add(self, line: Line) -> None:
        """Note a scene whose files are written.

        Raises: OutputError if the journal cannot be written.
        """
        try:
            with (self.folder / JOURNAL).open("a", encoding="utf-8") as journal:
                journal.write(json.dumps(line) + "\n")
        except OSError as error:
            raise OutputError(
                f"{self.folder / JOURNAL} cannot be written ({error.strerror}); free space or choose another folder"
            ) from error
        self.lines[line["index"]] = line

    def close(self) -> None:
        """Put the journal in the order of the scenes' numbers, the same bytes whoever was first; let others write."""
        try:
            self._rewrite()
        finally:
            self._lock.release()

    def _rewrite(self) -> None:
        _write(self.folder / JOURNAL, "".join(json.dumps(self.lines[i]) + "\n" for i in sorted(self.lines)))


def read_journal(folder: Path) -> Iterable[Line]:
    """The whole lines; one that was cut off by a failing machine is passed over."""
    path = folder / JOURNAL
    if not path.exists():
        return
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and isinstance(line.get("index"), int) and "name" in line:
            yield line


def read_settings(folder: Path) -> Mapping[str, Any]:
    """What decided the scenes of a folder, `completed`.

    Raises: OutputError if there is no such file, or it is damaged.
    """
    path = folder / SETTINGS
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        held = None
    if not isinstance(held, dict) or not all(
        isinstance(held.get(k, {}), dict) for k in ("scenes", "versions")
    ):
        raise OutputError(f"{path} is damaged; name another folder for the scenes")
    return completed(held)


def difference(held: Mapping[str, Any], identity: Mapping[str, Any]) -> str:
    """The first setting that differs, dotted where it lies in a table, or nothing."""
    for key in {**identity, **held}:
        one, other = held.get(key), identity.get(key)
        if one != other:
            if isinstance(one, dict) and isinstance(other, dict):
                return f"{key}.{difference(one, other)}"
            return key
    return ""


def _clear(folder: Path) -> None:
    """Take away the scenes of the journal, and any other picture with a scene's name; then what decided them."""
    parts = ("left", "right", "sharp")
    scenes = {path.stem.rpartition("_")[0] for part in parts for path in folder.glob(f"*_{part}.png")}
    scenes |= {path.stem for path in (folder / MAPS).glob("*.png")}
    for name in scenes:
        if name.isdecimal():
            for path in scene_files(folder, name).values():
                path.unlink(missing_ok=True)
    (folder / JOURNAL).unlink(missing_ok=True)
    (folder / SETTINGS).unlink()


def _write(path: Path, text: str) -> None:
    with atomic_output(path, overwrite=True) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
