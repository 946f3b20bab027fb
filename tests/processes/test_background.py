import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable

import pytest

from dpanet.processes.background import Background, hold_warning


def test_the_result_is_that_of_the_function() -> None:
    threads: list[threading.Thread] = []

    def work() -> int:
        threads.append(threading.current_thread())
        return 7

    work_beside = Background(work)
    assert work_beside.result() == 7
    assert threads != [threading.current_thread()] and len(threads) == 1


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_errors_come_with_the_result(error: BaseException) -> None:
    def fail() -> None:
        raise error

    beside = Background(fail)
    beside.wait()
    with pytest.raises(type(error)) as caught:
        beside.result()
    assert caught.value is error


def test_held_warnings_come_in_the_order_of_the_results(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def show(message: object, *rest: object) -> None:
        if not hold_warning(message, *rest):
            said.append(str(message))

    def warn(text: str) -> Callable[[], None]:
        return lambda: warnings.warn(text, UserWarning, stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", show)
        second = Background(warn("second"))
        second.wait()
        first = Background(lambda: Background(warn("first")).result())
        first.wait()
        assert said == []
        for beside in (first, second):
            beside.result()
        warn("third")()
    assert said == ["first", "second", "third"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals come otherwise there")
def test_an_interrupt_waits_for_the_end() -> None:
    done: list[int] = []

    def work() -> None:
        time.sleep(0.2)
        done.append(1)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell ignores it
    beside = Background(work)
    threading.Timer(
        0.05, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    ).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            beside.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    assert done == [1]
