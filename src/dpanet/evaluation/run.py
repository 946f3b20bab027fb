"""Run a comparison over its data set, scene by scene, and resume it where it was stopped."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from dpanet.errors import ImageWarning, OutputError, shown
from dpanet.evaluation.comparison import Comparison, library_versions
from dpanet.evaluation.scores import MethodInfo, SceneScores, Scores
from dpanet.evaluation.scores_file import scene_from_json, scene_to_json
from dpanet.evaluation.scoring import score_scene
from dpanet.evaluation.summary import average_defocus, summarize_method
from dpanet.files.store import Store, first_difference
from dpanet.version import __version__

CONFIG = "comparison"
"""Name of the store's entry with the config of the comparison; those of the scenes start with `SCENE`."""
SCENE = "scene "


def run_comparison(
    comparison: Comparison,
    folder: Path,
    on_scene: Callable[[SceneScores], None] | None = None,
    *,
    overwrite: bool = False,
) -> tuple[SceneScores, ...]:
    """Score every scene whose scores are not in the folder yet, or whose files have changed since.

    Only one scene's pictures are in memory at a time. A scene is stored when its pictures are written, so that a run
    that is killed at any moment resumes with the first missing scene.

    Args:
        comparison: What to compare.
        folder: Output folder; created if it does not exist.
        on_scene: Called with the scores of each scene, after its notes were given as `ImageWarning`.
        overwrite: Whether the folder may hold another comparison. Its pictures are deleted, and scenes to which the
            change makes no difference keep their scores.

    Returns:
        The scores of all scenes, in the order of the data set.

    Raises:
        OutputError: If the folder holds another comparison, or cannot be written to.
        PairError: If a method's picture has another size than the truth.
    """
    scenes = comparison.dataset.scenes
    inner = [f"scenes/{scene.name}" for scene in scenes] + [f"images/{name}" for name in comparison.names]
    inner += [f"scenes/{scene.name}/{name}" for scene in scenes for name in comparison.names]
    results = []
    with Store(folder, inner=inner) as store:
        _claim(store, comparison, overwrite)
        for scene in scenes:
            name, key = SCENE + scene.name, comparison.scene_key(scene)
            value = store.find(name, key)
            if value is None:
                scores, files = score_scene(comparison, scene, folder)
                value = scene_to_json(scores)
                store.add(name, key, value, files)
            results.append(scene_from_json(value))
            for note in sum((one.notes for one in results[-1].methods.values()), ()):  # of stored scores too
                warnings.warn(ImageWarning(f"{shown(scene.name)}: {note}"), stacklevel=2)
            if on_scene is not None:
                on_scene(results[-1])
    return tuple(results)


def collect_scores(
    comparison: Comparison, scenes: Sequence[SceneScores], *, root: Path, command: Sequence[str]
) -> Scores:
    """Return the scores of a whole evaluation, with its summaries, methods and options.

    Args:
        comparison: What was compared.
        scenes: Of `run_comparison`.
        root: Folder of the data set.
        command: The command line, program first.
    """
    dataset = comparison.dataset
    return Scores(
        dpanet=__version__,
        command=tuple(command),
        date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        layout=dataset.layout,
        root=root.name or str(root),
        split=dataset.split,
        bits=comparison.bit_depth.bits,
        official=comparison.bit_depth.official,
        lpips=comparison.perceptual_weights,
        device=", ".join(sorted({method.device for method in comparison.methods})),
        versions={"python": platform.python_version(), **library_versions()},
        protocols=comparison.protocols,
        methods=(
            *(method.info for method in comparison.methods),
            *(MethodInfo(name, "finished", "") for name in comparison.finished),
        ),
        scenes=tuple(scenes),
        summary={name: summarize_method(scenes, name, comparison.protocols) for name in comparison.names},
        defocus=average_defocus(scenes, comparison.names),
    )


def _claim(store: Store, comparison: Comparison, overwrite: bool) -> None:
    """Store the comparison's config in a new folder; compare it with the stored one in another.

    Raises:
        OutputError: If it differs, without `overwrite`.
    """
    config = {**comparison.config(), "scenes": [scene.name for scene in comparison.dataset.scenes]}
    entry = store.entries.get(CONFIG)
    if entry is not None and entry.value != config and not overwrite:
        raise OutputError(
            f"{shown(store.folder)} holds an evaluation with other {first_difference(entry.value, config)}; choose "
            "another folder, or add --overwrite to start this one anew"
        )
    if entry is None or entry.value != config:
        store.add(CONFIG, config, config)
    names = {SCENE + scene.name for scene in comparison.dataset.scenes}
    for name in [name for name in store.entries if name != CONFIG and name not in names]:
        store.remove(name)
