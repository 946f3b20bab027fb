"""How long a piece of work still takes, from how long its first part took. Standard library only."""

from __future__ import annotations

import time
from collections.abc import Callable


class TimeLeft:
    """Estimates the time left.

    Args:
        clock: returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start: float | None = None
        self._last = 0.0
        self._share = 0.0

    def begin(self) -> None:
        """Note that the work begins now, unless it has begun."""
        if self._start is None:
            self._start = self._last = self._clock()

    def done(self, share: float) -> None:
        """Note that this share of the work is done, 0..1; one that is not larger than before changes nothing."""
        self.begin()
        if share > self._share:
            self._share, self._last = share, self._clock()

    def seconds(self) -> float | None:
        """Return the seconds left, at least 0, as if each share took equally long; None until some is done."""
        if self._start is None or self._share <= 0:
            return None
        total = (self._last - self._start) / self._share
        return max(0.0, self._start + total - self._clock())

    def text(self) -> str:
        """Return the time left in words, such as ``about 3 min left``; empty if it is not known, or all is done."""
        seconds = self.seconds()
        return "" if seconds is None or self._share >= 1 else f"about {describe_duration(seconds)} left"


def describe_duration(seconds: float) -> str:
    """Return a duration in words: full seconds below a minute, full minutes below an hour, then hours and minutes."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
