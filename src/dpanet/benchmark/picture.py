"""The results as one picture, written as SVG by hand: engines, parts, and growth with the size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from dpanet.benchmark.report import show_model, show_share
from dpanet.benchmark.results import Results

_WIDTH = 820
_LABEL = 260
"""Px left of the bars."""
_BAR = 20
"""Px from one bar to the next."""
_PLOT = 220
"""Px of the height of a plot."""

_COLORS = ("#2a6fb0", "#d1711c", "#3f8f4f", "#8a4f9e", "#b03a48", "#6b6b6b")


@dataclass(frozen=True)
class Bar:
    """One line of a chart."""

    label: str
    value: float
    text: str
    """What stands behind the bar."""
    color: int = 0


@dataclass(frozen=True)
class Line:
    """Points of a plot that are joined."""

    label: str
    points: tuple[tuple[float, float], ...]
    color: int = 0


def draw(results: Results) -> str:
    """Return the text of an SVG file."""
    models = list(dict.fromkeys(one.model for one in results.passes))
    charts: list[tuple[str, list[Bar]]] = []
    bars = [
        Bar(
            f"{show_model(one.model)}, {one.engine}, {one.precision}",
            1e3 * one.seconds.median,
            f"{1e3 * one.seconds.median:.0f} ms{_share(one.share)}",
            models.index(one.model),
        )
        for one in results.passes
    ]
    if bars:
        size = f"{results.passes[0].width} x {results.passes[0].height}"
        charts.append((f"One run of a network at {size} (share of the best convolution rate)", bars))
    for model, precision in dict.fromkeys((part.model, part.precision) for part in results.parts):
        chosen = [p for p in results.parts if (p.model, p.precision) == (model, precision)]
        title = f"Parts of {show_model(model)}, {precision}, ONNX Runtime"
        color = models.index(model) if model in models else 0
        charts.append(
            (
                title,
                [
                    Bar(p.part, 1e3 * p.seconds, f"{1e3 * p.seconds:.1f} ms{_share(p.share)}", color)
                    for p in chosen
                ],
            )
        )
    bodies: list[str] = []
    top = 56
    for title, bars in charts:
        bodies += _draw_bars(title, bars, top)
        top += 44 + _BAR * len(bars)
    for title, lines in _growth(results, models):
        bodies += _draw_lines(title, lines, top)
        top += _PLOT + 80
    machine = results.machine
    heading = f"dpanet {results.version} on {machine.processor}, {results.threads} of {machine.cores} cores"
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top}" viewBox="0 0 {_WIDTH} {top}" '
        'font-family="DejaVu Sans, Arial, sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{top}" fill="white"/>',
        _text(16, 28, heading, size=16, weight="bold"),
    ]
    return "\n".join([*head, *bodies, "</svg>"]) + "\n"


def _growth(results: Results, models: Sequence[str]) -> Iterator[tuple[str, list[Line]]]:
    """Yield the plots of seconds and of memory."""
    seconds, memory = [], []
    for model in dict.fromkeys(command.model for command in results.sizes if command.model):
        color = models.index(model) if model in models else 0
        chosen = [c for c in results.sizes if c.model == model and c.megapixels]
        seconds.append(
            Line(show_model(model), tuple((c.megapixels or 0, c.seconds.median) for c in chosen), color)
        )
        peaks = tuple((c.megapixels or 0, c.peak_memory / 1e6) for c in chosen if c.peak_memory)
        memory.append(Line(show_model(model), peaks, color))
    if any(line.points for line in seconds):
        yield "dpanet deblur: seconds against megapixels", seconds
    if any(line.points for line in memory):
        yield "dpanet deblur: peak memory in MB against megapixels", memory


def _draw_bars(title: str, bars: Sequence[Bar], top: int) -> Iterator[str]:
    largest = max(bar.value for bar in bars) or 1.0
    yield _text(16, top + 14, title, size=13, weight="bold")
    for place, bar in enumerate(bars):
        y = top + 24 + _BAR * place
        length = (_WIDTH - _LABEL - 160) * bar.value / largest
        yield _text(_LABEL - 8, y + 12, bar.label, anchor="end")
        yield (
            f'<rect x="{_LABEL}" y="{y}" width="{max(length, 0.5):.1f}" height="{_BAR - 5}" '
            f'fill="{_COLORS[bar.color % len(_COLORS)]}"/>'
        )
        yield _text(_LABEL + length + 6, y + 12, bar.text)


def _draw_lines(title: str, lines: Sequence[Line], top: int) -> Iterator[str]:
    left, right, high, low = 70, _WIDTH - 120, top + 30, top + 30 + _PLOT
    widest = max(x for line in lines for x, _ in line.points)
    tallest = max(y for line in lines for _, y in line.points)
    across, up = round_ticks(widest), round_ticks(tallest)

    def place(x: float, y: float) -> tuple[float, float]:
        return left + (right - left) * x / across[-1], low - (low - high) * y / up[-1]

    yield _text(16, top + 14, title, size=13, weight="bold")
    for x in across:
        px, _ = place(x, 0)
        yield f'<line x1="{px:.1f}" y1="{high}" x2="{px:.1f}" y2="{low}" stroke="#e4e4e4"/>'
        yield _text(px, low + 16, f"{x:g}", anchor="middle")
    for y in up:
        _, py = place(0, y)
        yield f'<line x1="{left}" y1="{py:.1f}" x2="{right}" y2="{py:.1f}" stroke="#e4e4e4"/>'
        yield _text(left - 8, py + 4, f"{y:g}", anchor="end")
    for line in (line for line in lines if line.points):
        color = _COLORS[line.color % len(_COLORS)]
        points = [place(x, y) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>'
        for x, y in points:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"/>'
        x, y = points[-1]
        yield _text(x + 8, y + 4, line.label, color=color)


def round_ticks(largest: float) -> list[float]:
    """Return a few round numbers from 0 to the first that is not below `largest`, which is above 0."""
    power = 10.0 ** (math.floor(math.log10(largest)) - 1)
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10, 20, 25) if largest <= 8 * power * factor)
    return [round(step * place, 9) for place in range(math.ceil(largest / step - 1e-9) + 1)]


def _share(share: float | None) -> str:
    return f", {show_share(share)}" if share else ""


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 12,
    weight: str = "normal",
    anchor: str = "start",
    color: str = "#222",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{color}">{escape(text)}</text>'
    )
