"""What both kinds of training data have in common: a source of scenes, a validation set, a loader of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from dpanet.errors import ConfigError
from dpanet.simulation.scene import Scenes

NO_VALIDATION = "none held out, so no PSNR and no best model"
"""How a run describes data without a validation set."""

_VALIDATION_SEED = 7
"""Run seed of the validation scenes: the same for all runs, so that their scores can be compared."""

_CACHE_BYTES = 2**29
"""Memory for validation scenes that are kept between validations."""

Batch = tuple[Tensor, Tensor, Tensor]
"""left, right, truth: (N, 3, size, size) each, float32, display values 0..1."""


class Request(NamedTuple):
    """The arguments of `Source.scenes` for one batch."""

    seeds: list[list[int]]
    size: int
    strength: float


class Source(Protocol):
    """A source of scenes, such as `Simulator` and `PairSource`."""

    def scenes(self, seeds: Sequence[Sequence[int]], size: int, strength: float = 1.0) -> Scenes:
        """Return one scene for each seed.

        Args:
            seeds: [run seed, step, number in the global batch] each. A scene depends on nothing else, so it is the
                same in every process, and a resumed run needs no other state than its step.
            size: side of the scenes, px.
            strength: factor on every simulated blur radius, 0..1.

        Returns:
            Scenes whose parts are (N, 3, size, size).
        """
        ...


class ValidationSet:
    """Scenes for validation, always the same."""

    def __init__(self, source: Source, count: int, size: int) -> None:
        self.source = source
        """Where the scenes come from."""
        self.count = count
        """Number of scenes."""
        self.size = size
        """Side of the scenes, px."""
        self._cache: dict[tuple[int, ...], Scenes] = {}

    def scenes(self, rank: int, processes: int, chunk_size: int) -> Iterator[Scenes]:
        """Yield the scenes of process `rank` of `processes`, at most `chunk_size` at once."""
        numbers = range(rank, self.count, processes)
        for start in range(0, len(numbers), chunk_size):
            chunk = tuple(numbers[start : start + chunk_size])
            if chunk not in self._cache:
                scenes = self.source.scenes([[_VALIDATION_SEED, 0, number] for number in chunk], self.size)
                if self.count * scenes.truth[0].nbytes * 3 > _CACHE_BYTES:
                    yield scenes
                    continue
                self._cache[chunk] = scenes
            yield self._cache[chunk]


@dataclass(frozen=True)
class OpenedData:
    """Training data whose folders and headers have been checked."""

    training: Source
    validation: ValidationSet | None
    """None if nothing is held out."""
    pictures: int | None
    """Number of different pictures; None if they never repeat."""
    description: str
    """Text for the first line of a run."""


class Loader:
    """Loads batches, ahead of need if there is an executor."""

    def __init__(
        self, load: Callable[[Request], Any], executor: Executor | None = None, ahead: int = 0
    ) -> None:
        self._load, self._executor = load, executor
        self.ahead = ahead
        """Number of requests to submit before the first result is needed."""

    def submit(self, request: Request) -> Future[Any]:
        """Return a future whose result `receive` takes."""
        if self._executor is not None:
            return self._executor.submit(self._load, request)
        result: Future[Any] = Future()
        result.set_result(self._load(request))
        return result

    def receive(self, result: Any) -> Any:
        """Return the three parts of a batch, as tensors or arrays, from the result of a future."""
        return result

    def close(self) -> None:
        """Cancel what has not started, and wait for the rest."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)


def load_batch(source: Source, request: Request) -> Batch:
    """Return the views and truths of the scenes of a request."""
    scenes = source.scenes(*request)
    return scenes.left, scenes.right, scenes.truth


def require_folder(text: str, key: str, content: str, alternative: str = "") -> Path:
    """Return a folder that a config names; raise ConfigError, with advice, if there is none."""
    advice = f"give a folder of {content} by --set {key}=FOLDER" + (f", {alternative}" if alternative else "")
    if not text:
        raise ConfigError(f"{key} is missing; {advice}")
    if not Path(text).is_dir():
        raise ConfigError(f"{key} is {text}, which is no folder; {advice}")
    return Path(text)
