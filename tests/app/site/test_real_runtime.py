"""The site with onnxruntime-web itself, fetched by npm: DPANET_FULL=1 pytest tests/app/site/test_real_runtime.py"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app.site.site_page import open_site

from dpanet import Deblurrer, read_picture
from dpanet.app.site import LARGEST, export_site
from dpanet.images.demo_pair import read_demo_pair

pytestmark = pytest.mark.skipif(
    not os.environ.get("DPANET_FULL"), reason="fetches 33 MB; set DPANET_FULL=1 to run it"
)


def test_the_picture_is_that_of_the_command_line(
    context: Any, serve: Callable[[Path], str], tmp_path: Path
) -> None:
    site = export_site(tmp_path / "site")
    assert site.size < LARGEST
    page = open_site(context, serve(site.folder))
    context.set_offline(True)
    page.get_by_role("button", name="Try the example").click()
    page.locator("#result").wait_for(timeout=280_000)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PNG").click()
    file = tmp_path / "page.png"
    download.value.save_as(file)
    pair, _ = read_demo_pair()
    expected = Deblurrer("nano", engine="onnxruntime", precision="float32")(pair).pixels
    difference = np.abs(read_picture(file).pixels - np.clip(expected, 0, 1)).max()
    assert difference < 0.1 / 255
