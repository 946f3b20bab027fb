"""Measure seconds and sizes of the levels of `dpanet deblur --compression`.

    python benchmarks/compression.py PICTURE.png

The picture is written as it is, and repeated to 6000 x 4000 px with other noise in each part; the seconds
are those of the processor.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from dpanet.containers.decoded_image import Codes
from dpanet.formats.png import write_png
from dpanet.formats.tiff_writing import write_tiff
from dpanet.images.reading import read_codes


def enlarge(codes: Codes) -> Codes:
    """Repeat a picture to 6000 x 4000 px; of 16 bits, the last three are noise."""
    height, width = codes.shape[:2]
    times = (-(-4000 // height), -(-6000 // width), 1)
    large = np.tile(codes.reshape(height, width, -1), times)[:4000, :6000]
    if large.dtype == np.uint16:
        large ^= np.random.default_rng(0).integers(0, 8, large.shape, np.uint16)
    return large if codes.ndim == 3 else large[..., 0]


def measure(codes: Codes) -> None:
    """Print a line for each format and level."""
    height, width = codes.shape[:2]
    print(f"{width} x {height} px, {codes.dtype}, {codes.nbytes / 1e6:.1f} MB")
    with TemporaryDirectory() as folder:
        for write, suffix in ((write_png, "png"), (write_tiff, "tif")):
            for level in (0, 1, 2, 4, 6, 9):
                path = Path(folder) / f"a.{suffix}"
                start = time.process_time()
                write(path, codes, None, {}, level)
                seconds, size = time.process_time() - start, path.stat().st_size
                share = size / codes.nbytes
                print(
                    f"  {suffix}, level {level}: {seconds:6.3f} s, {size / 1e6:7.2f} MB, {share:.3f} of the pixels"
                )


if __name__ == "__main__":
    codes = read_codes(sys.argv[1])
    measure(codes)
    measure(enlarge(codes))
