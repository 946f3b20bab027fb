"""A folder of simulated scenes, which can be resumed.

settings.json        the config that decided the scenes (`SimulationConfig.identity`)
scenes.jsonl         one line for each finished scene: name, key, number and SHA-256 of its sources and files
NAME_left.png, NAME_right.png, NAME_sharp.png    16 bits, sRGB (layout ``pairs`` of the data sets)
defocus/NAME.png     signed blur radius, 16 bits (`dpanet.images.defocus_map`)
.lock                locked by the process that writes there
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dpanet.errors import OutputError
from dpanet.files.lock import contains_files
from dpanet.files.output import atomic_output, make_folder
from dpanet.files.store import Store, describe_difference, digest
from dpanet.formats.png import encode_png
from dpanet.images.defocus_map import encode_defocus_map
from dpanet.images.encoding import quantize
from dpanet.simulation.config import SimulationConfig, in_stored_words
from dpanet.simulation.generator import SimulatedScene

IDENTITY, LOG, MAPS = "settings.json", "scenes.jsonl", "defocus"

_SCENE_FILE = re.compile(r"([0-9]{6,})(_left|_right|_sharp)?\.png")


def scene_name(index: int) -> str:
    """Return the name of scene `index`: six digits or more, whatever the count, so that a set can grow."""
    return f"{index:06d}"


def scene_files(folder: Path, name: str) -> dict[str, Path]:
    """Return the paths of a scene's four files by part: defocus, left, right, sharp."""
    files = {part: folder / f"{name}_{part}.png" for part in ("left", "right", "sharp")}
    return {"defocus": folder / MAPS / f"{name}.png", **files}


def encode_scene(scene: SimulatedScene) -> dict[str, bytes]:
    """Encode a scene as the bytes of its four files, by part."""
    maps = {"defocus": encode_png(encode_defocus_map(scene.radius.numpy()), None, None)}
    views = {"left": scene.left, "right": scene.right, "sharp": scene.sharp}
    return {**maps, **{part: encode_png(_codes(view), None, None) for part, view in views.items()}}


def _codes(view: Tensor) -> NDArray[Any]:
    return quantize(np.ascontiguousarray(view.permute(1, 2, 0).numpy()), 16)


def write_scene(scene: SimulatedScene, folder: Path, index: int) -> dict[str, Any]:
    """Write the files of scene `index`, each whole or not at all.

    Returns: what the log says of the scene, for `SceneFolder.add`.
    Raises:  OutputError if a file cannot be written.
    """
    digests = {}
    data = encode_scene(scene)
    for part, path in scene_files(folder, scene_name(index)).items():
        with atomic_output(path, overwrite=True) as unfinished:
            unfinished.write_bytes(data[part])
        digests[part] = hashlib.sha256(data[part]).hexdigest()
    return {"index": index, "sources": dict(scene.sources), "sha256": digests}


class SceneFolder:
    """The folder of the scenes of one config, locked against other processes until `close`.

    Args:   folder: created if it is missing. config: decides the scenes. overwrite: delete the scenes of another
            config; without it they are deleted only if none is finished.
    Raises: OutputError if the folder has finished scenes of another config (without `overwrite`) or other files,
            cannot be created, or another process writes there.
    """

    def __init__(self, folder: Path, config: SimulationConfig, overwrite: bool = False) -> None:
        self.folder = folder
        self._config = config
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder} is a file; name a folder to write the scenes to")
        if not (folder / IDENTITY).exists() and contains_files(folder):
            raise OutputError(f"{folder} holds other files; name a new or an empty folder for the scenes")
        self._store = Store(folder, LOG, inner=(MAPS,), order=_number_order)
        try:
            identity = config.identity()
            if (folder / IDENTITY).exists():  # a folder of an earlier version goes on in its own words
                identity = in_stored_words(identity, read_identity(folder))
            self._digest = digest(identity)
            self._open(identity, overwrite)
        except BaseException:
            self.close()
            raise

    def _open(self, identity: Mapping[str, Any], overwrite: bool) -> None:
        """Write the config to the folder, and forget the scenes that are not of it or lack a file."""
        path = self.folder / IDENTITY
        difference = describe_difference(read_identity(self.folder), identity) if path.exists() else ""
        if difference and not overwrite and self._store.entries:
            raise OutputError(
                f"{self.folder} holds scenes made with {difference}; choose another folder, or start anew with "
                "--overwrite"
            )
        if difference:
            self._delete_scenes()
        make_folder(self.folder / MAPS)
        if difference or not path.exists():
            with atomic_output(path, overwrite=True) as unfinished:
                unfinished.write_text(
                    json.dumps(identity, indent=1, allow_nan=False) + "\n", encoding="utf-8"
                )
        self._store.entries = {
            name: entry for name, entry in self._store.entries.items() if self._is_finished(name, entry.value)
        }

    def _is_finished(self, name: str, scene: Any) -> bool:
        """Whether a scene of the log is of this config and has all its files."""
        index = scene.get("index") if isinstance(scene, dict) else None
        return isinstance(index, int) and self._store.find(name, self._key(index)) is not None

    def _delete_scenes(self) -> None:
        """Delete the scenes of the log, and the files of scenes that were not finished."""
        files = [*self.folder.glob("*.png"), *(self.folder / MAPS).glob("*.png")]
        unfinished = {match[1] for file in files if (match := _SCENE_FILE.fullmatch(file.name))}
        for name in unfinished | set(self._store.entries):
            self._store.remove(name)
            for file in scene_files(self.folder, name).values():
                file.unlink(missing_ok=True)

    def _key(self, index: int) -> dict[str, Any]:
        """Return everything that scene `index` depends on."""
        return {"config": self._digest, "index": index, "files": self._config.depth_files(index)}

    def __len__(self) -> int:
        """Count the finished scenes."""
        return len(self._store.entries)

    def missing(self, count: int) -> list[int]:
        """List the numbers below `count` of scenes that are not finished."""
        return [
            index for index in range(count) if self._store.find(scene_name(index), self._key(index)) is None
        ]

    def add(self, scene: dict[str, Any]) -> None:
        """Add a scene to the log, as `write_scene` returned it.

        Raises: OutputError if the log cannot be written.
        """
        index = scene["index"]
        files = scene_files(self.folder, scene_name(index)).values()
        self._store.add(scene_name(index), self._key(index), scene, files)

    def close(self) -> None:
        """Sort the log by number, the same bytes whichever scene was first, and unlock the folder."""
        self._store.close()


def read_identity(folder: Path) -> Mapping[str, Any]:
    """Read the identity of the config that decided the scenes of a folder.

    Raises: OutputError if its file is missing or damaged.
    """
    path = folder / IDENTITY
    try:
        identity = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        identity = None
    if not isinstance(identity, dict):
        raise OutputError(f"{path} is damaged; name another folder for the scenes")
    return identity


def _number_order(name: str) -> tuple[int, str]:
    """Return a sorting key that orders names of digits as numbers."""
    return len(name), name
