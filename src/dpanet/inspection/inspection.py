"""An inspection: the facts of the files, the measures and the verdict, as values for people and programs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dpanet.errors import shown
from dpanet.inspection.circumstances import ORDINARY, Circumstances
from dpanet.inspection.file_facts import FileFacts, UnreadFile, ValueFacts
from dpanet.inspection.measure import Measures, measure_pair
from dpanet.inspection.verdict import Finding, Verdict, judge
from dpanet.inspection.view_order import ViewOrder
from dpanet.pair import DualPixelPair

if TYPE_CHECKING:
    from dpanet.deconvolution.lens import MeasuredLens


_FILE_KEYS = ("format", "bytes", "width", "height", "bits", "channels", "orientation")


@dataclass(frozen=True)
class Inspection:
    """All about one or two files."""

    files: tuple[FileFacts | UnreadFile, ...]
    """The left and the right file; or the one that was given."""
    values: ValueFacts | None
    """None if the files could not be read as a pair."""
    steps: float
    """Codes from black to white; 0 for floats."""
    measures: Measures | None
    """None likewise."""
    verdict: Verdict


def inspect_pair(
    files: tuple[FileFacts | UnreadFile, ...],
    pair: DualPixelPair,
    values: ValueFacts,
    steps: float,
    *,
    circumstances: Circumstances = ORDINARY,
    lens: MeasuredLens | None = None,
) -> Inspection:
    """Measure a pair and judge it.

    Args:
        files: that it was read from.
        pair: the views.
        values: what their values mean.
        steps: codes of the files from black to white; 0 for floats.
        circumstances: in which it was read.
        lens: measured kernels of the lens, if there are any.
    """
    camera = pair.metadata.get("camera")
    measures = measure_pair(pair, steps, camera=camera, flat_field=circumstances.flat_field, lens=lens)
    verdict = judge(measures, circumstances)
    if verdict.level == "unusable" or any(finding.key in ("flat", "small") for finding in verdict.findings):
        nan = float("nan")
        measures = replace(measures, order=ViewOrder("undecided", "nothing", nan, nan))
    return Inspection(files, values, steps, measures, verdict)


def refuse(files: tuple[FileFacts | UnreadFile, ...], sentence: str, key: str = "no-pair") -> Inspection:
    """Return the inspection of files that are no pair, for the reason in a sentence."""
    return Inspection(files, None, 0.0, None, Verdict("unusable", (Finding(key, "unusable", sentence),)))


def to_document(inspection: Inspection) -> dict[str, Any]:
    """Return an inspection as values for JSON; unknown numbers are None. Keys: docs/inspect.md."""
    document: dict[str, Any] = {
        "verdict": inspection.verdict.level,
        "findings": [
            {"key": finding.key, "level": finding.level, "text": finding.sentence}
            for finding in inspection.verdict.findings
        ],
        "files": [
            {"path": shown(file.path), **{key: getattr(file, key, None) for key in _FILE_KEYS}}
            for file in inspection.files
        ],
        "values": None,
        "measures": None,
    }
    values, measures = inspection.values, inspection.measures
    if values is not None:
        document["values"] = {
            "encoding": values.encoding,
            "stated_by": values.stated_by,
            "metadata": list(values.metadata),
            "icc": values.icc_name or None,
            "camera": values.camera or None,
            "resolution_px_per_inch": list(values.resolution) if values.resolution else None,
        }
    if measures is not None:
        document["measures"] = _measures(measures, inspection.steps)
    known: dict[str, Any] = _finite(document)
    return known


def _measures(m: Measures, steps: float) -> dict[str, Any]:
    return {
        "identical": m.identical,
        "noise_percent_of_white": [100 * value for value in m.noise],
        "noise_codes": [value * steps for value in m.noise] if steps else None,
        "clipped_bright_share": [side.bright for side in m.clipped],
        "clipped_dark_share": [side.dark for side in m.clipped],
        "clipping_level": [side.ceiling for side in m.clipped],
        "above_white_share": [side.above for side in m.clipped],
        "vertical_shift_px": m.misalignment.shift,
        "turn_px": m.misalignment.turn,
        "stretch_px": m.misalignment.stretch,
        "brightness_left_over_right": m.brightness.ratio,
        "brightness_columns": list(m.brightness.columns),
        "brightness_rows": list(m.brightness.rows),
        "correlation": m.focus.correlation,
        "in_focus_share": m.focus.sharp,
        "out_of_focus_share": m.focus.blurred,
        "unmatched_share": m.focus.unknown,
        "disparity_px": dict(zip(("5", "50", "95"), m.focus.quantiles, strict=True)),
        "blur_disparity_rank_correlation": m.focus.rank,
        "blur_per_disparity": m.focus.blur_per_disparity,
        "sharp_parts_shift_px": m.focus.sharp_shift,
        "order": m.order.state,
        "order_by": m.order.by,
        "behind_share": m.order.behind,
        "in_front_share": m.order.before,
    }


def _finite(value: Any) -> Any:
    """Replace NaN by None, at any depth: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
