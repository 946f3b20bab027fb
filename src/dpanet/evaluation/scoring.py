"""Run all methods on one scene and score their pictures."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dpanet.datasets import Scene
from dpanet.datasets.captures import Capture, in_encoding, read_output
from dpanet.errors import ImageWarning, PairError, shown
from dpanet.evaluation.comparison import Comparison, Perceptual
from dpanet.evaluation.defocus_scores import affine_invariant_error, spearman_distance
from dpanet.evaluation.pictures import differing_crop, for_display, save_previews
from dpanet.evaluation.protocol import (
    BORDER,
    Compared,
    compare_aligned,
    compare_as_published,
    fit_color,
    without_border,
)
from dpanet.evaluation.scores import NOTHING, TRUTH, DefocusScore, MethodScores, SceneScores
from dpanet.evaluation.windows import WindowFinder
from dpanet.files.output import make_folder
from dpanet.images.reading import read_codes, read_file
from dpanet.images.writing import write_picture
from dpanet.pair import Picture, Pixels


def score_scene(comparison: Comparison, scene: Scene, folder: Path) -> tuple[SceneScores, list[Path]]:
    """Run every method on a scene, score the pictures, and write those that the report shows.

    Args:
        comparison: Methods and how they are compared.
        scene: A scene of its data set.
        folder: Output folder; pictures are written to ``scenes/SCENE`` and ``images/METHOD``.

    Returns:
        The scores, and the files written.

    Raises:
        PairError: If a method's picture has another size than the truth.
    """
    capture = comparison.bit_depth.read(scene.load())
    outputs, seconds, notes = _run_methods(comparison, scene, capture)
    encoding, truth = capture.pair.encoding, capture.truth.pixels / capture.white
    nothing, _ = comparison.bit_depth.quantize(outputs[NOTHING] / capture.white, truth)
    methods, shown, windows, files = {}, {}, {}, []
    for name, pixels in outputs.items():
        output, reference = comparison.bit_depth.quantize(pixels / capture.white, truth)
        compared = _compare(comparison, output, reference, capture)
        scores = {key: one.score for key, one in compared.items()}
        methods[name] = MethodScores(seconds[name], scores, notes.get(name, ()))
        shown[name] = for_display(output, encoding)
        if name != NOTHING:
            finder = _find_windows(comparison, compared, nothing, capture)
            windows[name] = finder.scores()
            files += finder.save(windows[name], folder, scene.name, name)
        if comparison.save_images:
            files.append(_save_image(pixels, capture, folder / "images" / name, scene.name))
    crop = differing_crop(shown)
    shown[TRUTH] = for_display(truth, encoding)
    files += save_previews(shown, crop, folder / "scenes" / scene.name)
    height, width = truth.shape[:2]
    defocus = _score_defocus(comparison, scene, capture)
    return SceneScores(scene.name, scene.label, width, height, crop, methods, defocus, windows), files


def _run_methods(
    comparison: Comparison, scene: Scene, capture: Capture
) -> tuple[dict[str, Pixels], dict[str, float | None], dict[str, tuple[str, ...]]]:
    """Return each method's picture, in the capture's encoding and scale, the seconds that it took, and its notes."""
    outputs: dict[str, Pixels] = {}
    seconds: dict[str, float | None] = {}
    notes: dict[str, tuple[str, ...]] = {}
    for method in comparison.methods:
        start = time.perf_counter()
        if method.name == NOTHING and scene.combined is not None:
            pixels = in_encoding(read_file(scene.combined), capture.pair.encoding)
        else:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", ImageWarning)
                pixels = method(capture.pair).pixels
            notes[method.name] = _sort_out_notes(caught)
        seconds[method.name] = time.perf_counter() - start
        (h, w), (height, width) = pixels.shape[:2], capture.truth.pixels.shape[:2]
        if (h, w) != (height, width):
            raise PairError(
                f"{shown(method.name)} returned a picture of {w} x {h} px of scene {shown(scene.name)}, whose "
                f"truth is {width} x {height} px; a method must keep the size, so leave it out"
            )
        outputs[method.name] = pixels
    for name in comparison.finished:
        outputs[name], seconds[name] = read_output(scene.finished[name], capture), None
    return outputs, seconds, notes


def _sort_out_notes(caught: list[warnings.WarningMessage]) -> tuple[str, ...]:
    """Return the texts of those that are an `ImageWarning`, which `run_comparison` gives; let others through."""
    for one in caught:
        if not issubclass(one.category, ImageWarning):
            warnings.warn(one.message, stacklevel=2)
    return tuple(str(one.message) for one in caught if issubclass(one.category, ImageWarning))


def _compare(
    comparison: Comparison, output: Pixels, truth: Pixels, capture: Capture
) -> Mapping[str, Compared]:
    """Return the scores by protocol and what was compared; LPIPS compares display-encoded pictures."""
    encoding = capture.pair.encoding
    distance: Perceptual | None = comparison.perceptual
    perceptual: Perceptual | None = None
    if distance is not None:
        perceptual = lambda one, other: distance(for_display(one, encoding), for_display(other, encoding))  # noqa: E731
    scores = {
        "as_published": compare_as_published(
            output, truth, match_color=capture.match_color, perceptual=perceptual
        )
    }
    if comparison.dataset.aligned:
        scores["aligned"] = compare_aligned(
            output, truth, encoding=encoding, match_color=capture.match_color, perceptual=perceptual
        )
    return scores


def _find_windows(
    comparison: Comparison, compared: Mapping[str, Compared], nothing: Pixels, capture: Capture
) -> WindowFinder:
    """Return what scores windows by the last protocol; doing nothing is compared with the same truth."""
    last = compared[comparison.protocols[-1]]
    border = BORDER if comparison.dataset.aligned else 0
    nothing = without_border(nothing) if border else nothing
    if capture.match_color:
        nothing = fit_color(nothing, last.truth)
    return WindowFinder(last, nothing, border, capture.pair.encoding)


def _score_defocus(comparison: Comparison, scene: Scene, capture: Capture) -> dict[str, DefocusScore]:
    """Return the scores of the defocus maps by method; empty if the scene has no true map."""
    if scene.defocus is None:
        return {}
    truth = read_codes(scene.defocus).astype(np.float64)
    known = truth > 0  # black where the truth could not be measured: flat surfaces, seams between objects
    scores = {}
    for method in comparison.methods:
        radius = method.defocus_map(capture.pair)
        if radius is not None:
            scores[method.name] = DefocusScore(
                affine_invariant_error(radius, truth, 1, known),
                affine_invariant_error(radius, truth, 2, known),
                spearman_distance(radius, truth, known),
            )
    return scores


def _save_image(pixels: Pixels, capture: Capture, folder: Path, name: str) -> Path:
    make_folder(folder)
    metadata = {"gray": capture.pair.metadata.get("gray", False)}
    path = folder / f"{name}.png"
    write_picture(Picture(pixels, capture.pair.encoding, metadata), path, 16, overwrite=True)
    return path
