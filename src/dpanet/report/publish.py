"""What an evaluation leaves: scores.json for programs, scores.csv for tables, report.html for people."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dpanet.evaluation.comparison import METRICS, Comparison
from dpanet.files.output import atomic_output
from dpanet.report.build import build_page
from dpanet.report.spreadsheet import scores_csv
from dpanet.version import __version__

LIBRARIES = {
    "torch": "torch",
    "numpy": "numpy",
    "scikit-image": "scikit-image",
    "opencv": "opencv-python-headless",
}


def publish(
    comparison: Comparison,
    records: Sequence[Mapping[str, Any]],
    folder: Path,
    *,
    root: Path,
    command: Sequence[str],
) -> dict[str, Any]:
    """Write the three files, each whole or not at all; returns what scores.json holds.

    Args: records: of `Comparison.run`. root, command: told as they are.
    """
    scores = _scores(comparison, records, root, command)
    for name, text in (
        ("scores.json", json.dumps(scores, indent=1, allow_nan=False) + "\n"),
        ("scores.csv", scores_csv(scores)),
    ):
        with atomic_output(folder / name, overwrite=True) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    build_page(folder)
    return scores


def _scores(
    comparison: Comparison, records: Sequence[Mapping[str, Any]], root: Path, command: Sequence[str]
) -> dict[str, Any]:
    dataset = comparison.dataset
    found: dict[str, Any] = {
        "dpanet": __version__,
        "command": list(command),
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "layout": dataset.layout,
        "root": root.name or str(root),
        "split": dataset.split,
        "bits": comparison.depth.bits,
        "official": comparison.depth.official,
        "lpips": comparison.perceptual_weights,
        "device": _device(comparison),
        "versions": {
            "python": platform.python_version(),
            **{name: version(package) for name, package in LIBRARIES.items()},
        },
        "protocols": list(comparison.protocols),
        "metrics": list(METRICS),
        "methods": [
            {
                "name": method.name,
                "kind": method.kind,
                "identity": method.identity,
                "checkpoint": getattr(method, "checkpoint", None),
                "checkpoint_sha256": getattr(method, "checkpoint_sha256", None),
                "parameters": getattr(method, "parameters", None),
            }
            for method in comparison.methods
        ]
        + [
            {
                "name": name,
                "kind": "given",
                "identity": "",
                "checkpoint": None,
                "checkpoint_sha256": None,
                "parameters": None,
            }
            for name in comparison.given
        ],
        "scenes": list(records),
        "summary": comparison.summary(records),
    }
    defocus = comparison.defocus_summary(records)
    return {**found, "defocus": defocus} if defocus else found


def _device(comparison: Comparison) -> str:
    """Where the networks ran; what has none runs on the processor."""
    found = [getattr(method, "device", None) for method in comparison.methods]
    return ", ".join(sorted({str(device) for device in found if device is not None})) or "cpu"
