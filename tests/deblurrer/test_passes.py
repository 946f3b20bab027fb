"""Passes over mirror images side by side: the same sum, the same errors, and no more of them than the engine says."""

import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from dpanet.deblurrer.loop import deblur_pair
from dpanet.deblurrer.mirror import MIRRORS
from dpanet.deblurrer.passes import count_parallel_calls, sum_passes
from dpanet.errors import WeightsError
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair, Pixels

RNG = np.random.default_rng(8)
LEFT, RIGHT = RNG.random((2, 24, 32, 3)).astype(np.float32)


class Engine:
    """Its output depends on the mirror image; notes the threads that call it, and how many at a time."""

    name, precision, model_source = "none", "float32", "mine"
    description = Description(multiple_of=8, halo=8)

    def __init__(self, parallel_calls: int, before: Callable[[int], None] = lambda call: None) -> None:
        self.parallel_calls = parallel_calls
        self.before = before  # called with the number of the call
        self.threads: list[threading.Thread] = []
        self.running = self.most = 0
        self.lock = threading.Lock()

    def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
        with self.lock:
            call = len(self.threads)
            self.threads.append(threading.current_thread())
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            self.before(call)
            return left + np.float32(1e4) * np.roll(right, 1, axis=1)
        finally:
            with self.lock:
                self.running -= 1


def run(engine: Engine, count: int = 4) -> Pixels:
    return sum_passes(engine, LEFT, RIGHT, MIRRORS[:count], defocus=False)


def loop() -> Pixels:
    """The sum of four passes, one after the other."""
    engine = Engine(1)
    outputs = [mirror.undo(engine(*mirror.apply(LEFT, RIGHT))) for mirror in MIRRORS]
    return ((outputs[0] + outputs[1]) + outputs[2]) + outputs[3]


def test_the_sum_is_the_same_whichever_pass_ends_first() -> None:
    wanted = loop()
    backwards = sum(mirror.undo(Engine(1)(*mirror.apply(LEFT, RIGHT))) for mirror in MIRRORS[::-1])
    assert not np.array_equal(backwards, wanted)  # sums of float32 depend on the order
    for parallel_calls in (1, 2, 3, 4, 9):
        for last in range(4):
            engine = Engine(parallel_calls, lambda call, last=last: time.sleep(0.01 * (call == last)))
            np.testing.assert_array_equal(run(engine), wanted)
            assert len(engine.threads) == 4


@pytest.mark.parametrize(("parallel_calls", "count"), [(2, 2), (2, 4), (4, 4)])
def test_so_many_passes_run_at_the_same_time(parallel_calls: int, count: int) -> None:
    together = threading.Barrier(parallel_calls, timeout=20)
    engine = Engine(parallel_calls, lambda call: together.wait() and None)
    run(engine, count)
    assert engine.most == parallel_calls
    assert engine.threads.count(threading.current_thread()) == count // parallel_calls


@pytest.mark.parametrize(("parallel_calls", "count"), [(1, 4), (2, 1), (0, 2)])
def test_one_pass_at_a_time_runs_in_the_calling_thread(parallel_calls: int, count: int) -> None:
    engine = Engine(parallel_calls)
    run(engine, count)
    assert engine.threads == [threading.current_thread()] * count
    assert count_parallel_calls(engine, MIRRORS[:count]) == 1


def test_an_engine_that_says_nothing_runs_one_pass_at_a_time() -> None:
    assert count_parallel_calls(object(), MIRRORS) == 1


@pytest.mark.parametrize("error", [MemoryError, RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("place", ["in the calling thread", "beside it"])
def test_an_error_comes_out_when_all_passes_have_ended(error: type[BaseException], place: str) -> None:
    together, caller = threading.Barrier(2, timeout=20), threading.current_thread()

    def fail(call: int) -> None:
        together.wait()
        if (threading.current_thread() is caller) == (place == "in the calling thread"):
            raise error("no memory")
        time.sleep(0.05)

    engine = Engine(2, fail)
    with pytest.raises(error, match="no memory"):
        run(engine, 2)
    assert engine.running == 0
    engine.before = lambda call: None
    np.testing.assert_array_equal(run(engine), loop())


def test_of_two_errors_the_first_pass_has_the_word() -> None:
    caller = threading.current_thread()

    def fail(call: int) -> None:
        raise RuntimeError("first" if threading.current_thread() is caller else "second")

    with pytest.raises(RuntimeError, match="first"):
        run(Engine(2, fail), 2)


def test_a_pass_beside_that_returns_nan_is_a_fault_of_the_model() -> None:
    class Wrong(Engine):
        def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
            output = super().__call__(left, right)
            wrong = threading.current_thread() is not threading.main_thread()
            return output * np.float32(np.nan) if wrong else output

    with pytest.raises(WeightsError, match="the model mine returned NaN"):
        deblur_pair(Wrong(2), DualPixelPair(LEFT, RIGHT), tile=0, mirrors=MIRRORS[:2], encoding="srgb")


def test_a_warning_of_a_pass_is_shown() -> None:
    with pytest.warns(UserWarning, match="look"):
        run(Engine(2, lambda call: warnings.warn("look", stacklevel=2)), 2)


AFTER_THE_END = """
import threading, time
import numpy as np
from dpanet.deblurrer.mirror import MIRRORS
from dpanet.deblurrer.passes import sum_passes
class Engine:
    parallel_calls = 2
    def __call__(self, left, right, *, defocus=False):
        return left
def work():
    threading.main_thread().join()
    print(sum_passes(Engine(), np.ones((2, 2, 3)), np.ones((2, 2, 3)), MIRRORS[:2], defocus=False).sum())
threading.Thread(target=work).start()
"""


def test_a_thread_may_deblur_after_the_main_one_has_ended() -> None:
    done = subprocess.run([sys.executable, "-c", AFTER_THE_END], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("24.0\n", "")
