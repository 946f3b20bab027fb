"""Print an inspection as one screen of plain words."""

from __future__ import annotations

import math
import shutil
import textwrap

from dpanet.errors import shown
from dpanet.inspection.file_facts import SIZE_AND_DEPTH, FileFacts, UnreadFile, ValueFacts
from dpanet.inspection.inspection import Inspection
from dpanet.inspection.measure import Measures
from dpanet.inspection.percent import percent
from dpanet.inspection.verdict import is_exchanged

NARROWEST, WIDEST = 40, 100
"""Characters of a line, which is as wide as the terminal between these; 80 where there is none."""

_LABEL = 12
"""Characters of the first column."""

_USABLE = "nothing speaks against it"

_CHECK_ORDER = (
    "nothing else speaks against it, but if the defocus map matters, check the order of the views: it changes "
    "the sign of the map"
)


def format_text(inspection: Inspection, command: tuple[str, ...] = ()) -> str:
    """Return the lines of an inspection.

    Args:
        inspection: to be printed.
        command: words that deblur the files, quoted for a shell; printed unless the verdict speaks against it.
    """
    names = ("left", "right") if len(inspection.files) > 1 else ("file",)
    rows = [(name, _file(facts)) for name, facts in zip(names, inspection.files, strict=True)]
    if inspection.values is not None:
        rows += _values(inspection.values)
    if inspection.measures is not None:
        rows += _measures(inspection.measures, inspection.steps)
    width = max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))
    lines = [line for label, text in rows for line in _wrap(label, text, width)]
    lines.append("")
    level, texts = inspection.verdict.level, [finding.sentence for finding in inspection.verdict.findings]
    if level == "usable":
        swapped = any(finding.key == "swapped" for finding in inspection.verdict.findings)
        texts.insert(0, _CHECK_ORDER if swapped else _USABLE)
    lines += _wrap("verdict", f"{level}: {texts[0]}", width)
    for text in texts[1:]:
        lines += _wrap("note", text, width)
    if command and (level == "usable" or is_exchanged(inspection.verdict)):
        lines += _break_command("deblur it", command, width)
    return "\n".join(lines)


def _file(facts: FileFacts | UnreadFile) -> str:
    if isinstance(facts, UnreadFile):
        return f"{shown(facts.path)}: not read"
    depth = "floats" if facts.bits == 32 else f"{facts.bits} bits"
    colors = {1: "gray", 2: "gray and alpha", 3: "RGB", 4: "RGB and alpha"}.get(facts.channels, "")
    turned = "" if facts.orientation == 1 else f", to be turned for viewing (orientation {facts.orientation})"
    return (
        f"{shown(facts.path)}: {facts.format}, {facts.width} x {facts.height} px, {depth}, {colors}, "
        f"{_size(facts.bytes)}{turned}"
    )


def _size(count: int) -> str:
    for unit, name in ((1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return (
                f"{count / unit:.1f} {name}"
                if count < 10 * unit or unit > 1e3
                else f"{count / unit:.0f} {name}"
            )
    return f"{count} bytes"


def _values(values: ValueFacts) -> list[tuple[str, str]]:
    name = "proportional to light (linear)" if values.encoding == "linear" else "encoded for the eye (srgb)"
    how = {
        "nothing": "assumed, since the file does not state it",
        "ICC profile": f'stated by the ICC profile "{values.icc_name}"',
        "file": "stated by the file",
        SIZE_AND_DEPTH: "recognized as those of the Pixel capture app by size and depth; the file states nothing",
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
            f"{percent(focus.blurred)} out of focus, {percent(focus.sharp)} in focus, "
            f"{percent(focus.unknown)} unknown",
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
    bright, dark, above = (
        max(getattr(side, name) for side in m.clipped) for name in ("bright", "dark", "above")
    )
    ceilings = [side.ceiling for side in m.clipped if not math.isnan(side.ceiling)]
    where = f" (here {100 * min(ceilings):.0f} % of the file's)" if ceilings and min(ceilings) != 1 else ""
    higher = f"; {percent(above)} lie above white and are kept" if above else ""
    return f"{percent(bright)} at white{where}, {percent(dark)} at black{higher}"


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
    if math.isnan(order.behind):
        return "cannot be decided"
    sides = (
        f"in this order, {percent(order.behind)} is behind the focal plane, {percent(order.before)} in front"
    )
    if order.state == "undecided":
        return f"cannot be decided; {sides}"
    word = "right" if order.state == "right" else "swapped"
    return f"the views look {word}, by {by[order.by]}; {sides}"


def _break_command(label: str, words: tuple[str, ...], width: int) -> list[str]:
    """Return a command on as many lines as it needs, which a shell reads as one."""
    lines = [f"{label:<{_LABEL}}{words[0]}"]
    for place, word in enumerate(words[1:], 1):
        together = (
            " ".join(words[place : place + 2]) if word.startswith("-") else word
        )  # an option and its value
        if len(lines[-1]) + 1 + len(together) + 2 > width:
            lines[-1] += " \\"
            lines.append(" " * _LABEL + word)
        else:
            lines[-1] += f" {word}"
    return lines


def _wrap(label: str, text: str, width: int) -> list[str]:
    lines = textwrap.wrap(
        text.replace(" %", "\u00a0%").replace(" px", "\u00a0px").replace(" x ", "\u00a0x\u00a0"),
        width - _LABEL,
        break_long_words=False,
        break_on_hyphens=False,
    )
    labels = [label] + [""] * len(lines)
    return [
        f"{label:<{_LABEL}}{line}".replace("\u00a0", " ") for label, line in zip(labels, lines, strict=False)
    ]
