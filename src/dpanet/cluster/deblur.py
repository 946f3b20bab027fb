"""`dpanet deblur --cluster ray`: a folder of pairs, here or on an object store, deblurred by many workers."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dpanet.checkpoints.shipped_models import SHIPPED
from dpanet.cluster.options import WorkerOptions
from dpanet.cluster.pairs import ClusterPair, PairList
from dpanet.cluster.places import find_place
from dpanet.cluster.pool import WorkerPool
from dpanet.cluster.ray_session import on_this_machine, ray_session
from dpanet.cluster.results import FolderResults, ObjectResults, open_results
from dpanet.cluster.worker import Order, Outcome
from dpanet.errors import DpanetError, ImageWarning, counted
from dpanet.jobs.job_list import check_paths
from dpanet.jobs.result_lines import Computation, ResultLines, choose_lines, print_left_out, print_result
from dpanet.processes.interrupts import InterruptHandler
from dpanet.terminal.failure import DONE, FAILED, UsageError, describe_error, print_error, print_line
from dpanet.terminal.progress import Meter

_CHUNK = 1000
"""Pairs that are given out before more are noted as begun."""


def deblur_on_cluster(
    source: Path,
    output: Path,
    defocus_map: Path | None,
    options: Mapping[str, Any],
    *,
    model: str,
    threads: int | None,
    workers: int | None,
    recursive: bool,
    overwrite: bool,
    json: bool,
) -> int:
    """Deblur the pairs of a folder or URL that are not finished; return the exit code.

    Args:
        source: folder or URL of the views.
        output: folder or URL of the pictures.
        defocus_map: folder or URL of the defocus maps, if they are wanted.
        options: the fields of `WorkerOptions` about the model, the views and the pictures.
        model: its name or file.
        threads: cores of a worker; by default 1.
        workers: at most; by default as many as there is room for.
        recursive: whether to search the folders below too.
        overwrite: deblur all pairs, finished ones too, and replace files of other programs.
        json: print an object for each picture in place of lines for people.

    Raises:
        UsageError: for options that do not go together.
        DpanetError: if the places cannot be read or written, or no worker starts.
    """
    cores = _check_cores(threads, workers)
    views, pictures = find_place(source), find_place(output)
    maps = None if defocus_map is None else find_place(defocus_map)
    if maps is not None and maps.local != pictures.local:
        raise UsageError("-o and --defocus-map are a folder and a URL; give two folders or two URLs")
    lines = choose_lines(json, model)
    with PairList(views, pictures, maps, recursive) as found:
        for note in found.notes:
            print_line("note", note)
        if not found.pairs:
            print_left_out(lines, found.problems, [])
            print_error(
                f"{views.show()} contains no pair that can be deblurred; see the lines before this one"
            )
            return FAILED
        settings = _settings(model, options, cores, found)
        check_paths([pair.job for pair in found.pairs], settings.flat_field or ())
        results = open_results(pictures, found.pairs, maps, overwrite)
        foreign = results.foreign
        run = _Run(results, [pair for pair in found.pairs if pair.job.name not in foreign], overwrite, lines)
        try:
            named = [(pair.names, foreign[pair.job.name]) for pair in found.pairs if pair.job.name in foreign]
            print_left_out(lines, found.problems, named)
            results.failures.begin(pair.job.name for pair in run.pairs)
            if run.pairs:
                _deblur(run, settings, workers)
        finally:
            results.close()
        left_out = len(found.problems) + len(foreign)
        print_result(lines.remark(run.summary(pictures.show(), left_out)))
    return FAILED if run.failed or left_out else DONE


@dataclass
class _Run:
    """The pairs of a command, and what became of them; a `PairQueue`."""

    results: FolderResults | ObjectResults
    pairs: list[ClusterPair]
    overwrite: bool
    lines: ResultLines
    key: dict[str, Any] = field(default_factory=dict)
    meter: Meter | None = None
    pending: list[ClusterPair] = field(default_factory=list)
    """Pairs that are not given out, the next one last."""
    own_keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of the pairs that workers have."""
    done: int = 0
    skipped: int = 0
    failed: int = 0

    def choose(self, key: dict[str, Any]) -> None:
        """Choose the pairs that are not finished with this key."""
        self.key = key
        again = 0
        for pair in self.pairs:
            if not self.overwrite and self._is_finished(pair):
                self.skipped += 1
                print_result(self.lines.skipped(pair.names))
                self._advance()
                continue
            again += self.results.is_known(pair)
            self.pending.append(pair)
        self.results.failures.begin(pair.job.name for pair in self.pending)
        self.pending.reverse()
        if again and not self.overwrite:
            pairs = f"{counted(again, 'pair')} {'is' if again == 1 else 'are'}"
            why = "since options, views or the program changed"
            print_result(self.lines.remark(f"{pairs} deblurred again, {why}"))

    def supply(self) -> list[ClusterPair]:
        """Return the next pairs, noted as begun."""
        self.results.keep()
        chunk = self.pending[: -_CHUNK - 1 : -1]
        del self.pending[len(self.pending) - len(chunk) :]
        if chunk:
            self.results.begin(chunk)
        return chunk

    def order(self, pair: ClusterPair) -> Order | None:
        """Return what a worker is to do with a pair."""
        try:
            self.own_keys[pair.job.name] = pair.own_key(self.key)  # of the files before they are read
        except OSError as error:
            self._fail(pair, describe_error(error, "deblur", pair.job.left))
            return None
        return Order(pair.job.name, pair.views, pair.outputs, self.results.targets(pair))

    def take(self, pair: ClusterPair, outcome: Outcome) -> None:
        """Note what became of a pair, and say so."""
        own_key = self.own_keys.pop(pair.job.name)
        if outcome.error is None:
            try:
                self.results.finish(pair, own_key, outcome.delivered)
            except DpanetError as error:
                outcome = Outcome(error=str(error))
        self.results.keep()
        if outcome.error is not None:
            self._fail(pair, outcome.error)
            return
        for text, kind in outcome.notes:
            warnings.warn(ImageWarning(text, kind), stacklevel=1)
        self.results.failures.note(pair.job.name, None)
        assert outcome.written is not None
        print_result(self.lines.written(pair.names, outcome.written))
        self.done += 1
        self._advance()

    def summary(self, output: str, left_out: int) -> str:
        """Return the last line."""
        ending = (f", {self.failed} failed" if self.failed else "") + (
            f", {left_out} left out" if left_out else ""
        )
        where = f" (see {self.results.failures_file})" if self.failed else ""
        return f"{output}: {counted(self.done, 'pair')} deblurred, {self.skipped} skipped{ending}{where}"

    def _is_finished(self, pair: ClusterPair) -> bool:
        try:
            return self.results.is_finished(pair, pair.own_key(self.key))
        except OSError:  # a view is gone; the attempt to read it says so
            return False

    def _fail(self, pair: ClusterPair, text: str) -> None:
        self.failed += 1
        self.results.failures.note(pair.job.name, text)
        print_error(text)
        print_result(self.lines.failed(pair.names, text))
        self._advance()

    def _advance(self) -> None:
        if self.meter is not None:
            self.meter.next_file()


def _deblur(run: _Run, settings: WorkerOptions, workers: int | None) -> None:
    """Deblur the pairs of a run that are not finished."""
    with Meter(len(run.pairs)) as meter:
        run.meter = meter
        if on_this_machine():  # of many workers, of which none is needed if all pairs are finished
            settings, computation, key = _load_here(settings)
            run.lines.loaded(computation)
            run.choose(key)
        if run.pending or not on_this_machine():
            _work(run, settings, workers)


def _load_here(settings: WorkerOptions) -> tuple[WorkerOptions, Computation, dict[str, Any]]:
    """Return the options with the device that this machine has, how it computes, and the key of all pictures."""
    task, key = settings.load()
    device = task.deblurrer.device
    if device.startswith("cuda"):
        settings = replace(settings, device=device)
    return settings, Computation.of(task.deblurrer), key


def _work(run: _Run, settings: WorkerOptions, workers: int | None) -> None:
    """Start Ray and workers, and deblur what is not finished."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    number = min(workers or max(1, here // settings.threads), len(run.pending or run.pairs))
    with ray_session(number * settings.threads) as ray, InterruptHandler() as interrupts:
        pool = WorkerPool(ray, settings, workers, lambda: interrupts.requested)
        try:
            started = pool.start(len(run.pending or run.pairs))
            if not on_this_machine():
                run.lines.loaded(started.computation)
                run.choose(started.key)
            pool.run(run)
        finally:
            pool.stop()


def _check_cores(threads: int | None, workers: int | None) -> int:
    for name, value in (("--threads", threads), ("--workers", workers)):
        if value is not None and value < 1:
            raise UsageError(f"{name} is {value}; give 1 or more")
    return threads or 1


def _settings(model: str, options: Mapping[str, Any], cores: int, found: PairList) -> WorkerOptions:
    """Return the options of the workers. Files are named by absolute paths, since workers run elsewhere."""
    flat_field = options["flat_field"]
    if model not in SHIPPED:
        model = os.path.abspath(model)  # noqa: PTH100
    kinds = {(len(pair.views) == 1) for pair in found.pairs}
    changed = {
        "model": model,
        "flat_field": flat_field and tuple(path.absolute() for path in flat_field),
        "threads": cores,
        "defocus_map": found.maps is not None,
        "pairs": False in kinds,
        "raw": True in kinds,
    }
    return WorkerOptions(**{**options, **changed})
