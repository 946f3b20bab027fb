"""The command line keeps NumPy's products in the thread that asks for them, unless the user says otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import os
from dpanet.__main__ import main
main(["--version"])
import numpy
numpy.ones((600, 600)) @ numpy.ones((600, 600))
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads as Linux shows them")
@pytest.mark.parametrize(("asked", "threads"), [(None, 1), ("2", 2)])
def test_products_of_matrices_start_no_threads(asked: str | None, threads: int) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    if asked is not None:
        environment["OPENBLAS_NUM_THREADS"] = asked
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert int(done.stdout.splitlines()[-1]) == min(threads, len(os.sched_getaffinity(0)))
