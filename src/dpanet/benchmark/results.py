"""All that a benchmark measured, as it is written to ``benchmark.json`` and read from it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from dpanet.errors import ReportError, shown
from dpanet.files.config_table import read_table

FORMAT = "dpanet-benchmark-1"
"""Value of ``format`` in the file."""


@dataclass(frozen=True)
class Timing:
    """Seconds of several runs."""

    median: float
    lower: float
    """First quartile."""
    upper: float
    """Third quartile."""
    runs: int


@dataclass(frozen=True)
class Machine:
    """What computes."""

    processor: str
    cores: int
    """Physical ones that this process may use."""
    instruction_sets: tuple[str, ...]
    """Those that decide the speed of convolutions."""
    memory: int | None
    """In bytes; None if the system does not tell."""
    bandwidth: float
    """Bytes a second that all cores together read and write while they copy arrays."""
    system: str
    python: str


@dataclass(frozen=True)
class ConvolutionRate:
    """The best rate of 3 x 3 convolutions."""

    engine: str
    precision: str
    gflops: float
    """1e9 operations a second; a multiply-add is two."""
    channels: int
    side: int
    """Of the square picture that was the fastest, in px."""


@dataclass(frozen=True)
class Pass:
    """One run of a network on one pair."""

    model: str
    engine: str
    device: str
    precision: str
    width: int
    height: int
    seconds: Timing
    multiply_adds: float | None
    """Of convolutions and matrix products; None if they were not counted."""
    share: float | None
    """Of the best rate of convolutions in this precision."""
    joules_per_megapixel: float | None


@dataclass(frozen=True)
class Part:
    """A part of a network, run by ONNX Runtime."""

    model: str
    precision: str
    """Of the file; parts of an int8 file may compute in float32."""
    part: str
    multiply_adds: float
    seconds: float
    """Median of the runs."""
    share: float | None
    """Of the best rate of convolutions in this precision."""


@dataclass(frozen=True)
class Command:
    """A whole command in a process of its own."""

    command: str
    model: str | None
    megapixels: float | None
    """Of each view."""
    seconds: Timing
    processor_seconds: float | None
    """Of all cores together, median."""
    peak_memory: int | None
    """Largest resident memory in bytes, of all runs."""
    joules_per_megapixel: float | None


@dataclass(frozen=True)
class Growth:
    """Seconds of whole commands against the area: ``start + per_megapixel * megapixels``."""

    model: str
    start: float
    per_megapixel: float
    departure: float
    """Largest relative distance of a measured time from the line."""


@dataclass(frozen=True)
class Results:
    """Everything, in the order of the report."""

    version: str
    """Of dpanet."""
    commit: str | None
    """Of its source, if it runs from a checkout; ``-dirty`` behind it if files of the package were changed since."""
    date: str
    """ISO 8601, UTC."""
    packages: dict[str, str]
    """Versions of what computes."""
    quick: bool
    threads: int
    machine: Machine
    rates: tuple[ConvolutionRate, ...]
    passes: tuple[Pass, ...]
    parts: tuple[Part, ...]
    commands: tuple[Command, ...]
    sizes: tuple[Command, ...]
    growth: tuple[Growth, ...]
    left_out: tuple[str, ...]
    """What was not measured and why, one sentence each."""
    changed_files: tuple[str, ...] = ()
    """Files of the package that were changed since the commit, relative to its folder."""

    def to_json(self) -> str:
        """Return the text of ``benchmark.json``."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, allow_nan=False) + "\n"


def read_results(path: Path) -> Results:
    """Read ``benchmark.json``.

    Raises:
        ReportError: if it is missing, or not the file of this version.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values.pop("format") != FORMAT:
            raise ValueError("another format")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReportError(
            f"{shown(path)} is no result of `dpanet benchmark` ({error}); run it again"
        ) from error
    return read_table(Results, values)
