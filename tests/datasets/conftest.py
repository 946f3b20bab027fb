"""Small data sets on disk; each test puts a trap into one of them."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

Write = Callable[..., Path]


def draw(
    path: Path, value: int = 0, kind: type = np.uint16, size: tuple[int, int] = (24, 20), gray: bool = False
) -> Path:
    """A flat picture, `size` (width, height), whose one code tells it from all others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    assert cv2.imwrite(str(path), np.full((height, width) if gray else (height, width, 3), value, kind))
    return path


@pytest.fixture
def write() -> Write:
    return draw


@pytest.fixture
def dpdd(tmp_path: Path) -> Path:
    """Three scenes, written out of order; the truth is one shot before or after; codes 1xxx, left 2xxx, ..."""
    for split in ("test", "val"):
        for name, truth in ((984, 985), (917, 916), (1002, 1001)):
            draw(tmp_path / f"{split}_c/source/1P0A{name:04}.png", 10000 + name)
            draw(tmp_path / f"{split}_l/source/1P0A{name:04}_L.png", 20000 + name)
            draw(tmp_path / f"{split}_r/source/1P0A{name:04}_R.png", 30000 + name)
            draw(tmp_path / f"{split}_c/target/1P0A{truth:04}.png", 40000 + name)
    (tmp_path / "readme.txt").write_text("not a picture")
    return tmp_path


@pytest.fixture
def restormer(tmp_path: Path) -> Path:
    """Three scenes, 2 before 10 in natural order."""
    for name in ("10", "2", "1"):
        for code, part in enumerate(("inputL", "inputR", "inputC", "target"), start=1):
            draw(tmp_path / "test" / "DPDD" / part / f"{name}.png", 10000 * code + int(name))
    return tmp_path


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Two scenes with the pictures of one further method; 8 bits."""
    for name, code in (("b_2", 20), ("a", 10)):
        for step, part in enumerate(("left", "right", "sharp", "dpdnet")):
            draw(tmp_path / f"{name}_{part}.png", code + step, np.uint8)
    (tmp_path / "labels.npy").write_bytes(b"ignored")
    return tmp_path
