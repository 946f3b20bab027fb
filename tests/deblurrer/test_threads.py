"""Several threads: one Deblurrer and several, with different pictures, return what one thread returns."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.engines import openvino_engine
from dpanet.engines.engine import ENGINES
from dpanet.engines.torch_engine import TorchEngine
from dpanet.network.description import Description
from dpanet.pair import Pixels

RNG = np.random.default_rng(5)

SIZES = [(40, 56), (64, 32), (48, 48), (33, 50), (64, 64), (40, 56)]

VIEWS = [RNG.random((2, *size, 3), np.float32) for size in SIZES]


def run(deblurrers: list[Deblurrer], workers: int) -> list[NDArray[np.float32]]:
    """Deblur every picture three times, each with the next Deblurrer."""

    def one(number: int) -> NDArray[np.float32]:
        return deblurrers[number % len(deblurrers)](*VIEWS[number % len(VIEWS)])

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(one, range(3 * len(VIEWS))))


@pytest.mark.parametrize("engine", ENGINES)
def test_threads_return_what_one_thread_returns(engine: str) -> None:

    def load() -> Deblurrer:
        return Deblurrer("nano", engine=engine, device="cpu", precision="float32", threads=1, tta=1)

    first = load()
    alone = run([first], workers=1)
    assert not np.array_equal(alone[0], alone[5])  # of the same size
    with ThreadPoolExecutor(3) as pool:
        others = list(pool.map(lambda _: load(), range(3)))
    for deblurrers in ([first], others):
        for picture, wanted in zip(run(deblurrers, workers=6), alone, strict=True):
            np.testing.assert_array_equal(picture, wanted)


class Counting(nn.Module):
    """Notes how many threads compute while it runs, and lets others run beside it."""

    description = Description(multiple_of=8, halo=8)

    def __init__(self, together: threading.Barrier) -> None:
        super().__init__()
        self.together = together
        self.seen: list[int] = []

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        self.together.wait(timeout=30)
        self.seen.append(torch.get_num_threads())
        self.together.wait(timeout=30)
        return left


def test_torch_computes_with_the_threads_asked_for_and_leaves_the_process_as_it_was() -> None:
    before, together = torch.get_num_threads(), threading.Barrier(2)
    networks = {threads: Counting(together) for threads in (3, 5)}

    def compute(threads: int) -> None:
        engine = TorchEngine(networks[threads], device="cpu", precision="float32", threads=threads)
        engine(*VIEWS[0])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(compute, networks))
    assert {threads: network.seen for threads, network in networks.items()} == {3: [3], 5: [5]}
    alone = Counting(threading.Barrier(1))
    TorchEngine(alone, device="cpu", precision="float32", threads=before + 1)(*VIEWS[0])
    assert alone.seen == [before + 1]
    assert torch.get_num_threads() == before


class Modal(nn.Module):
    """Slow, and wrong in training mode, at the beginning or at the end."""

    description = Description(multiple_of=8, halo=8)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        wrong = self.training
        time.sleep(0.005)
        return left * float("nan") if wrong or self.training else left * 0.5 + right * 0.5


@pytest.mark.parametrize("several", [False, True])
def test_a_network_that_is_being_trained_is_evaluated_and_then_trained_on(several: bool) -> None:
    network = Modal()
    deblurrers = [Deblurrer(network, device="cpu", precision="float32", tta=1) for _ in range(1 + several)]
    pictures = run(deblurrers, workers=4)
    for number, picture in enumerate(pictures):
        np.testing.assert_allclose(picture, VIEWS[number % len(VIEWS)].mean(axis=0), atol=1e-6)
    assert network.training


def test_networks_of_their_own_run_at_the_same_time() -> None:
    together = threading.Barrier(2, timeout=20)

    class Meeting(Modal):
        def forward(self, left: Tensor, right: Tensor) -> Tensor:
            together.wait()
            return super().forward(left, right)

    engines = [TorchEngine(Meeting(), device="cpu") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda engine: engine(*VIEWS[2]), engines))
    assert all(result.shape == (48, 48, 3) for result in results)


def test_openvino_is_loaded_once_whichever_threads_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def load() -> object:
        time.sleep(0.05)
        made.append(object())
        return made[-1]

    monkeypatch.setattr(openvino_engine, "_load_core", cache(load))
    with ThreadPoolExecutor(4) as pool:
        assert (
            len({id(core) for core in pool.map(lambda _: openvino_engine.openvino_core(), range(4))})
            == len(made)
            == 1
        )


def test_a_callback_belongs_to_its_call() -> None:
    """Calls of one Deblurrer at the same time, each with its own callback, which stops one of them."""

    class StoppedError(Exception):
        pass

    deblur = Deblurrer(Modal().eval(), device="cpu", precision="float32", tile=32, tta=1)
    seen: dict[int, list[tuple[int, int]]] = {number: [] for number in range(len(VIEWS))}

    def one(number: int) -> Pixels | None:
        def progress(done: int, total: int) -> None:
            seen[number].append((done, total))
            if number == 4 and done == 1:
                raise StoppedError

        try:
            return deblur(*VIEWS[number], progress=progress)
        except StoppedError:
            return None

    with ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(one, range(len(VIEWS))))
    assert [number for number, picture in enumerate(pictures) if picture is None] == [4]
    assert seen.pop(4)[-1][0] == 1
    for calls in seen.values():
        total = calls[0][1]
        assert total > 1 and calls == [(done, total) for done in range(total + 1)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_deblurrer_that_was_stopped_goes_on(engine: str) -> None:
    deblur = Deblurrer("nano", engine=engine, device="cpu", precision="float32", threads=1, tile=448, tta=1)
    views = RNG.random((2, 500, 32, 3), np.float32)
    wanted = deblur(*views)

    def stop(done: int, total: int) -> None:
        if done == total // 2:
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            deblur(*views, progress=stop)
        np.testing.assert_array_equal(deblur(*views), wanted)


def test_a_stopped_run_leaves_the_network_in_training() -> None:
    network = Modal()
    deblur = Deblurrer(network, device="cpu", precision="float32", tile=32, tta=1)

    def stop(done: int, total: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deblur(*VIEWS[0], progress=stop)
    assert network.training and torch.is_grad_enabled()


def test_a_run_that_fails_leaves_the_network_in_training() -> None:
    class Failing(Modal):
        def forward(self, left: Tensor, right: Tensor) -> Tensor:
            raise RuntimeError("no memory")

    network = Failing()
    with pytest.raises(RuntimeError, match="no memory"):
        TorchEngine(network, device="cpu")(*VIEWS[2])
    assert network.training
