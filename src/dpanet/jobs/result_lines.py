"""What `dpanet deblur` prints on standard output: lines for people, or a JSON object for each picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from dpanet.errors import shown
from dpanet.files.written_files import ForeignFile, describe_foreign
from dpanet.terminal.failure import print_line

if TYPE_CHECKING:
    from dpanet.deblurrer.deblurrer import Deblurrer


@dataclass(frozen=True)
class FileNames:
    """The files of a picture: paths, or URLs."""

    inputs: Sequence[str]
    """Its views, or the camera's file with both."""
    output: str
    defocus_map: str | None = None
    """If it is wanted."""
    compare: str | None = None
    """Likewise."""


@dataclass(frozen=True)
class Computation:
    """How a model is computed."""

    engine: str
    precision: str
    device: str
    lens: str | None = None
    """By which pictures are refined, or ``find``."""

    @staticmethod
    def of(apply: Deblurrer) -> Computation:
        """Return that of a model that is loaded."""
        lens = apply.lens if apply.lens is None or apply.lens == "find" else apply.lens.name
        return Computation(apply.engine.name, apply.precision, apply.device, lens)


@dataclass(frozen=True)
class Written:
    """What is known of a picture that was written."""

    width: int
    height: int
    seconds: float
    """Reading, network and writing together."""
    notes: Sequence[str]
    """What was remarked on the way, each once."""


class ResultLines(Protocol):
    """Makes the lines of a command; an empty one is not printed."""

    def loaded(self, computation: Computation) -> None:
        """Take note of how the model is computed, as soon as that is known."""

    def written(self, names: FileNames, facts: Written) -> str:
        """Return the line of a picture that was written."""

    def skipped(self, names: FileNames) -> str:
        """Return the line of a picture that was finished before."""

    def failed(self, names: FileNames, sentence: str) -> str:
        """Return the line of a picture that failed."""

    def left_out(self, sentence: str, names: FileNames | None = None) -> str:
        """Return the line of a capture that is no pair, or of a pair whose output is not ours to replace."""

    def remark(self, text: str) -> str:
        """Return the line of what concerns the whole folder."""


class TextLines:
    """Lines for people; errors are printed on standard error instead."""

    def __init__(self) -> None:
        self._refined = ""

    def loaded(self, computation: Computation) -> None:
        if computation.lens not in (None, "find"):  # what was found is said of each pair
            self._refined = f", refined by the lens {computation.lens}"

    def written(self, names: FileNames, facts: Written) -> str:
        size = f"{facts.width} x {facts.height} px"
        return f"{shown(names.output)}: {size}, {facts.seconds:.1f} s{self._refined}"

    def skipped(self, names: FileNames) -> str:
        return ""

    def failed(self, names: FileNames, sentence: str) -> str:
        return ""

    def left_out(self, sentence: str, names: FileNames | None = None) -> str:
        return ""

    def remark(self, text: str) -> str:
        return text


@dataclass
class JsonLines:
    """A JSON object for each picture, in ASCII; each has all keys."""

    model: str
    """As it was named."""
    computation: Computation | None = None
    """Known when the model is loaded."""

    def loaded(self, computation: Computation) -> None:
        self.computation = computation

    def written(self, names: FileNames, facts: Written) -> str:
        return self._line(
            "deblurred",
            names,
            width=facts.width,
            height=facts.height,
            seconds=round(facts.seconds, 3),
            notes=list(facts.notes),
        )

    def skipped(self, names: FileNames) -> str:
        return self._line("skipped", names)

    def failed(self, names: FileNames, sentence: str) -> str:
        return self._line("failed", names, error=sentence)

    def left_out(self, sentence: str, names: FileNames | None = None) -> str:
        return self._line("left out", names, error=sentence)

    def remark(self, text: str) -> str:
        return ""

    def _line(self, status: str, names: FileNames | None, **facts: Any) -> str:
        there = names if status in ("deblurred", "skipped") else None
        record = {
            "status": status,
            "inputs": [] if names is None else [*names.inputs],
            "output": there and there.output,
            "defocus_map": there and there.defocus_map,
            "compare": there and there.compare,
            "width": None,
            "height": None,
            "seconds": None,
            "model": self.model,
            "engine": self.computation and self.computation.engine,
            "precision": self.computation and self.computation.precision,
            "device": self.computation and self.computation.device,
            "lens": self.computation and self.computation.lens,
            "notes": [],
            "error": None,
        }
        return json.dumps(record | facts)  # ASCII; bytes of names that are not UTF-8 are lone surrogates


def choose_lines(json: bool, model: str) -> ResultLines:
    """Return lines for people, or objects that name the model."""
    return JsonLines(model) if json else TextLines()


def print_result(line: str) -> None:
    """Print a line of `ResultLines` at once, also into a file or pipe."""
    if line:
        print(line, flush=True)


def print_left_out(
    lines: ResultLines, problems: Sequence[str], foreign: Sequence[tuple[FileNames, ForeignFile]]
) -> None:
    """Say what is left out of a folder, on standard error too.

    Args:
        lines: of standard output.
        problems: one sentence for each capture that is no pair.
        foreign: the pairs with an output that is not replaced, and that file.
    """
    for problem in problems:
        print_line("left out", problem)
        print_result(lines.left_out(problem))
    if foreign:
        print_line("left out", describe_foreign([file for _, file in foreign]))
    for names, file in foreign:
        print_result(lines.left_out(file.sentence, names))
