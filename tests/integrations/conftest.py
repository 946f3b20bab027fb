"""Programs that stand in for `dpanet` where an editor starts it."""

import os
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile


class Program:
    """A program that notes how it was called, and does as it is told."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "the dpanet"  # a blank, as in C:\Program Files
        self._calls = folder / "calls"

    def answers(self, script: str) -> None:
        """Let it run these lines of a shell; ``$out`` is the output that it is asked for."""
        note = f'printf "%s\\n" "$@" "" >> {shlex.quote(str(self._calls))}'
        find = 'for word; do test "$before" = --output && out="$word"; before="$word"; done'
        self.path.write_text(f"#!/bin/sh\n{note}\n{find}\n{script}\n")
        self.path.chmod(0o755)

    def is_dpanet(self) -> None:
        """Let it be the command line of this package."""
        self.answers(f'exec {shlex.quote(sys.executable)} -m dpanet "$@"')

    @property
    def calls(self) -> list[list[str]]:
        """Arguments of each call."""
        text = self._calls.read_text() if self._calls.exists() else ""
        return [block.split("\n") for block in text.split("\n\n") if block]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """By default it copies a small picture to the output."""
    folder = tmp_path / "programs of others"
    folder.mkdir()
    tifffile.imwrite(folder / "result.tif", np.full((24, 32, 3), 777, np.uint16))
    program = Program(folder)
    program.answers(f'cp {shlex.quote(str(folder / "result.tif"))} "$out"')
    monkeypatch.setenv("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "1"))
    return program


def write_views(folder: Path, *names: str) -> list[Path]:
    """Write small 16-bit views that differ."""
    paths = []
    for seed, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        codes = np.random.default_rng(seed).integers(0, 65535, (40, 56, 3), dtype=np.uint16)
        tifffile.imwrite(path, codes, photometric="rgb")
        paths.append(path)
    return paths
