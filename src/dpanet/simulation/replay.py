"""A stored scene made again from the photographs it was made of."""

from __future__ import annotations

from pathlib import Path

from dpanet.errors import DatasetError
from dpanet.simulation.config import config_of
from dpanet.simulation.generator import SceneGenerator, SimulatedScene
from dpanet.simulation.scene_folder import difference, read_journal, read_settings


def replay(
    folder: Path, name: str, photographs: Path, kernels: Path | None = None, depth: Path | None = None
) -> SimulatedScene:
    """The scene `name` of a simulated folder, before it is rounded to the codes of its files.

    Args:   photographs: the folder of photographs it was made of. kernels: that of the measured lens, if it was.
            depth: that of the depth maps, if there were.
    Raises: DatasetError if there is no such scene, or the photographs or settings are not those it was made with.
    """
    line = next((line for line in read_journal(folder) if line["name"] == name), None)
    if line is None:
        raise DatasetError(f"{folder} has no finished scene {name}; choose one of its scenes.jsonl")
    held = read_settings(folder)
    if held["depth"] is not None and depth is None:
        raise DatasetError(f"{folder} was made with depth maps; name their folder")
    if held["psf"]["family"] == "measured" and kernels is None:
        raise DatasetError(f"{folder} was made with measured kernels; name their folder")
    recipe = config_of(held, photographs, kernels, depth)
    other = difference(held, recipe.identity())
    if other:
        raise DatasetError(
            f"{folder} was made with other {other} than are here; restore those that its settings.json names"
        )
    scene = SceneGenerator(recipe).scene(line["index"])
    for file, total in scene.photographs.items():
        if line["photographs"].get(file) != total:
            raise DatasetError(
                f"{file} is not the file that scene {name} was made of; restore the one of that time"
            )
    return scene
