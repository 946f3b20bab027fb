"""The site with onnxruntime-web itself, fetched by npm: DPANET_FULL=1 pytest tests/app/site/test_real_runtime.py"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app.site.site_page import deblur, open_site

from dpanet import Deblurrer, Picture, read_picture, write_picture
from dpanet.app.site import LARGEST, export_site
from dpanet.cli import main
from dpanet.images.demo_pair import read_demo_pair
from dpanet.images.encoding import srgb_to_linear

pytestmark = pytest.mark.skipif(
    not os.environ.get("DPANET_FULL"), reason="fetches 33 MB; set DPANET_FULL=1 to run it"
)


@pytest.fixture(scope="module")
def real_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = export_site(tmp_path_factory.mktemp("real") / "site")
    assert site.size < LARGEST
    return site.folder


def save(page: Any, file: Path) -> Path:
    page.locator("#result").wait_for(timeout=280_000)
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download {file.suffix[1:4].upper()}").click()
    download.value.save_as(file)
    return file


def test_the_picture_is_that_of_the_command_line(
    context: Any, serve: Callable[[Path], str], real_site: Path, tmp_path: Path
) -> None:
    page = open_site(context, serve(real_site))
    context.set_offline(True)
    page.get_by_role("button", name="Try the example").click()
    file = save(page, tmp_path / "page.png")
    pair, _ = read_demo_pair()
    expected = Deblurrer("nano", engine="onnxruntime", precision="float32")(pair).pixels
    difference = np.abs(read_picture(file).pixels - np.clip(expected, 0, 1)).max()
    assert difference < 0.1 / 255


@pytest.mark.parametrize("values", ["srgb", "linear"])
def test_a_linear_pair_has_the_values_of_the_command_line(
    context: Any, serve: Callable[[Path], str], real_site: Path, tmp_path: Path, values: str
) -> None:
    pair, _ = read_demo_pair()
    files = [tmp_path / f"x_{side}.tif" for side in ("left", "right")]
    for view, path in zip((pair.left, pair.right), files, strict=True):
        light = srgb_to_linear(view[:200, :300]) * np.float32(0.4)  # darker than white
        write_picture(Picture(light, "linear", {}), path, bits=16)
    page = open_site(context, serve(real_site))
    deblur(page, files)
    page.get_by_label("Strength").fill("70")
    page.locator("#values").select_option(values)
    found = read_picture(save(page, tmp_path / "page.tif"))
    command = ["deblur", *map(str, files), "-o", str(tmp_path / "command.tif"), "--model", "nano"]
    options = ["--precision", "float32", "--strength", "0.7", "--output-encoding", values]
    assert main([*command, *options]) == 0
    expected = read_picture(tmp_path / "command.tif")
    assert found.encoding == expected.encoding == values
    assert np.abs(found.pixels - expected.pixels).max() < 0.1 / 255
