"""Seconds of one run of a network by each engine and precision that is installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from dpanet.benchmark.models import engine_choices, make_views, onnx_files
from dpanet.benchmark.parts import count_multiply_adds
from dpanet.benchmark.rates import best_rate
from dpanet.benchmark.results import ConvolutionRate, Pass
from dpanet.benchmark.timing import EnergyMeter, measure
from dpanet.engines.choose_engine import load_engine
from dpanet.engines.engine import Engine
from dpanet.errors import DpanetError


def measure_passes(
    model: str,
    size: tuple[int, int],
    threads: int,
    runs: int,
    rates: Sequence[ConvolutionRate],
    say: Callable[[str], None],
) -> tuple[list[Pass], list[str]]:
    """Measure one run of a model by every engine; the mean of mirrored runs takes as many times longer.

    Args:
        model: as of `load_engine`.
        size: height and width in px, each raised to the multiple that the network needs.
        threads: that compute.
        runs: that are measured.
        rates: best ones of convolutions.
        say: called with what is measured.

    Returns:
        the passes, and a sentence for each engine that failed.
    """
    passes: list[Pass] = []
    left_out: list[str] = []
    adds: float | None = None
    for engine, precision in engine_choices(model):
        say(f"{model}, {engine}, {precision}")
        try:
            loaded = load_engine(
                model, engine, device="cpu", precision=precision, threads=threads, reuse_memory=True
            )
        except (DpanetError, ImportError) as error:
            left_out.append(f"{model}, {engine}, {precision}: {error}")
            continue
        height, width = fit_size(loaded, size)
        if adds is None:
            file = next(iter(onnx_files(model).values()), None)
            adds = None if file is None else count_multiply_adds(file, height, width, threads)
        views = make_views(height, width)
        meter = EnergyMeter()
        before = meter.read()
        seconds = measure(partial(loaded, *views), runs)
        joules = meter.since(before)
        rate = best_rate(list(rates), precision)
        passes.append(
            Pass(
                model,
                engine,
                loaded.device,
                precision,
                width,
                height,
                seconds,
                adds,
                2 * adds / seconds.median / rate if adds and rate else None,
                None if joules is None else joules / (runs + 1) / (height * width / 1e6),
            )
        )
    return passes, left_out


def fit_size(engine: Engine, size: tuple[int, int]) -> tuple[int, int]:
    """Return the size raised to multiples of what the network needs."""
    multiple = engine.description.multiple_of
    height, width = (side + -side % multiple for side in size)
    return height, width
