"""Where the marks of the gain plot are; the template draws them as SVG.

Horizontal positions are per cent of the field of dots, vertical ones px from the top of the drawing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dpanet.evaluation.scores import GAIN, SceneScores, Scores
from dpanet.report.formatting import MINUS, format_value, protocol_title

TOP, BOTTOM = 26.0, 42.0
"""px above the rows, for tick labels; px below them, for tick labels and the title of the axis."""
LONGEST_NAME = 14
"""Letters of a scene's name; longer ones are shortened in the middle."""


@dataclass(frozen=True)
class Axis:
    """The horizontal axis in dB; zero is always on it."""

    low: float
    """Left end."""
    high: float
    """Right end."""
    step: float
    """Distance of the ticks."""

    def place(self, value: float) -> float:
        """Return the position of a value in per cent; infinite ones are at an end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(100 * share, 3)

    def ticks(self) -> list[float]:
        """Return the values of the ticks in dB, in ascending order."""
        first, last = math.ceil(self.low / self.step - 1e-9), math.floor(self.high / self.step + 1e-9)
        return [index * self.step for index in range(first, last + 1)]


@dataclass(frozen=True)
class Tick:
    """One tick of the axis."""

    x: float
    """Position in per cent."""
    label: str
    """Such as ``+0.5``; ``0`` at zero."""


@dataclass(frozen=True)
class Dot:
    """The mark of one method."""

    method: int
    """Position of the method among all methods, which decides color and shape."""
    x: float
    """Position in per cent."""
    y: float
    """px, from the top of its row."""
    title: str
    """What its tooltip says."""
    infinite: str
    """``∞`` or ``−∞`` where the gain is infinite, else empty."""


@dataclass(frozen=True)
class Mean:
    """The mean gain of one method."""

    dot: Dot
    """The mean."""
    interval: tuple[float, float] | None
    """Positions of the ends of its 95 % interval in per cent; None if there is none."""


@dataclass(frozen=True)
class PlotRow:
    """All methods on one image."""

    name: str
    """Name of the scene."""
    label: str
    """The same, shortened."""
    y: float
    """px from the top of the drawing."""
    dots: Sequence[Dot]
    """One per method that has a gain."""


@dataclass(frozen=True)
class GainPlot:
    """One row per image with a mark per method, and above them the means."""

    protocol: str
    """Title of the protocol."""
    title: str
    """Title of the axis."""
    height: float
    """Of the drawing, px."""
    top: float
    """Upper end of the field, px."""
    bottom: float
    """Lower end of the field, px."""
    ticks: Sequence[Tick]
    """Ticks of the axis."""
    means: Sequence[Mean]
    """One per method that has a mean gain."""
    means_y: float
    """Baseline of the text beside the means, px."""
    divider_y: float
    """Line between the means and the images, px."""
    rows: Sequence[PlotRow]
    """One per image."""


def axis_over(values: Sequence[float]) -> Axis:
    """Return an axis with round ends and about six ticks, over zero and the finite values."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    span = max(high - low, 0.1)
    rough = span / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    bottom, top = math.floor(low / step - 1e-9) * step, math.ceil(high / step + 1e-9) * step
    return Axis(min(bottom, 0.0), max(top, step), step)


def gain_plots(scores: Scores) -> list[GainPlot]:
    """Return a plot per protocol; all have the same axis, so that they can be compared."""
    methods = [method.name for method in scores.methods[1:]]
    axis = axis_over(
        [
            scene.gain(method, protocol)
            for protocol in scores.protocols
            for scene in scores.scenes
            for method in methods
        ]
    )
    return [_gain_plot(scores, protocol, axis) for protocol in scores.protocols]


def _gain_plot(scores: Scores, protocol: str, axis: Axis) -> GainPlot:
    methods, count = [method.name for method in scores.methods[1:]], len(scores.scenes)
    row_height = 26.0 if count <= 12 else 19.0 if count <= 40 else 15.0
    means_height = 14.0 + 11.0 * len(methods)
    start = TOP + means_height
    end = start + row_height * count
    rows = [
        _row(scene, methods, protocol, start + row_height * (index + 0.5), axis)
        for index, scene in enumerate(scores.scenes)
    ]
    return GainPlot(
        protocol=protocol_title(protocol),
        title=f"Gain over none, dB, {protocol_title(protocol).lower()}",
        height=end + BOTTOM,
        top=TOP,
        bottom=end,
        ticks=[Tick(axis.place(tick), _tick_label(tick, axis.step)) for tick in axis.ticks()],
        means=_means(scores, methods, protocol, axis),
        means_y=TOP + means_height / 2 + 1,
        divider_y=start - 4,
        rows=rows,
    )


def _tick_label(tick: float, step: float) -> str:
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return "0" if abs(tick) < step / 2 else f"{tick:+.{decimals}f}".replace("-", MINUS)


def _means(scores: Scores, methods: Sequence[str], protocol: str, axis: Axis) -> list[Mean]:
    means = []
    for number, method in enumerate(methods, start=1):
        spread = scores.summary[method].protocols[protocol][GAIN]
        if spread is None or math.isnan(spread.mean):
            continue
        title = f"{method}: mean {format_value(spread.mean, GAIN)} dB"
        dot = _dot(number, spread.mean, TOP + 4 + 11.0 * (number - 0.5), title, axis)
        ends = None
        if spread.low is not None and spread.high is not None:
            ends = axis.place(spread.low), axis.place(spread.high)
        means.append(Mean(dot, ends))
    return means


def _row(scene: SceneScores, methods: Sequence[str], protocol: str, y: float, axis: Axis) -> PlotRow:
    dots = []
    for number, method in enumerate(methods, start=1):
        gain = scene.gain(method, protocol)
        if not math.isnan(gain):
            title = f"{scene.name}, {method}: {format_value(gain, GAIN)} dB"
            dots.append(_dot(number, gain, 0.0, title, axis))
    half = (LONGEST_NAME - 1) // 2
    short = len(scene.name) <= LONGEST_NAME
    return PlotRow(scene.name, scene.name if short else f"{scene.name[:half]}…{scene.name[-half:]}", y, dots)


def _dot(method: int, gain: float, y: float, title: str, axis: Axis) -> Dot:
    infinite = "" if math.isfinite(gain) else "∞" if gain > 0 else f"{MINUS}∞"
    return Dot(method, axis.place(gain), y, title, infinite)
