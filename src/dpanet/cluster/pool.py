"""Workers of a Ray cluster that get pairs one by one; a worker may die at any moment."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from dpanet.cluster.options import WorkerOptions
from dpanet.cluster.pairs import ClusterPair
from dpanet.cluster.ray_session import count_workers
from dpanet.cluster.worker import Order, Outcome, Ready, Refused, Worker
from dpanet.errors import WorkerError, counted
from dpanet.files.store import first_difference
from dpanet.terminal.failure import describe_error, print_line

AHEAD = 2
"""Pairs that a worker has: one that it computes, and one whose files it moves meanwhile."""

LOSSES = 3
"""Workers that may die over one pair before it fails."""

_STARTS = 5
"""Workers that may die one after another while they load the model."""

_TICK = 0.5
"""Seconds after which an interrupt is noticed at the latest."""

_PATIENCE = 30.0
"""Seconds without any worker before it is said that they wait."""


class PairQueue(Protocol):
    """What the pool works through."""

    def supply(self) -> list[ClusterPair]:
        """Return the next pairs; none at the end."""

    def order(self, pair: ClusterPair) -> Order | None:
        """Return what a worker is to do; None if the pair failed before that."""

    def take(self, pair: ClusterPair, outcome: Outcome) -> None:
        """Take what became of a pair. Called once for each."""


@dataclass
class _Member:
    """A worker, as the pool sees it."""

    actor: Any
    starting: Any
    """The call that loads the model; None once it has."""
    held: dict[Any, ClusterPair] = field(default_factory=dict)
    """Its calls and their pairs."""


class WorkerPool:
    """Starts workers, gives each of them pairs, and gives the pairs of one that died to others.

    A worker is a Ray actor that is never restarted, and a call is never repeated by Ray: this pool alone decides
    which worker has a pair, so that no two have the same one, and replaces workers that died. Actors wait until a
    machine has room for them, and only those that are ready get pairs; machines may come and go.

    Args:
        ray: the module, joined to a cluster.
        options: of the workers.
        most: workers at most; by default as many as the cluster has room for.
        interrupted: whether the user wants an end.
    """

    def __init__(
        self, ray: Any, options: WorkerOptions, most: int | None, interrupted: Callable[[], bool]
    ) -> None:
        self._ray = ray
        self._options = options
        self._most = most
        self._interrupted = interrupted
        self._gpus = 1 if options.device.startswith("cuda") else 0
        self._kind = ray.remote(Worker).options(
            num_cpus=options.threads,
            num_gpus=self._gpus,
            max_concurrency=AHEAD,
            max_restarts=0,
            max_task_retries=0,
        )
        self._members: list[_Member] = []
        self._waiting: deque[ClusterPair] = deque()
        self._first: Ready | None = None
        """The worker that was ready first, as which all are to be."""
        self._failed_starts = 0
        self._idle_since = time.monotonic()
        self._said = False
        self._grown = 0.0

    def start(self, pairs: int) -> Ready:
        """Start workers for a number of pairs; return what the first says when it is ready.

        Raises:
            WorkerError: if workers die before.
            DpanetError: as `WorkerOptions.load`.
        """
        self._grow(pairs)
        while self._first is None:
            self._step(None)
        return self._first

    def run(self, queue: PairQueue) -> None:
        """Work through a queue.

        Raises:
            WorkerError: if workers die before they get any pair, or differ from one another.
        """
        more = True
        while more or self._waiting or any(member.held for member in self._members):
            if more and len(self._waiting) < AHEAD * max(1, len(self._members)):
                supplied = queue.supply()
                self._waiting += supplied
                more = bool(supplied)
            self._grow(len(self._waiting) + sum(len(member.held) for member in self._members))
            self._give_out(queue)
            self._step(queue)

    def stop(self) -> None:
        """End all workers at once, whatever they do."""
        for member in self._members:
            self._ray.kill(member.actor, no_restart=True)
        self._members = []

    def _grow(self, pairs: int) -> None:
        """Start workers that are missing: all at first, and those of new machines every few seconds."""
        if self._members and time.monotonic() - self._grown < 10 * _TICK:
            return
        self._grown = time.monotonic()
        room = max(1, count_workers(self._ray, self._options.threads, self._gpus))
        wanted = min(room, pairs, room if self._most is None else self._most)
        for _ in range(wanted - len(self._members)):
            actor = self._kind.remote(self._options)
            self._members.append(_Member(actor, actor.start.remote()))

    def _give_out(self, queue: PairQueue) -> None:
        """Give pairs to workers that are ready: one to each, then one more to each.

        A pair over which a worker died is given to a worker that has no other, so that it takes no other along.
        """
        for depth in range(AHEAD):
            for member in self._members:
                if not self._waiting:
                    return
                if member.starting is not None or len(member.held) != depth:
                    continue
                if depth and (self._waiting[0].losses or any(pair.losses for pair in member.held.values())):
                    continue
                pair = self._waiting.popleft()
                order = queue.order(pair)
                if order is not None:
                    member.held[member.actor.deblur.remote(order)] = pair

    def _step(self, queue: PairQueue | None) -> None:
        """Wait for results, for half a second at most, and take them."""
        if self._interrupted():
            raise KeyboardInterrupt
        self._say_if_idle()
        owners: dict[Any, _Member] = {}
        for member in self._members:
            owners |= dict.fromkeys(member.held if member.starting is None else [member.starting], member)
        if not owners:
            return
        done, _ = self._ray.wait([*owners], num_returns=1, timeout=_TICK)
        if done and len(owners) > 1:
            done, _ = self._ray.wait([*owners], num_returns=len(owners), timeout=0)
        for call in done:
            member = owners[call]
            if member not in self._members:  # it was lost a moment ago
                continue
            try:
                result = self._ray.get(call)
            except self._ray.exceptions.RayTaskError as error:
                result = error
            except self._ray.exceptions.RayError as error:
                self._lose(member, error, queue)
                continue
            if call is member.starting or call == member.starting:
                self._join(member, result)
            else:
                pair = member.held.pop(call)
                if isinstance(result, Exception):
                    cause = getattr(result, "cause", None) or result
                    result = Outcome(error=describe_error(cause, "deblur"))
                assert queue is not None
                queue.take(pair, result)

    def _join(self, member: _Member, started: Ready | Refused | Exception) -> None:
        """Take a worker that is ready."""
        if isinstance(started, Exception):
            raise WorkerError(f"a worker cannot start: {describe_error(started, 'deblur')}") from started
        if isinstance(started, Refused):
            raise started.error
        first = self._first = self._first or started
        if started.key != first.key:
            what = first_difference(first.key, started.key)
            raise WorkerError(
                f"the machines {first.machine} and {started.machine} would write different pictures ({what}); "
                "install the same packages and files on all of them"
            )
        member.starting = None
        self._failed_starts = 0

    def _lose(self, member: _Member, error: Exception, queue: PairQueue | None) -> None:
        """Give up a worker that died or cannot be reached, and put its pairs first in the queue."""
        self._members.remove(member)
        self._ray.kill(member.actor, no_restart=True)  # one that is only out of reach must not go on
        reason = _reason(error)
        if member.starting is not None:
            self._failed_starts += 1
            if self._failed_starts >= _STARTS:
                raise WorkerError(
                    f"{_STARTS} workers ended while they loaded the model ({reason}); look for memory and for what "
                    "is installed on the machines"
                ) from error
            return
        number = counted(len(member.held), "pair")
        print_line("note", f"a worker ended ({reason}); {number} of it will be deblurred by others")
        for pair in reversed(member.held.values()):
            pair.losses += 1
            if pair.losses < LOSSES:
                self._waiting.appendleft(pair)
                continue
            assert queue is not None
            queue.take(
                pair,
                Outcome(
                    error=f"{pair.views[0].show()}: {LOSSES} workers ended while they had this pair ({reason}); "
                    "it may need more memory than they have: use smaller tiles or fewer --workers"
                ),
            )
        self._grown = 0.0

    def _say_if_idle(self) -> None:
        if any(member.starting is None for member in self._members):
            self._idle_since = time.monotonic()
        elif not self._said and time.monotonic() - self._idle_since > _PATIENCE:
            self._said = True
            needs = counted(self._options.threads, "free core") + (" and a free GPU" if self._gpus else "")
            print_line(
                "note",
                f"no worker is ready yet: each needs {needs}, and some time on a busy machine; waiting",
            )


def _reason(error: Exception) -> str:
    """Return why a worker died, in a few words."""
    text = str(error)
    if "out of memory" in text.lower() or "oom" in type(error).__name__.lower():
        return "its machine ran out of memory"
    if "its node has died" in text.lower():
        return "its machine is gone"
    return "its process died" if "died" in type(error).__name__.lower() else type(error).__name__
