"""An object store in a folder, and small pairs."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import fsspec
import numpy as np
import pytest
from cluster.processes.object_store import ObjectStore

from dpanet.images.writing import write_picture
from dpanet.pair import Picture

PROCESSES = Path(__file__).parent / "processes"

OPTIONS = ("--model", "nano", "--tile", "0", "--passes", "1")
"""Of every command."""


def write_pairs(folder: Path, names: range) -> None:
    """Write pairs of noise."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        values = np.random.default_rng(name)
        for side in ("left", "right"):
            pixels = values.random((48, 64, 3), np.float32)
            write_picture(Picture(pixels, "srgb", {}), folder / f"{name}_{side}.png", overwrite=True)


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A short path for temporary files, as sockets need."""
    folder = Path("/tmp", f"t{os.getpid()}")
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the object store ``store://``, in this process."""
    folder = tmp_path / "store"
    monkeypatch.setenv("OBJECT_STORE", str(folder))
    fsspec.register_implementation("store", ObjectStore, clobber=True)
    return folder


@pytest.fixture
def store_environment(store: Path, tmp_path: Path, temporary: Path) -> dict[str, str]:
    """The environment of processes that know the object store, as if a package for it were installed."""
    package = tmp_path / "packages"
    information = package / "object_store-1.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Name: object_store\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[fsspec.specs]\nstore = object_store:ObjectStore\n")
    paths = os.pathsep.join((str(package), str(PROCESSES)))
    return {**os.environ, "PYTHONPATH": paths, "TMPDIR": str(temporary)}
