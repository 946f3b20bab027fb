"""Make docs/pictures/report.webp, the report of an evaluation: python -m tools.report_picture. It needs Chromium."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from skimage.data import astronaut, chelsea, coffee

from tools.page_picture import take_picture

PICTURE = Path(__file__).parents[1] / "docs/pictures/report.webp"


def main() -> None:
    """Simulate pairs of three photographs in the public domain, evaluate three methods, and take a picture."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("there is no Chromium on PATH; install it")
    with TemporaryDirectory() as name:
        folder = Path(name)
        _write_photographs(folder / "PHOTOS", folder / "MAPS")
        for line in (
            "simulate PHOTOS -o SCENES --count 3 --seed 1 --depth MAPS --lens f=85,N=2,focus=2 --workers 1",
            "evaluate SCENES --layout pairs --baseline wiener single --save-images -o REPORT",
        ):
            subprocess.run([sys.executable, "-m", "dpanet", *line.split()], cwd=folder, check=True)
        take_picture(browser, folder / "REPORT/report.html", PICTURE, (1100, 900), "Gain per image")
    print(PICTURE)


def _write_photographs(photographs: Path, maps: Path) -> None:
    """Write the photographs, each with a depth map that slopes from 2.2 m to 4 m."""
    photographs.mkdir()
    maps.mkdir()
    for name, pixels in (("astronaut", astronaut()), ("chelsea", chelsea()), ("coffee", coffee())):
        Image.fromarray(pixels).save(photographs / f"{name}.png")
        height, width = pixels.shape[:2]
        np.save(maps / f"{name}.npy", np.tile(np.linspace(2.2, 4.0, width), (height, 1)))


if __name__ == "__main__":
    main()
