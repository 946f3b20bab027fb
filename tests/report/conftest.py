"""Invented evaluations: text on gradients, more or less blurred, and scores."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from dpanet.evaluation.scores import Scores
from dpanet.evaluation.scores_file import scores_from_json

METHODS = {"none": 5.0, "deconvolution": 3.2, "nano": 2.1, "compact": 1.2}
"""Blur in px that a method leaves on a picture of 480 px, by name."""


COMPUTATION = {
    "engine": "onnxruntime 1.32.0",
    "device": "cpu",
    "precision": "int8",
    "passes": 2,
    "scale": "auto",
    "tile": "512",
    "lens": "measured lens (89abcdef)",
}
"""How the invented models ran."""


class Evaluation(NamedTuple):
    """Arguments of `build_page`."""

    scores: Scores
    folder: Path


Fabricate = Callable[..., Evaluation]


@pytest.fixture
def fabricate(tmp_path: Path) -> Fabricate:
    """Return a function that writes the pictures of an evaluation and returns them with the scores."""

    def make(**about: Any) -> Evaluation:
        return fabricate_in(tmp_path / "OUT", **about)

    return make


def fabricate_in(
    folder: Path,
    scenes: int = 3,
    width: int = 96,
    layout: str = "pixel4",
    labels: bool = False,
    defocus: bool = False,
    methods: dict[str, float] | None = None,
    names: Callable[[int], str] = "{:03}".format,
    change: Callable[[dict[str, Any]], None] | None = None,
) -> Evaluation:
    """Write the pictures; `change` may change the scores, as in ``scores.json``."""
    methods = METHODS if methods is None else methods
    rng = np.random.default_rng(3)
    height = width * 3 // 4
    side = min(224, height // 2)
    crop = (width // 3, height // 4, side)
    records = []
    for index in range(scenes):
        name = names(index + 1)
        target = folder / "scenes" / name
        target.mkdir(parents=True)
        truth = draw(f"scene {name}", width, height, index)
        hardness = rng.uniform(0.4, 1.6)
        scores = {}
        for method, blur in {**methods, "truth": 0.0}.items():
            picture = truth.filter(ImageFilter.GaussianBlur(blur * hardness * width / 480))
            preview = picture.copy()
            preview.thumbnail((960, 960))
            preview.save(target / f"{method}.webp", quality=85)
            x, y, _ = crop
            picture.crop((x, y, x + side, y + side)).save(target / f"{method}-crop.png")
            if method != "truth":
                psnr = float(31 - 1.5 * blur - 3 * hardness + rng.normal() * 0.5)
                scores[method] = {
                    "seconds": 0.2 * (1 + len(scores)),
                    "as_published": values(psnr * 0.97),
                    "aligned": values(psnr),
                }
        windows = {
            method: invent_windows(method, index, side, truth, target)
            for method in methods
            if method != "none"
        }
        label = ("indoor", "outdoor")[index % 2] if labels else None
        size = {"width": width, "height": height}
        records.append(
            {"name": name, "label": label, **size, "crop": crop, "scores": scores, "windows": windows}
        )
    document = {
        "dpanet": "0.1.0",
        "command": ["evaluate", "captures of mine", "--layout", layout, "-o", "OUT", "--model", "compact"],
        "date": "2026-11-24T12:00:00Z",
        "layout": layout,
        "root": "captures of mine",
        "split": "test" if layout != "pixel4" else None,
        "bits": 16,
        "official": False,
        "lpips": "absent",
        "device": "cpu, 2 threads",
        "versions": {"python": "3.11.2", "torch": "2.13.0", "numpy": "2.4.6", "opencv": "5.0.0"},
        "protocols": ["as_published", "aligned"],
        "metrics": ["psnr", "ssim", "mae", "lpips"],
        "methods": [about(method) for method in methods],
        "scenes": records,
        "summary": {method: summary(method, records) for method in methods},
    }
    if defocus:
        document["defocus"] = {"compact": {"aiwe1": 0.1041, "aiwe2": 0.1402, "spearman": 0.2}}
    if change:
        change(document)
    return Evaluation(scores_from_json(document), folder)


def invent_windows(
    method: str, index: int, side: int, truth: Image.Image, folder: Path
) -> list[dict[str, Any]]:
    """Write the pictures of two squares of a scene: one gains as many dB as its number, the other loses them."""
    found = []
    (folder / method).mkdir()
    for x, gain in ((1, -1 - index), (5, 1 + index)):
        for part in ("input", "output", "truth"):
            truth.crop((x, 2, x + side, 2 + side)).save(folder / method / f"{x}-2-{part}.png")
        found.append({"x": x, "y": 2, "side": side, "nothing": 20.0, "psnr": 20.0 + gain})
    return found


def about(method: str) -> dict[str, Any]:
    model = method not in ("none", "deconvolution")
    return {
        "name": method,
        "kind": "model" if model else "baseline",
        "identity": method,
        "checkpoint": f"{method}.safetensors" if model else None,
        "checkpoint_sha256": "0123456789abcdef" * 4 if model else None,
        "parameters": 1_234_567 if model else None,
        "computation": COMPUTATION if model else None,
    }


def values(psnr: float) -> dict[str, Any]:
    return {"psnr": psnr, "ssim": 0.4 + psnr / 80, "mae": 1.1 / psnr, "lpips": None}


def summary(method: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    seconds = float(np.median([record["scores"][method]["seconds"] for record in records]))
    document: dict[str, Any] = {"seconds": seconds, **spreads(method, records)}
    labels = sorted({record["label"] for record in records if record["label"]})
    if labels:
        document["labels"] = {
            label: spreads(method, [record for record in records if record["label"] == label])
            for label in labels
        }
    return document


def spreads(method: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for protocol in ("as_published", "aligned"):
        rows = [record["scores"][method][protocol] for record in records]
        nothing = [record["scores"]["none"][protocol]["psnr"] for record in records]
        document[protocol] = {
            metric: spread([row[metric] for row in rows]) for metric in ("psnr", "ssim", "mae")
        }
        document[protocol]["gain"] = spread([row["psnr"] - b for row, b in zip(rows, nothing, strict=True)])
        document[protocol]["lpips"] = None
    return document


def spread(numbers: list[float]) -> dict[str, float]:
    mean, error = float(np.mean(numbers)), float(np.std(numbers) / np.sqrt(len(numbers)))
    low, high = mean - 2 * error, mean + 2 * error
    return {"mean": mean, "median": float(np.median(numbers)), "low": low, "high": high}


def draw(text: str, width: int, height: int, index: int) -> Image.Image:
    """Draw lines of text and a circle on a color gradient."""
    y, x = np.mgrid[:height, :width] / max(width, height)
    turn = index * 0.7
    rgb = [0.55 + 0.35 * np.sin(turn + shift + 3 * x + 2 * y) for shift in (0, 1.2, 2.4)]
    image = Image.fromarray((np.stack(rgb, 2) * 255).clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for line, top in enumerate(range(0, height, max(10, height // 24))):
        pen.text((line % 3 * 9, top), f"{text} " * 40, fill=(20, 20, 30) if line % 2 else (250, 250, 240))
    pen.ellipse((width * 0.55, height * 0.2, width * 0.85, height * 0.6), outline=(200, 30, 30), width=4)
    return image
