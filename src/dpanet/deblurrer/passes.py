"""The passes of a network over mirror images of a pair, side by side where that is faster. NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from dpanet.deblurrer.mirror import Mirror
from dpanet.engines.engine import Engine
from dpanet.pair import Pixels
from dpanet.processes.background import Background


def sum_passes(
    engine: Engine, left: Pixels, right: Pixels, mirrors: Sequence[Mirror], *, defocus: bool
) -> Pixels:
    """Run an engine over mirror images of two views, and return the sum of its outputs.

    `count_parallel_calls` of them are computed at the same time, the first in the calling thread and each other in
    a thread of its own. The sum is the same to the last bit: the outputs are added in the order of the mirror images.
    If a pass fails, or the user interrupts, those beside it end first.

    Args:
        engine: runs the network.
        left: (H, W, 3), as the engine takes it.
        right: the same of the right view.
        mirrors: mirror images, at least one.
        defocus: also run for the defocus map.

    Returns:
        (H, W, 3 or 4), as of the engine, in the orientation of the views.
    """

    def run(mirror: Mirror) -> Pixels:
        return mirror.undo(engine(*mirror.apply(left, right), defocus=defocus))

    count = count_parallel_calls(engine, mirrors)
    total: Pixels | None = None
    for first in range(0, len(mirrors), count):
        total = _add_passes(total, run, mirrors[first : first + count])
    assert total is not None, "at least one mirror image"
    return total


def count_parallel_calls(engine: Engine, mirrors: Sequence[Mirror]) -> int:
    """Return how many passes of an engine over mirror images are computed at the same time."""
    # an engine that was written before there were parallel calls does not say anything
    return max(1, min(getattr(engine, "parallel_calls", 1), len(mirrors)))


def _add_passes(total: Pixels | None, run: Callable[[Mirror], Pixels], mirrors: Sequence[Mirror]) -> Pixels:
    """Return a sum with the outputs of passes that are computed at the same time."""
    others = [Background(partial(run, mirror)) for mirror in mirrors[1:]]
    try:
        output = run(mirrors[0])
        total = output if total is None else total + output
        del output  # the next one needs the memory
        for other in others:
            total = total + other.result()
    finally:
        for other in others:
            other.wait()
    return total
