"""Make docs/pictures/comparison.webp, the page of --compare; needs Chromium: python -m tools.comparison_picture."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from dpanet import Picture, write_picture
from dpanet.images.demo_pair import read_demo_pair
from tools.page_picture import take_picture

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
        take_picture(browser, folder / "page.html", PICTURE, WINDOW)
    print(PICTURE)


if __name__ == "__main__":
    main()
