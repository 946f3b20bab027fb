from pathlib import Path

import cv2
import numpy as np
import pytest

from dpanet.errors import PairError
from dpanet.images.raw_pair import read_flat_field, read_raw_pair

LEVELS = (100, 65535)


def write(path: Path, codes: np.ndarray) -> Path:
    cv2.imwrite(str(path), codes)
    return path


def codes(seed: int, *channels: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 65536, (24, 40, *channels)).astype(np.uint16)


def test_raw_views_of_an_unnamed_camera(tmp_path: Path) -> None:
    left, right, white = codes(0), codes(1), np.full((24, 40), 1100, np.uint16)
    files = [write(tmp_path / f"{i}.png", v) for i, v in enumerate((left, right, white, white * 2 - 100))]
    flat_field = read_flat_field(files[2], files[3], LEVELS)
    np.testing.assert_allclose(flat_field, 0.5, rtol=1e-6)
    pair = read_raw_pair(files[0], files[1], LEVELS, flat_field)
    for view, source, gain in ((pair.left, left, 1), (pair.right, right, 0.5)):
        expected = np.maximum(source.astype(np.float64) - 100, 0) / 65435 * gain
        np.testing.assert_allclose(view[..., 0], expected, atol=1e-6)
    assert (pair.encoding, pair.metadata["gray"], pair.metadata["bits"]) == ("linear", True, 16)


def test_color_views_are_refused_by_name(tmp_path: Path) -> None:
    files = write(tmp_path / "c.png", codes(0, 3)), write(tmp_path / "d.png", codes(1, 3))
    for read in (read_raw_pair, read_flat_field):
        with pytest.raises(PairError, match=r"c\.png.*d\.png"):
            read(*files, LEVELS)
