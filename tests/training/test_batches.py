import multiprocessing

import pytest
import torch
from training.conftest import OneBlur, small
from training.test_simulated_data import Noting

from dpanet.errors import WorkerError
from dpanet.training.batches import Batches
from dpanet.training.schedule import Schedule
from dpanet.training.simulated_data import SimulatedData


@pytest.mark.parametrize(("processes", "accumulate"), [(1, 1), (2, 1), (1, 4), (2, 2)])
@pytest.mark.parametrize("kind", ["simulated", "pairs"])
def test_all_processes_together_make_the_global_batch(processes: int, accumulate: int, kind: str) -> None:
    """Whichever way it is divided; those of pairs are made ahead by a thread."""
    config = small(steps=3, batch=4, accumulate=accumulate, seed=9, kind=kind)
    made: dict[tuple[int, int], torch.Tensor] = {}
    for rank in range(processes):
        source = Noting()
        loader = config.data.loader(source)
        with Batches(loader, Schedule.create(config, None), 1, rank, processes) as batches:
            parts = [part for _ in range(2) for part in batches.next_step()]
        assert len(parts) == len(source.asked) == 2 * accumulate
        for seeds, (_, _, truth) in zip(source.asked, parts, strict=True):
            assert len(seeds) == 4 // processes // accumulate and {seed[0] for seed in seeds} == {9}
            made |= {(step, index): picture for (_, step, index), picture in zip(seeds, truth, strict=True)}
    assert sorted(made) == [(step, index) for step in (1, 2) for index in range(4)]
    for (step, index), picture in made.items():
        assert torch.equal(picture, OneBlur().scenes([[9, step, index]], 32).truth[0])


def test_processes_make_the_same_scenes_and_a_dead_one_is_told() -> None:
    config = small(steps=40, data={"workers": 1})
    schedule = Schedule.create(config, None)
    assert isinstance(config.data, SimulatedData)
    source = config.data.simulator()
    assert source is not None
    with Batches(config.data.loader(source), schedule, 0) as batches:
        for step in range(2):
            (left, right, truth), *_ = batches.next_step()
            expected = source.scenes([[3, step, 0], [3, step, 1]], 32)
            for one, other in zip((left, right, truth), expected, strict=False):
                assert torch.allclose(one, other, atol=1e-6)
        for child in multiprocessing.active_children():
            child.kill()
        with pytest.raises(WorkerError, match="a process that simulates ended"):
            for _ in range(30):
                list(batches.next_step())
