import platform
import subprocess
import sys

import pytest
import torch

from dpanet.engines import allocator, placement
from dpanet.engines.allocator import reuse_freed_memory, share_heap
from dpanet.engines.placement import choose_device, choose_precision
from dpanet.errors import ConfigError
from dpanet.network.description import Description

ANY = Description(multiple_of=8, halo=8)
WHOLE = Description(multiple_of=8, halo=8, whole_image=True)


@pytest.mark.parametrize(
    ("cuda", "mps", "chosen"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_takes_the_first_there_is(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, chosen: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device().type == chosen


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for name in ("cuda", "cuda:1", "mps"):
        with pytest.raises(ConfigError, match=f"device is '{name}', but torch finds only cpu"):
            choose_device(name)
    with pytest.raises(ConfigError, match="must be one of"):
        choose_device("xla")


@pytest.mark.parametrize("native", [True, False])
def test_auto_precision(monkeypatch: pytest.MonkeyPatch, native: bool) -> None:
    monkeypatch.setattr(placement, "_native_bfloat16", lambda device: native)
    cpu = torch.device("cpu")
    assert choose_precision("auto", cpu, ANY) == (torch.bfloat16 if native else torch.float32)
    assert choose_precision("auto", cpu, WHOLE) == torch.float32
    assert choose_precision("bfloat16", cpu, WHOLE) == torch.bfloat16
    assert choose_precision("float32", cpu, ANY) == torch.float32


FAULTS = """
import resource
from dpanet.engines.allocator import reuse_freed_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        bytearray(40_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
usual = faults()
with reuse_freed_memory() as understood:
    faults()
    print(understood, usual, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has to be asked")
def test_freed_blocks_are_used_again_meanwhile() -> None:
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    understood, usual, kept = done.stdout.split()
    assert understood == "True"
    assert int(kept) * 10 < int(usual)


HEAPS = """
import re, sys, threading
from pathlib import Path
from dpanet.engines.allocator import share_heap
def reserved():
    return int(re.search(r"VmPeak:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
shared = sys.argv[1] == "shared" and share_heap()
before, all_started = reserved(), threading.Barrier(8)
def allocate():
    block = bytearray(100_000)
    all_started.wait(20)
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(shared, reserved() - before)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or sys.platform != "linux", reason="only glibc has to be asked"
)
def test_threads_share_a_heap() -> None:
    grown = {}
    for how in ("shared", "own"):
        done = subprocess.run([sys.executable, "-c", HEAPS, how], capture_output=True, text=True, check=True)
        shared, megabytes = done.stdout.split()
        assert shared == str(how == "shared")
        grown[how] = int(megabytes)
    assert grown["own"] - grown["shared"] > 4 * 64  # of the address space, glibc reserves 64 MB for each heap


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator, "_find_mallopt", lambda: None)
    assert share_heap() is False
    with reuse_freed_memory() as understood:
        assert understood is False


def test_a_device_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(ConfigError, match="'cuda:2', but torch finds only cuda:0, cuda:1, cpu on this"):
        choose_device("cuda:2")
    with pytest.raises(ConfigError, match="or a numbered one such as cuda:1"):
        choose_device("cuda:one")
