"""Numbers as text, and which of a column are the best."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dpanet.errors import shown
from dpanet.evaluation.scores import GAIN, NOTHING

ABSENT = "absent"
"""Text of a value that was not measured."""
DASH = "–"
"""Text of a value that does not exist, such as the gain of doing nothing."""
MINUS = "−"

Rank = Literal["best", "second", ""]
"""Place of a value in its column; empty for a value that is not marked."""


@dataclass(frozen=True)
class Metric:
    """How the values of a metric are written and ranked."""

    label: str
    """Short name, such as ``PSNR``."""
    unit: str
    """Empty for plain numbers."""
    decimals: int
    """Digits after the point."""
    better: Literal["higher", "lower"]
    """Direction of improvement."""

    @property
    def heading(self) -> str:
        """Heading of a column, such as ``PSNR, dB ↑``, with no-break spaces."""
        unit = f", {self.unit}" if self.unit else ""
        arrow = {"higher": "↑", "lower": "↓"}[self.better]
        return f"{self.label}{unit} {arrow}".replace(" ", "\N{NO-BREAK SPACE}")


FORMATS = {
    "psnr": Metric("PSNR", "dB", 2, "higher"),
    "ssim": Metric("SSIM", "", 4, "higher"),
    "mae": Metric("MAE", "", 4, "lower"),
    "lpips": Metric("LPIPS", "", 4, "lower"),
    GAIN: Metric("Gain", "dB", 2, "higher"),
    "aiwe1": Metric("AIWE(1)", "", 3, "lower"),
    "aiwe2": Metric("AIWE(2)", "", 3, "lower"),
    "spearman": Metric("1 − |ρ|", "", 3, "lower"),
}
"""By field of the scores."""

_TITLES = {"as_published": "As published", "aligned": "Aligned"}


def protocol_title(protocol: str) -> str:
    """Return the title of a protocol."""
    return _TITLES.get(protocol, protocol)


def method_title(name: str) -> str:
    """Return the title of a method; doing nothing shows the input."""
    return "none (input)" if name == NOTHING else name


def count_images(count: int) -> str:
    """Return ``1 image``, ``76 images``."""
    return f"{count} image{'s' if count != 1 else ''}"


def printable(text: str) -> str:
    r"""Return a name for a page or a table: bytes that are not UTF-8 and control characters are shown as ``\xe9``."""
    return shown(text) if any(unicodedata.category(one) in ("Cc", "Cs") for one in text) else text


def format_value(value: float | None, metric: str) -> str:
    """Return a value as in the tables: ``26.59``, ``.7983``, ``∞``, ``+2.00`` for gains, ``absent`` for None."""
    if value is None:
        return ABSENT
    if math.isnan(value):
        return "undefined"
    sign = "+" if metric == GAIN else ""
    if math.isinf(value):
        return (sign if value > 0 else MINUS) + "∞"
    text = f"{value:{sign}z.{FORMATS[metric].decimals}f}".replace("-", MINUS)
    if FORMATS[metric].unit == "dB":
        return text
    return text.replace("0.", ".", 1) if text.removeprefix(MINUS).startswith("0.") else text


def format_seconds(value: float | None) -> str:
    """Return ``0.012``, ``2.41`` or ``31``; a dash for None."""
    if value is None:
        return DASH
    return f"{value:.0f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def rank_column(column: Sequence[float | None], metric: str) -> list[Rank]:
    """Mark the best and the second best values of a column.

    Values that are written alike are ranked alike. Nothing is marked in a column whose values are all alike, and
    an infinitely bad value is never marked.
    """
    decimals, higher = FORMATS[metric].decimals, FORMATS[metric].better == "higher"
    rounded = [None if value is None or math.isnan(value) else round(value, decimals) for value in column]
    levels = sorted({value for value in rounded if value is not None}, reverse=higher)
    if len(levels) < 2:
        return ["" for _ in column]
    places: dict[float | None, Rank] = {levels[1]: "second", levels[0]: "best"}
    places[-math.inf if higher else math.inf] = ""
    return [places.get(value, "") for value in rounded]
