"""What a worker process prints, and when it ends."""

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from typing import Any

import pytest
from processes import worker_tasks

SPAWN = get_context("spawn")


def start(task: Callable[..., None], *arguments: Any) -> SpawnProcess:
    process = SPAWN.Process(target=task, args=arguments)
    process.start()
    return process


@pytest.mark.parametrize(("prepared", "printed"), [(True, False), (False, True)])
def test_a_worker_does_not_repeat_remarks_about_files(
    prepared: bool, printed: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    process = start(worker_tasks.warn, prepared)
    process.join()
    assert process.exitcode == 0
    assert ("a.png has a damaged chunk" in capfd.readouterr().err) == printed


def test_a_worker_leaves_interrupts_to_its_parent() -> None:
    process = start(worker_tasks.interrupt_itself)
    process.join()
    assert process.exitcode == 0


def test_a_worker_ends_with_its_parent() -> None:
    receiver, sender = SPAWN.Pipe(duplex=False)
    parent = start(worker_tasks.start_another, sender)
    sender.close()
    assert receiver.poll(60)
    assert receiver.recv() == "started"
    parent.kill()
    parent.join()
    assert receiver.poll(20), "it goes on without its parent"
    with pytest.raises(EOFError):  # nobody has the other end any more
        receiver.recv()
