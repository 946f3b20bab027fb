"""Decide whether two files are a usable pair, from what was measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from dpanet.inspection.circumstances import ORDINARY, Circumstances
from dpanet.inspection.measure import Measures
from dpanet.inspection.percent import percent

Level = Literal["usable", "doubtful", "unusable"]

MAX_SHIFT = 0.5
"""px along y up to which the views lie on each other; real captures are within 0.15."""

USELESS_SHIFT = 1.5
"""px from which they are of no use."""

MAX_TURN = 1.2
"""px of difference of that shift between opposite borders; real captures are within 0.7."""

MIN_CORRELATION = 0.75
"""Median correlation of matched blocks below which the files do not show one scene; captures have over 0.95."""

MIN_MATCHED = 0.1
"""Share of the blocks with a match, of those with detail."""

MIN_BLUR_PER_DISPARITY = 0.38
"""Median blur in disparities; simulated lenses have 0.44 or more, real captures 0.7 to 2.0."""

MIN_LARGE = 0.25
"""Share of matched blocks with a large disparity from which it is judged; fewer can be wrong matches of a pattern."""

MAX_SHARP_SHIFT = 2.0
"""px of the working planes by which sharp parts may be apart."""

SMALLEST = 96
"""px of the shorter side from which the views are judged as a pair."""

EVEN_RATIO = 1.25
"""Largest brightness of one view in that of the other that is not remarked on."""


@dataclass(frozen=True)
class Finding:
    """One thing about a pair that its user should know."""

    key: str
    """Short and stable, for programs."""
    level: Level
    sentence: str
    """What it is, and what to do."""


@dataclass(frozen=True)
class Verdict:
    """The judgment on a pair."""

    level: Level
    findings: tuple[Finding, ...]
    """The gravest first."""


def judge(measures: Measures, circumstances: Circumstances = ORDINARY) -> Verdict:
    """Judge a pair by its measures.

    Args:
        measures: of the pair.
        circumstances: in which it was read.
    """
    ranks = {"unusable": 0, "doubtful": 1, "usable": 2}
    findings: list[Finding] = []
    for decides, checks in _CHECKS:
        found = [finding for check in checks if (finding := check(measures)) is not None]
        findings += found
        if found and decides:
            break
    else:
        findings += [
            finding
            for check in (_scale, _brightness)
            if (finding := check(measures, circumstances)) is not None
        ]
    findings.sort(key=lambda finding: ranks[finding.level])
    return Verdict(findings[0].level if findings else "usable", tuple(findings))


def is_exchanged(verdict: Verdict) -> bool:
    """Return whether a pair is usable but for the order of its views, which is known to be wrong."""
    doubts = [finding.key for finding in verdict.findings if finding.level != "usable"]
    return doubts == ["swapped"]


def _identical(m: Measures) -> Finding | None:
    if not m.identical:
        return None
    return Finding(
        "identical",
        "unusable",
        "the two files hold the same picture, so there is no second view; export both views of the capture",
    )


def _flat(m: Measures) -> Finding | None:
    if not math.isnan(m.focus.correlation):
        return None
    return Finding(
        "flat",
        "doubtful",
        "the pictures have no detail above their noise, so nothing can be said about them as a pair",
    )


def _small(m: Measures) -> Finding | None:
    height, width = m.maps.planes.left.shape
    if min(height, width) >= SMALLEST:
        return None
    return Finding(
        "small",
        "doubtful",
        f"the pictures are smaller than {SMALLEST} px, too small to be judged as a pair; give whole pictures",
    )


def _different(m: Measures) -> Finding | None:
    matched = m.focus.sharp + m.focus.blurred
    if m.focus.correlation >= MIN_CORRELATION and matched >= MIN_MATCHED:
        return None
    return Finding(
        "different",
        "unusable",
        "the files do not show the same picture, part by part; give the two views of one capture, of one size and "
        "turned alike",
    )


def _two_cameras(m: Measures) -> Finding | None:
    if not (m.focus.blur_per_disparity < MIN_BLUR_PER_DISPARITY and m.focus.large > MIN_LARGE):
        return None
    return Finding(
        "two-cameras",
        "unusable",
        "parts that are far apart in the views are sharp, as with two cameras or a moved one; in a dual-pixel pair "
        "only blurred parts are, so give the two views of one dual-pixel capture",
    )


def _shifted(m: Measures) -> Finding | None:
    shift = m.focus.sharp_shift
    if not abs(shift) > MAX_SHARP_SHIFT * m.maps.planes.factor:
        return None
    return Finding(
        "shifted",
        "unusable",
        f"the sharp parts lie {abs(shift):.1f} px apart along the rows, where they should lie on each other; export "
        "both views with the same crop",
    )


def _misaligned(m: Measures) -> Finding | None:
    shift = m.misalignment.shift
    if not abs(shift) > MAX_SHIFT:
        return None
    return Finding(
        "misaligned",
        "unusable" if abs(shift) > USELESS_SHIFT else "doubtful",
        f"the right view lies {abs(shift):.1f} px {'below' if shift > 0 else 'above'} the left one; views of one "
        "capture differ along the rows only, so export both without crop, lens correction or stabilization",
    )


def _along_columns(m: Measures) -> Finding | None:
    if not m.along_columns:
        return None
    return Finding(
        "quarter-turn",
        "unusable",
        "the views look turned by 90 degrees: they differ along the columns, where dual-pixel views differ along the "
        "rows; export them unturned, without the orientation applied",
    )


def _turned(m: Measures) -> Finding | None:
    limit = max(MAX_TURN, 0.9 * m.maps.planes.factor)
    turn, stretch = m.misalignment.turn, m.misalignment.stretch
    if m.focus.sharp + m.focus.blurred < 2 * MIN_MATCHED or not max(abs(turn), abs(stretch)) > limit:
        return None
    kind, size = ("turned", turn) if abs(turn) >= abs(stretch) else ("of another size", stretch)
    return Finding(
        "turned",
        "unusable",
        f"the right view is {kind} against the left one, by {abs(size):.1f} px from border to border; export both "
        "without crop, lens correction or stabilization",
    )


def _swapped(m: Measures) -> Finding | None:
    order = m.order
    if order.state == "swapped" and order.by in ("measured kernels", "camera"):
        how = (
            "the measured kernels"
            if order.by == "measured kernels"
            else "the brightness of this camera's halves"
        )
        return Finding(
            "swapped",
            "doubtful",
            f"the views are swapped, by {how}; exchange the two files",
        )
    if order.state == "swapped":
        return Finding(
            "swapped",
            "usable",
            "the views look swapped: in this order, what is blurred lies in front of what is in focus, which is "
            "rare; if it lies behind in the scene, exchange the two files",
        )
    if order.state == "undecided" and min(order.behind, order.before) >= 0.05:
        return Finding(
            "order",
            "usable",
            "whether the views are swapped cannot be decided: in this order, "
            f"{percent(order.behind)} lies behind the focal plane and {percent(order.before)} in front; if the scene "
            "is otherwise, exchange the two files",
        )
    return None


def _in_focus(m: Measures) -> Finding | None:
    matched = m.focus.sharp + m.focus.blurred
    if m.identical or matched == 0 or m.focus.blurred > 0.03 * matched:
        return None
    return Finding(
        "in-focus",
        "doubtful",
        "the views agree everywhere: all is in focus, or both files are copies of the ordinary picture; deblurring "
        "would change little",
    )


def _scale(_: Measures, circumstances: Circumstances) -> Finding | None:
    return Finding("scale", "doubtful", circumstances.scale) if circumstances.scale else None


def _brightness(m: Measures, circumstances: Circumstances) -> Finding | None:
    ratio = m.brightness.ratio
    if circumstances.flat_field and m.order.state == "swapped":
        return None  # the sheets are those of the other order
    if math.isnan(ratio) or (1 / EVEN_RATIO <= ratio <= EVEN_RATIO and m.brightness.slope <= 0.15):
        return None
    return Finding(
        "brightness",
        "usable",
        "the views differ in brightness"
        + (", unevenly over the picture" if m.brightness.slope > 0.15 else "")
        + f"; {_advice_on_brightness(circumstances)}",
    )


def _advice_on_brightness(circumstances: Circumstances) -> str:
    if circumstances.flat_field:
        return "the white sheets do not even it out, so give sheets taken with this lens, focus and aperture"
    if circumstances.sheets_option:
        return f"if you have pictures of a white sheet, give them with {circumstances.sheets_option}"
    return (
        "halves of a lens do so toward the borders, and only raw views in two files can be evened out, by "
        "--flat-field"
    )


def _clipped(m: Measures) -> Finding | None:
    bright, dark = max(side.bright for side in m.clipped), max(side.dark for side in m.clipped)
    if max(bright, dark) < 0.02:
        return None
    what = f"{percent(bright)} at white" if bright >= dark else f"{percent(dark)} at black"
    return Finding(
        "clipped",
        "usable" if max(bright, dark) < 0.2 else "doubtful",
        f"a part of the values is clipped ({what}); blur cannot be removed there, so expose otherwise if you can",
    )


_CHECKS = (
    (True, (_identical,)),
    (True, (_flat, _small)),
    (True, (_along_columns,)),
    (True, (_turned,)),
    (True, (_different,)),
    (True, (_shifted,)),
    (True, (_two_cameras,)),
    (False, (_misaligned, _swapped, _in_focus, _clipped)),
)
"""In the order in which they are made; where a group decides, what follows would be its consequence."""
