"""Make docs/pictures/report.webp, the report of an evaluation: python -m tools.report_picture. It needs Chromium."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from skimage.data import astronaut, chelsea, coffee

from dpanet.files.output import atomic_output

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
        _take_picture(browser, folder / "REPORT/report.html")
    print(PICTURE)


def _write_photographs(photographs: Path, maps: Path) -> None:
    """Write the photographs, each with a depth map that slopes from 2.2 m to 4 m."""
    photographs.mkdir()
    maps.mkdir()
    for name, pixels in (("astronaut", astronaut()), ("chelsea", chelsea()), ("coffee", coffee())):
        Image.fromarray(pixels).save(photographs / f"{name}.png")
        height, width = pixels.shape[:2]
        np.save(maps / f"{name}.npy", np.tile(np.linspace(2.2, 4.0, width), (height, 1)))


def _take_picture(browser: str, report: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1100, "height": 900})
        page.goto(report.as_uri())
        page.get_by_role("heading", name="Gain per image").evaluate("heading => heading.scrollIntoView()")
        page.wait_for_timeout(1000)
        image = Image.open(io.BytesIO(page.screenshot()))
        chromium.close()
    with atomic_output(PICTURE, overwrite=True) as unfinished:
        image.convert("RGB").save(unfinished, format="WEBP", quality=88, method=6)


if __name__ == "__main__":
    main()
