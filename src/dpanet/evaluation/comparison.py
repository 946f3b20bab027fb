"""Runs methods over a dataset, a scene at a time, and goes on where it was stopped."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dpanet.datasets import Dataset, Scene
from dpanet.datasets.captures import Capture, read_output
from dpanet.errors import OutputError, PairError
from dpanet.evaluation.bit_depth import Depth
from dpanet.evaluation.defocus_scores import affine_invariant_error, spearman_distance
from dpanet.evaluation.method import Method
from dpanet.evaluation.pictures import differing_crop, for_display, save_previews
from dpanet.evaluation.protocol import Score, score_aligned, score_as_published
from dpanet.evaluation.summary import plain, summarise_scenes
from dpanet.files.output import atomic_output
from dpanet.images.reading import read_codes, read_picture
from dpanet.images.writing import write_picture
from dpanet.pair import Picture, Pixels

METRICS = ("psnr", "ssim", "mae", "lpips")

Perceptual = Callable[[Pixels, Pixels], float]
"""Distance of two display pictures (H, W, 3), 1.0 = white."""

Told = Callable[[str, Mapping[str, Any]], None]
"""Hears of each finished scene: its name and its scores."""


@dataclass(frozen=True)
class Comparison:
    """What is compared, and how; `run` does it.

    methods: rows of the table, the first is doing nothing (``none``). perceptual: LPIPS, if there are weights, and
    their hash. save_images: also keep each method's picture in full.
    """

    dataset: Dataset
    methods: Sequence[Method]
    depth: Depth = field(default_factory=Depth)
    perceptual: Perceptual | None = None
    perceptual_weights: str = "absent"
    save_images: bool = False

    @property
    def protocols(self) -> tuple[str, ...]:
        return ("as_published", "aligned") if self.dataset.aligned else ("as_published",)

    @property
    def given(self) -> tuple[str, ...]:
        """Methods whose finished pictures lie beside every scene of the dataset."""
        sets = [set(scene.finished) for scene in self.dataset.scenes]
        return tuple(sorted(set.intersection(*sets))) if sets else ()

    def identity(self) -> dict[str, Any]:
        """What a stored score depends on; a folder that holds another is not gone on with."""
        return {
            "layout": self.dataset.layout,
            "split": self.dataset.split,
            "scenes": [scene.name for scene in self.dataset.scenes],
            "protocols": list(self.protocols),
            "depth": asdict(self.depth),
            "lpips": self.perceptual_weights,
            "methods": {method.name: method.identity for method in self.methods},
            "given": list(self.given),
            "save_images": self.save_images,
        }

    def run(self, folder: Path, told: Told | None = None, *, overwrite: bool = False) -> list[dict[str, Any]]:
        """Score every scene that `folder` has no record of; returns all records, in the dataset's order.

        Only one scene's pictures are held at a time. A scene's record is written last and whole, so that a run
        killed anywhere goes on with the first scene that has none. With `overwrite` a folder that holds another
        comparison is emptied of it first.

        Raises: OutputError if the folder holds another comparison; PairError for a method's picture of another size.
        """
        _claim(folder, plain(self.identity()), overwrite)
        records = []
        for scene in self.dataset.scenes:
            file = folder / "scenes" / f"{scene.name}.json"
            if not file.exists():
                _write_json(file, self._score(scene, folder))
            records.append(json.loads(file.read_text(encoding="utf-8")))
            if told is not None:
                told(scene.name, records[-1]["scores"])
        return records

    def _score(self, scene: Scene, folder: Path) -> dict[str, Any]:
        capture = self.depth.capture(scene.load())
        outputs, seconds = self._pictures(scene, capture)
        white, encoding = capture.white, capture.pair.encoding
        truth = capture.truth.pixels / white
        scores: dict[str, Any] = {}
        shown = {}
        for name, pixels in outputs.items():
            output, reference = self.depth.compared(pixels / white, truth)
            found = {"as_published": self._published(output, reference, capture)}
            if self.dataset.aligned:
                found["aligned"] = self._aligned(output, reference, capture)
            scores[name] = {"seconds": seconds[name], **{key: asdict(score) for key, score in found.items()}}
            shown[name] = for_display(output, encoding)
            if self.save_images:
                kept = folder / "images" / name
                kept.mkdir(parents=True, exist_ok=True)
                metadata = {"gray": capture.pair.metadata.get("gray", False)}
                write_picture(
                    Picture(pixels, encoding, metadata), kept / f"{scene.name}.png", 16, overwrite=True
                )
        crop = differing_crop(shown)
        save_previews({**shown, "truth": for_display(truth, encoding)}, crop, folder / "scenes" / scene.name)
        height, width = truth.shape[:2]
        about = {
            "name": scene.name,
            "label": scene.label,
            "width": width,
            "height": height,
            "crop": list(crop),
        }
        return dict(plain({**about, "scores": scores, **self._defocus(scene, capture)}))

    def _defocus(self, scene: Scene, capture: Capture) -> dict[str, Any]:
        """Scores of the maps of methods that tell one, where the scene has a true one."""
        if scene.defocus is None:
            return {}
        truth = read_codes(scene.defocus).astype(np.float64)
        known = truth > 0  # black is where the truth could not be measured: flat surfaces, seams of objects
        found = {}
        for method in self.methods:
            told = getattr(method, "defocus_map", None)
            radius = None if told is None else told(capture.pair)
            if radius is not None:
                found[method.name] = {
                    "aiwe1": affine_invariant_error(radius, truth, 1, known),
                    "aiwe2": affine_invariant_error(radius, truth, 2, known),
                    "spearman": spearman_distance(radius, truth, known),
                }
        return {"defocus": found} if found else {}

    def _pictures(self, scene: Scene, capture: Capture) -> tuple[dict[str, Pixels], dict[str, float]]:
        """Each method's picture, in the capture's encoding and scale, and the seconds it took."""
        outputs, seconds = {}, {}
        for method in self.methods:
            began = time.perf_counter()
            if method.name == "none" and scene.combined is not None:
                pixels = read_picture(scene.combined, capture.pair.encoding).pixels
            else:
                pixels = method(capture.pair).pixels
            seconds[method.name] = time.perf_counter() - began
            (h, w), (height, width) = pixels.shape[:2], capture.truth.pixels.shape[:2]
            if (h, w) != (height, width):
                raise PairError(
                    f"{method.name} made a picture of {w} x {h} px of scene {scene.name}, whose truth is {width} x "
                    f"{height} px; a method must keep the size, so leave it out"
                )
            outputs[method.name] = pixels
        for name in self.given:
            outputs[name], seconds[name] = read_output(scene.finished[name], capture), 0.0
        return outputs, seconds

    def _published(self, output: Pixels, truth: Pixels, capture: Capture) -> Score:
        return score_as_published(
            output, truth, match_color=capture.match_color, perceptual=self._seen(capture)
        )

    def _aligned(self, output: Pixels, truth: Pixels, capture: Capture) -> Score:
        return score_aligned(
            output,
            truth,
            encoding=capture.pair.encoding,
            match_color=capture.match_color,
            perceptual=self._seen(capture),
        )

    def _seen(self, capture: Capture) -> Perceptual | None:
        """LPIPS judges what the eye is shown."""
        distance, encoding = self.perceptual, capture.pair.encoding
        if distance is None:
            return None
        return lambda output, truth: distance(for_display(output, encoding), for_display(truth, encoding))

    def summary(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Method -> protocol -> metric -> mean, median and interval, over the records of `run`."""
        names = [method.name for method in self.methods] + list(self.given)
        return {name: summarise_scenes(records, name, self.protocols, METRICS) for name in names}

    def defocus_summary(self, records: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
        """Method -> mean of each defocus score over the scenes that have one; empty where none has."""
        rows = [record["defocus"] for record in records if "defocus" in record]
        names = [method.name for method in self.methods if rows and all(method.name in row for row in rows)]
        keys = ("aiwe1", "aiwe2", "spearman")
        return {
            name: {key: float(np.mean([row[name][key] for row in rows])) for key in keys} for name in names
        }


def _claim(folder: Path, identity: Mapping[str, Any], overwrite: bool) -> None:
    """Make the folder this comparison's, or see that it is."""
    file = folder / "comparison.json"
    if overwrite and file.exists() and json.loads(file.read_text(encoding="utf-8")) != identity:
        shutil.rmtree(folder / "scenes", ignore_errors=True)
        file.unlink()
    if file.exists():
        held = json.loads(file.read_text(encoding="utf-8"))
        other = [key for key in identity if held.get(key) != identity[key]]
        if other:
            raise OutputError(
                f"{folder} holds an evaluation with other {other[0]}; choose another folder, or start this one anew "
                "with --overwrite"
            )
        return
    _write_json(file, identity)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_output(path, overwrite=True) as unfinished:
        unfinished.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")
