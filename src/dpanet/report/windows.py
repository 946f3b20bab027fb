"""The squares of all images in which a method gains least and most, ready for the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dpanet.evaluation.scores import GAIN, NOTHING, Scores, WindowScore
from dpanet.evaluation.windows import COUNT, PARTS, window_path
from dpanet.report.formatting import format_value
from dpanet.report.pictures import data_uri
from dpanet.report.scenes import best_method


@dataclass(frozen=True)
class WindowView:
    """One square of an image."""

    scene: int
    """Position of the image among the images."""
    name: str
    """Name of the image."""
    x: int
    """Left edge, px."""
    y: int
    """Top edge, px."""
    side: int
    """In px."""
    gain: str
    """In dB, as text."""
    psnrs: tuple[str, str]
    """PSNR of the input and of the output in dB, as text."""
    pictures: Mapping[str, str]
    """Data URIs of input, output and truth."""


@dataclass(frozen=True)
class MethodWindows:
    """The squares of one method."""

    number: int
    """Position of the method among all methods."""
    method: str
    """Name of the method."""
    open: bool
    """Whether they are shown at once."""
    worst: Sequence[WindowView]
    """Those with the smallest gain, the smallest first."""
    best: Sequence[WindowView]
    """Those with the largest gain, the largest first."""


def choose_windows(
    scores: Scores, method: str
) -> tuple[list[tuple[int, WindowScore]], list[tuple[int, WindowScore]]]:
    """Return the windows with the smallest and with the largest gain, at most `COUNT` each and none twice.

    Each comes with the position of its image.
    """
    found = [
        (index, window)
        for index, scene in enumerate(scores.scenes)
        for window in scene.windows.get(method, ())
    ]
    found.sort(key=lambda one: one[1].gain)
    few = min(COUNT, (len(found) + 1) // 2)
    return found[:few], found[few:][::-1][:COUNT]


def chosen_files(folder: Path, scores: Scores) -> list[Path]:
    """Return the picture files of all windows that the page shows."""
    return [
        window_path(folder, scores.scenes[index].name, method.name, window, part)
        for method in scores.methods
        for group in choose_windows(scores, method.name)
        for index, window in group
        for part in PARTS
    ]


def method_windows(folder: Path, scores: Scores) -> list[MethodWindows]:
    """Return the windows of every method that has some.

    Raises:
        ReportError: If a picture cannot be read.
    """
    best = best_method(scores)
    rows = []
    for number, method in enumerate(scores.methods):
        worst, most = (
            [_view(folder, scores, method.name, index, window) for index, window in group]
            for group in choose_windows(scores, method.name)
        )
        if worst and method.name != NOTHING:
            rows.append(MethodWindows(number, method.name, method.name == best, worst, most))
    return rows


def _view(folder: Path, scores: Scores, method: str, index: int, window: WindowScore) -> WindowView:
    name = scores.scenes[index].name
    return WindowView(
        index,
        name,
        window.x,
        window.y,
        window.side,
        format_value(window.gain, GAIN),
        (format_value(window.nothing, "psnr"), format_value(window.psnr, "psnr")),
        {part: data_uri(window_path(folder, name, method, window, part)) for part in PARTS},
    )
