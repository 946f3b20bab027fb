"""What `dpanet deblur` prints on standard output: lines for people, or a JSON object for each picture."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from dpanet.errors import shown

if TYPE_CHECKING:
    from dpanet.deblurrer.deblurrer import Deblurrer
    from dpanet.jobs.job import Job


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

    def written(self, job: Job, facts: Written) -> str:
        """Return the line of a picture that was written."""

    def skipped(self, job: Job) -> str:
        """Return the line of a picture that was finished before."""

    def failed(self, job: Job, sentence: str) -> str:
        """Return the line of a picture that failed."""

    def left_out(self, sentence: str) -> str:
        """Return the line of a capture that is no pair."""

    def remark(self, text: str) -> str:
        """Return the line of what concerns the whole folder."""


class TextLines:
    """Lines for people; errors are printed on standard error instead."""

    def written(self, job: Job, facts: Written) -> str:
        return f"{shown(job.output)}: {facts.width} x {facts.height} px, {facts.seconds:.1f} s"

    def skipped(self, job: Job) -> str:
        return ""

    def failed(self, job: Job, sentence: str) -> str:
        return ""

    def left_out(self, sentence: str) -> str:
        return ""

    def remark(self, text: str) -> str:
        return text


@dataclass
class JsonLines:
    """A JSON object for each picture, in ASCII; each has all keys."""

    model: str
    """As it was named."""
    deblurrer: Deblurrer | None = None
    """The model, when it is loaded."""

    def written(self, job: Job, facts: Written) -> str:
        return self._line(
            "deblurred",
            job,
            width=facts.width,
            height=facts.height,
            seconds=round(facts.seconds, 3),
            notes=list(facts.notes),
        )

    def skipped(self, job: Job) -> str:
        return self._line("skipped", job)

    def failed(self, job: Job, sentence: str) -> str:
        return self._line("failed", job, error=sentence)

    def left_out(self, sentence: str) -> str:
        return self._line("left out", None, error=sentence)

    def remark(self, text: str) -> str:
        return ""

    def _line(self, status: str, job: Job | None, **facts: Any) -> str:
        made = status in ("deblurred", "skipped")
        apply = self.deblurrer
        record = {
            "status": status,
            "inputs": [] if job is None else [os.fspath(view) for view in job.views],
            "output": os.fspath(job.output) if job is not None and made else None,
            "defocus_map": os.fspath(job.defocus_map) if job and made and job.defocus_map else None,
            "compare": os.fspath(job.compare) if job and made and job.compare else None,
            "width": None,
            "height": None,
            "seconds": None,
            "model": self.model,
            "engine": apply and apply.engine.name,
            "precision": apply and apply.precision,
            "device": apply and apply.device,
            "notes": [],
            "error": None,
        }
        return json.dumps(record | facts)  # ASCII; bytes of names that are not UTF-8 are lone surrogates


def print_result(line: str) -> None:
    """Print a line of `ResultLines` at once, also into a file or pipe."""
    if line:
        print(line, flush=True)
