"""Print an inspection as one screen of plain words."""

from __future__ import annotations

import math
import textwrap

from dpanet.errors import shown
from dpanet.inspection.file_facts import FileFacts, ValueFacts
from dpanet.inspection.inspection import Inspection
from dpanet.inspection.measure import Measures

WIDTH = 100
"""Characters of a line."""

_LABEL = 12
"""Characters of the first column."""

_USABLE = "nothing speaks against it; deblur it with: dpanet deblur LEFT RIGHT -o PICTURE"


def format_text(inspection: Inspection) -> str:
    """Return the lines of an inspection."""
    names = ("left", "right") if len(inspection.files) > 1 else ("file",)
    rows = [(name, _file(facts)) for name, facts in zip(names, inspection.files, strict=True)]
    if inspection.values is not None:
        rows += _values(inspection.values)
    if inspection.measures is not None:
        rows += _measures(inspection.measures, inspection.steps)
    lines = [line for label, text in rows for line in _wrap(label, text)]
    lines.append("")
    level, texts = inspection.verdict.level, [finding.sentence for finding in inspection.verdict.findings]
    if level == "usable":
        texts.insert(0, _USABLE if len(inspection.files) > 1 else _USABLE.replace("LEFT RIGHT", "RAW"))
    lines += _wrap("verdict", f"{level}: {texts[0]}")
    for text in texts[1:]:
        lines += _wrap("note", text)
    return "\n".join(lines)


def _file(facts: FileFacts) -> str:
    depth = "floats" if facts.bits == 32 else f"{facts.bits} bits"
    colors = {1: "gray", 2: "gray and alpha", 3: "RGB", 4: "RGB and alpha"}.get(facts.channels, "")
    turned = "" if facts.orientation == 1 else f", to be turned for viewing (orientation {facts.orientation})"
    return (
        f"{shown(facts.path)}: {facts.format}, {facts.width} x {facts.height} px, {depth}, {colors}, "
        f"{facts.bytes / 1e6:.1f} MB{turned}"
    )


def _values(values: ValueFacts) -> list[tuple[str, str]]:
    name = "proportional to light (linear)" if values.encoding == "linear" else "encoded for the eye (srgb)"
    how = {
        "nothing": "assumed, since the file does not state it",
        "ICC profile": f'stated by the ICC profile "{values.icc_name}"',
        "file": "stated by the file",
    }.get(values.stated_by, f"by {values.stated_by}")
    parts = [f'ICC "{values.icc_name}"' if kind == "ICC" else kind for kind in values.metadata]
    if values.camera:
        parts.append(f"camera {values.camera}")
    if values.resolution:
        x, y = values.resolution
        parts.append(f"{x:g} px an inch" if x == y else f"{x:g} x {y:g} px an inch")
    return [("values", f"{name}, {how}"), ("metadata", ", ".join(parts) or "none")]


def _measures(m: Measures, steps: float) -> list[tuple[str, str]]:
    rows = [
        ("noise", _noise(m, steps)),
        ("clipped", _clipped(m)),
        ("brightness", _brightness(m)),
    ]
    if m.identical:
        return rows
    shift, turn = m.misalignment.shift, m.misalignment.turn
    rows.append(
        (
            "alignment",
            "cannot be measured"
            if math.isnan(shift)
            else f"vertical shift {shift:+.2f} px, turned by {turn:+.2f} px from border to border (0 in a good pair)",
        )
    )
    focus = m.focus
    rows.append(
        (
            "focus",
            f"{_share(focus.blurred)} out of focus, {_share(focus.sharp)} in focus, "
            f"{_share(focus.unknown)} cannot be told",
        )
    )
    if not math.isnan(focus.quantiles[1]):
        low, middle, high = focus.quantiles
        rows.append(
            (
                "disparity",
                f"{middle:+.1f} px in the middle, 90 % of the parts from {low:+.1f} to {high:+.1f} px",
            )
        )
        blur = (
            "too small to be compared with the blur"
            if math.isnan(focus.blur_per_disparity)
            else f"blur is {focus.blur_per_disparity:.1f} times the disparity (a lens: over 0.5; two cameras: less)"
        )
        rows.append(("", blur))
    rows.append(("order", _order(m)))
    return rows


def _noise(m: Measures, steps: float) -> str:
    known = [value for value in m.noise if not math.isnan(value)]
    if not known:
        return "cannot be measured"
    percent = " and ".join(f"{100 * value:.2g}" for value in m.noise)
    codes = " and ".join(f"{value * steps:.2g}" for value in m.noise)
    return (
        f"{percent} % of white" + (f" ({codes} codes)" if steps else "") + " in left and right, smooth parts"
    )


def _clipped(m: Measures) -> str:
    bright, dark = max(side.bright for side in m.clipped), max(side.dark for side in m.clipped)
    ceiling = min(side.ceiling for side in m.clipped)
    where = "" if ceiling == 1 else f" (here {100 * ceiling:.0f} % of the file's)"
    return f"{_share(bright)} at white{where}, {_share(dark)} at black"


def _brightness(m: Measures) -> str:
    brightness = m.brightness
    if math.isnan(brightness.ratio):
        return "too dark to be compared"
    text = f"the left view has {brightness.ratio:.2f} times the light of the right"
    if brightness.slope <= 0.05:
        return f"{text}, evenly"
    first, last = brightness.columns[0], brightness.columns[-1]
    return f"{text}; {first:.2f} at the left border, {last:.2f} at the right"


def _order(m: Measures) -> str:
    order = m.order
    by = {
        "measured kernels": "the measured kernels of this lens",
        "camera": "the known brightness of this camera's halves",
        "habit": "habit: most photographs are blurred behind what is in focus",
    }
    sides = (
        f"in this order, {_share(order.behind)} is behind the focal plane, {_share(order.before)} in front"
    )
    if order.state == "undecided":
        return f"cannot be decided; {sides}"
    word = "right" if order.state == "right" else "swapped"
    return f"the views look {word}, by {by[order.by]}; {sides}"


def _share(value: float) -> str:
    if value == 0 or value >= 0.0995:
        return f"{100 * value:.0f} %"
    return f"{100 * value:.2g} %" if value >= 1e-4 else "under 0.01 %"


def _wrap(label: str, text: str) -> list[str]:
    lines = textwrap.wrap(
        f"{label:<{_LABEL}}{text}".replace(" %", "\u00a0%")
        .replace(" px", "\u00a0px")
        .replace(" x ", "\u00a0x\u00a0"),
        WIDTH,
        subsequent_indent=" " * _LABEL,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\u00a0", " ") for line in lines]
