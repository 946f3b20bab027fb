"""Make docs/pictures/comparison.webp, the page of --compare; needs Chromium: python -m tools.comparison_picture."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from dpanet import Picture, write_picture
from dpanet.files.output import atomic_output
from dpanet.images.demo_pair import read_demo_pair

PICTURE = Path(__file__).parents[1] / "docs/pictures/comparison.webp"

WINDOW = (688, 660)
"""Width and height of the window in px: as wide as the text of the site, so that it is seen at 100 %."""


def main() -> None:
    """Deblur the demo's pair and take a picture of its page, with the border in the middle."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("there is no Chromium on PATH; install it")
    with TemporaryDirectory() as name:
        folder = Path(name)
        pair, _ = read_demo_pair()
        for side, view in (("LEFT", pair.left), ("RIGHT", pair.right)):
            write_picture(Picture(view, pair.encoding), folder / f"{side}.png", bits=16)
        line = "deblur LEFT.png RIGHT.png -o sharp.png --compare page.html --precision float32"
        subprocess.run([sys.executable, "-m", "dpanet", *line.split()], cwd=folder, check=True)
        _take_picture(browser, folder / "page.html")
    print(PICTURE)


def _take_picture(browser: str, file: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport={"width": WINDOW[0], "height": WINDOW[1]})
        page.goto(file.as_uri())
        page.wait_for_timeout(1000)
        image = Image.open(io.BytesIO(page.screenshot()))
        chromium.close()
    with atomic_output(PICTURE, overwrite=True) as unfinished:
        image.convert("RGB").save(unfinished, format="WEBP", quality=88, method=6)


if __name__ == "__main__":
    main()
