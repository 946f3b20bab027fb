"""Simulate a stored scene again from its photographs."""

from __future__ import annotations

from pathlib import Path

from dpanet.errors import DatasetError
from dpanet.files.store import first_difference, read_log
from dpanet.simulation.config import config_from_identity, in_stored_words
from dpanet.simulation.generator import SceneGenerator, SimulatedScene
from dpanet.simulation.scene_folder import LOG, read_identity


def replay(
    folder: Path, name: str, photographs: Path, kernels: Path | None = None, depth: Path | None = None
) -> SimulatedScene:
    """Simulate the scene `name` of a folder again, before it is rounded to the codes of its files.

    Args:
        folder: of simulated scenes.
        name: of the scene.
        photographs: folder of the photographs they were made from.
        kernels: folder of the measured kernels, if they were used.
        depth: folder of the depth maps, if they were used.

    Raises:
        DatasetError: if there is no such scene, or photographs, kernels, depth maps, versions or config differ.
    """
    scene = {entry.name: entry.value for entry in read_log(folder / LOG)}.get(name)
    if scene is None:
        raise DatasetError(f"{folder} has no finished scene {name}; choose one of its {LOG}")
    identity = read_identity(folder)
    if identity["depth"] is not None and depth is None:
        raise DatasetError(f"{folder} was made with depth maps; name their folder")
    if identity["psf"]["family"] == "measured" and kernels is None:
        raise DatasetError(f"{folder} was made with measured kernels; name their folder")
    config = config_from_identity(identity, photographs, kernels, depth)
    missing = [path for path in (*config.photographs, *(config.depth_maps or ())) if not path.is_file()]
    if missing:
        raise DatasetError(f"{missing[0]} is missing; restore it, or name the folder {folder} was made from")
    difference = first_difference(identity, in_stored_words(config.identity(), identity))
    if difference:
        raise DatasetError(
            f"{folder} was made with other {difference} than are here; restore those that its settings.json names"
        )
    again = SceneGenerator(config).generate(scene["index"])
    for file, digest in again.sources.items():
        if scene["sources"].get(file) != digest:
            raise DatasetError(f"{file} is not what scene {name} was made of; restore the one of that time")
    return again
