"""Variables of launchers and of Fabric in the environment: one process trains, or the contradiction is named."""

import socket
import threading
import time

import pytest
import torch
from processes.variables import MPI, SLURM, WHOLE
from training.conftest import PLAIN, small

from dpanet.errors import WorkerError
from dpanet.network import DPANet, preset
from dpanet.processes.torchrun import TORCHRUN
from dpanet.training import launch as launching
from dpanet.training.launch import launch

SINGLE = [
    SLURM,
    {**SLURM, "SLURM_NTASKS_PER_NODE": "4", "SLURM_NNODES": "1"},
    {**SLURM, "SLURM_PROCID": "3", "SLURM_LOCALID": "3"},
    {**SLURM, "SLURM_JOB_NAME": "bash"},
    {**SLURM, "SLURM_NTASKS": "many"},
    {"WORLD_SIZE": "2"},
    {"RANK": "1"},
    {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2"},
    {name: value for name, value in WHOLE.items() if name != "MASTER_ADDR"},
    MPI,
    {"PMI_SIZE": "4", "PMI_RANK": "1"},
    {"LSB_JOBID": "1", "LSB_DJOB_RANKFILE": "/gone", "JSM_NAMESPACE_RANK": "1", "JSM_NAMESPACE_SIZE": "2"},
    {"NODE_RANK": "1", "GROUP_RANK": "1"},
    {"LT_DEVICES": "4", "LT_STRATEGY": "ddp", "LT_CLI_USED": "1"},
    {"LT_ACCELERATOR": "cuda", "LT_NUM_NODES": "2", "LT_PRECISION": "16-mixed"},
]
DESCRIPTION = DPANet(preset("compact", **PLAIN["changes"])).description


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in TORCHRUN:
        monkeypatch.delenv(name, raising=False)


def put(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("variables", SINGLE, ids=lambda one: "+".join(one)[:60])
def test_one_process_trains(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    put(monkeypatch, variables)
    fabric = launch(small(steps=1), DESCRIPTION)
    assert fabric.world_size == 1 and fabric.is_global_zero and fabric.device == torch.device("cpu")


def test_a_process_says_that_the_others_do_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """All variables of torchrun, but nobody at the other end."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    put(monkeypatch, {**WHOLE, "MASTER_PORT": port})
    monkeypatch.setattr(launching, "PATIENCE", 0.05)
    lines: list[str] = []

    def fail(*_: object, **__: object) -> None:
        time.sleep(0.3)
        raise RuntimeError("timed out\nand more")

    monkeypatch.setattr(torch.distributed, "init_process_group", fail)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: False)
    with pytest.raises(
        WorkerError, match=rf"process 0 of 2 cannot reach the others at 127\.0\.0\.1:{port} \(timed out\)"
    ):
        launch(small(steps=1, batch=2), DESCRIPTION, lines.append)
    assert len(lines) == 1 and lines[0].startswith(
        f"process 0 of 2 waits at 127.0.0.1:{port} for the others; start"
    )
    assert not any(isinstance(one, threading.Timer) for one in threading.enumerate())
