"""The whole benchmark: what is measured, in which order."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from dpanet.benchmark.commands import fit_growth, measure_deblur, measure_help, measure_sizes
from dpanet.benchmark.engines import measure_passes
from dpanet.benchmark.machine import describe_machine
from dpanet.benchmark.models import missing_engines, onnx_files
from dpanet.benchmark.parts import measure_parts
from dpanet.benchmark.rates import best_rate, join_rates, measure_rates, update_share
from dpanet.benchmark.results import Command, Part, Pass, Results
from dpanet.benchmark.timing import EnergyMeter
from dpanet.engines.choose_engine import load_engine
from dpanet.engines.processor import count_cores
from dpanet.errors import ConfigError, WorkerError
from dpanet.version import __version__

COMMAND_SIZE = (1008, 1344)
"""Height and width in px of the pictures of whole commands."""

_PACKAGES = ("numpy", "onnxruntime", "openvino", "torch", "pyvips", "pyvips-binary")


@dataclass(frozen=True)
class Plan:
    """What is measured."""

    models: tuple[str, ...] = ("compact", "nano")
    """Shipped names or files."""
    quick: bool = False
    """Fewer runs, smaller pictures."""
    largest: float = 50.0
    """Megapixels of the largest picture."""
    threads: int | None = None
    """That compute; None for all physical cores."""

    def __post_init__(self) -> None:
        if not self.models:
            raise ConfigError("there is no model to measure; name at least one")
        if self.threads is not None and self.threads < 1:
            raise ConfigError(f"threads is {self.threads}; it must be at least 1")
        if not self.largest >= 0:
            raise ConfigError(f"largest is {self.largest}; it must be 0 or more megapixels")

    @property
    def runs(self) -> int:
        """Runs that count, of everything that is repeated."""
        return 3 if self.quick else 7

    @property
    def pass_size(self) -> tuple[int, int]:
        """Height and width in px of one run of a network."""
        return (512, 512) if self.quick else COMMAND_SIZE

    @property
    def sizes(self) -> tuple[float, ...]:
        """Megapixels of whole commands."""
        limit = min(self.largest, 4.0) if self.quick else self.largest
        return tuple(size for size in (0.25, 1.0, 4.0, 12.0, 24.0, 50.0) if size <= limit)


def run_benchmark(plan: Plan, say: Callable[[str], None]) -> Results:
    """Measure everything.

    Args:
        plan: what.
        say: called with what is measured next.

    Raises:
        WeightsError: if a model does not exist.
    """
    for model in plan.models:
        say(f"loading {model}")
        load_engine(model, device="cpu")
    threads = plan.threads or count_cores()
    say("memory")
    machine = describe_machine(threads, plan.runs)
    rates = measure_rates(threads, plan.runs, say)
    passes: list[Pass] = []
    parts: list[Part] = []
    commands: list[Command] = []
    sizes: list[Command] = []
    left_out = missing_engines()
    for model in plan.models:
        measured, failed = measure_passes(model, plan.pass_size, threads, plan.runs, rates, say)
        passes += measured
        left_out += failed
        size = next(((one.height, one.width) for one in measured), plan.pass_size)
        files = onnx_files(model)
        for precision, file in files.items():
            say(f"parts of {model}, {precision}")
            rate = best_rate(rates, precision)
            parts += measure_parts(file, model, precision, *size, threads, plan.runs, rate)
        if not files:
            left_out.append(f"parts of {model}: only ONNX files show them")
    rates, remarks = join_rates(rates, measure_rates(threads, plan.runs, say))
    left_out += remarks
    passes = [update_share(one, rates) for one in passes]
    parts = [update_share(one, rates) for one in parts]
    say("dpanet --help")
    commands.append(measure_help(plan.runs))
    for model in plan.models:
        say(f"dpanet deblur, {model}")
        try:
            commands.append(measure_deblur(model, COMMAND_SIZE, plan.threads, plan.runs))
        except (WorkerError, OSError) as error:
            left_out.append(f"dpanet deblur, {model}: {error}")
    for model in plan.models[:1] if plan.quick else plan.models:
        grown, failed = measure_sizes(model, plan.sizes, plan.threads, 1 if plan.quick else 3, say)
        sizes += grown
        left_out += failed
    absence = EnergyMeter().absence()
    return Results(
        version=__version__,
        commit=find_commit(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        packages=_versions(),
        quick=plan.quick,
        threads=threads,
        machine=machine,
        rates=tuple(rates),
        passes=tuple(passes),
        parts=tuple(parts),
        commands=tuple(commands),
        sizes=tuple(sizes),
        growth=tuple(fit_growth(sizes)),
        left_out=tuple([*left_out, absence] if absence else left_out),
        changed_files=find_changed_files(),
    )


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def find_commit() -> str | None:
    """Return the commit of the checkout that this file belongs to, ``-dirty`` behind it if files were changed since.

    Only files of the package count: no others decide the figures. None for an installed package.
    """
    file = Path(__file__)
    if _git(file.parent, "ls-files", "--error-unmatch", file.name) is None:
        return None
    commit = _git(file.parent, "rev-parse", "HEAD")
    return f"{commit}-dirty" if commit and find_changed_files() else commit


def find_changed_files() -> tuple[str, ...]:
    """Return the files of the package that differ from the commit of its checkout; none for an installed package."""
    file = Path(__file__)
    if _git(file.parent, "ls-files", "--error-unmatch", file.name) is None:
        return ()
    names = _git(file.parent.parent, "diff", "--name-only", "--relative", "-z", "HEAD", "--", ".")
    return tuple(name for name in (names or "").split("\0") if name)


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints; None if it fails or is not installed."""
    try:
        asked = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None
