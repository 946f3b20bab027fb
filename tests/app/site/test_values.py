"""Downloads of a linear pair as on a screen, or proportional to light: those of the site and of the command line."""

import base64
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import png
import pytest
from app.site.site_page import choose, deblur, open_site, save
from PIL import Image

from dpanet import Picture, read_picture, write_picture
from dpanet.cli import main
from dpanet.containers.icc_profile import colorants_of, make_profile
from dpanet.images.encoding import linear_to_srgb, srgb_to_linear

Serve = Callable[[Path], str]

P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
WIDE = make_profile("Linear P3", 1.0, colorants_of(P3))
CHRM = b"".join(round(100000 * value).to_bytes(4, "big") for value in P3)
LINEAR_GAMMA = (100000).to_bytes(4, "big")

METADATA: dict[str, dict[str, Any]] = {
    "no-profile": {},
    "profile": {"icc": WIDE},
    "gray": {"gray": True, "icc": make_profile("Linear gray", 1.0, None)},
    "chunks": {"png": ((b"gAMA", LINEAR_GAMMA), (b"cHRM", CHRM))},
    "code": {"png": ((b"cICP", bytes((12, 8, 0, 1))),)},
}
"""Of linear views, each of which states its encoding in another way."""


@pytest.fixture(scope="module")
def page(chromium: Any, site: Path, serve: Serve) -> Iterator[Any]:
    context = chromium.new_context()
    yield open_site(context, serve(site))
    context.close()


def write_views(folder: Path, about: dict[str, Any], suffix: str = ".png", name: str = "x") -> list[Path]:
    files = []
    for seed, side in enumerate(("left", "right")):
        light = np.random.default_rng(seed).random((40, 60, 1 if about.get("gray") else 3)) ** 3
        light[:12, :12] = 1  # white, so that the exposure changes nothing
        pixels = np.repeat(light, 3, 2) if about.get("gray") else light
        files.append(folder / f"{name}_{side}{suffix}")
        write_picture(Picture(pixels.astype(np.float32), "linear", about), files[-1], bits=16)
    return files


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def read_light(files: list[Path]) -> list[Any]:
    pictures = [read_picture(file) for file in files]
    assert {picture.encoding for picture in pictures} == {"linear"}
    return [picture.pixels.astype(np.float64) for picture in pictures]


def expected(files: list[Path], strength: float = 1) -> Any:
    """Return the picture of the stub, which is the mean of the views as a display takes them, in sRGB."""
    left, right = read_light(files)
    before = linear_to_srgb((left + right) / 2)
    return before + strength * ((linear_to_srgb(left) + linear_to_srgb(right)) / 2 - before)


def chunks_of(path: Path) -> dict[bytes, bytes]:
    """Return the chunks of a PNG that state colors."""
    with path.open("rb") as file:
        found = dict(png.Reader(file=file).chunks())
    return {name: found[name] for name in (b"cICP", b"cHRM", b"gAMA", b"sRGB") if name in found}


@pytest.mark.parametrize("kind", METADATA)
def test_a_linear_pair_is_stored_as_on_screen(page: Any, tmp_path: Path, kind: str) -> None:
    files = write_views(tmp_path, METADATA[kind])
    deblur(page, files)
    assert page.locator("#values").is_visible()
    assert page.locator("#values").input_value() == "srgb"
    for suffix in (".png", ".tif"):
        other = tmp_path / f"command{suffix}"
        command = [
            "deblur",
            *map(str, files),
            "-o",
            str(other),
            "--model",
            "nano",
            "--output-encoding",
            "srgb",
        ]
        assert main(command) == 0
        found = read_picture(write(tmp_path / f"page{suffix}", save(page, suffix[1:4].upper())[1]))
        assert found.encoding == "srgb"
        assert np.abs(found.pixels - expected(files)).max() < 0.1 / 255
        if suffix == ".png" or not chunks_of(files[0]):
            assert found.metadata.get("icc") == read_picture(other).metadata.get("icc")
    assert chunks_of(tmp_path / "page.png") == chunks_of(tmp_path / "command.png")


def test_the_strength_and_the_other_values(page: Any, tmp_path: Path) -> None:
    files = write_views(tmp_path, {"icc": WIDE}, ".tif")
    deblur(page, files)
    page.locator("#values").select_option("linear")
    linear = read_picture(write(tmp_path / "linear.tif", save(page, "TIFF")[1]))
    assert linear.encoding == "linear" and linear.metadata["icc"] == WIDE
    assert np.abs(linear.pixels - srgb_to_linear(expected(files))).max() <= 1.01 / 65535
    page.get_by_label("Strength").fill("40")
    page.locator("#values").select_option("srgb")
    mixed = read_picture(write(tmp_path / "mixed.tif", save(page, "TIFF")[1]))
    assert mixed.encoding == "srgb"
    assert np.abs(mixed.pixels - expected(files, 0.4)).max() < 0.15 / 255


def test_the_preview_has_the_colors_of_a_linear_profile(page: Any) -> None:
    data = page.evaluate(
        """async (icc) => {
          const { writePreview } = await import('./browser/finished_picture.js');
          const about = { width: 16, height: 16, channels: 3, encoding: 'linear', orientation: 1 };
          const blob = await writePreview(new Uint16Array(768).fill(9000), { ...about, icc: Uint8Array.from(icc) });
          return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
        }""",
        list(WIDE),
    )
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert image.info["icc_profile"] == make_profile(
            "sRGB curve, colors as before", "srgb", colorants_of(P3)
        )
        assert image.getpixel((3, 3))[0] == round(255 * float(linear_to_srgb(np.array([9000 / 65535]))[0]))


def test_an_ordinary_pair_has_no_choice_of_values(page: Any, tmp_path: Path) -> None:
    files = [tmp_path / f"{side}.png" for side in ("left", "right")]
    for file in files:
        write_picture(Picture(np.full((32, 48, 3), 0.5, np.float32), "srgb", {}), file, bits=16)
    deblur(page, files)
    assert page.locator("#values").is_hidden()


def test_a_list_is_downloaded_with_the_values_that_are_chosen(page: Any, tmp_path: Path) -> None:
    files = [file for name in ("a", "b") for file in write_views(tmp_path, {}, ".tif", name)]
    choose(page, files)
    page.get_by_role("button", name="Deblur").click()
    page.locator("#queue-list .done").nth(1).wait_for()
    found = []
    for values in ("srgb", "linear"):
        page.locator("#zip-values").select_option(values)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download all as zip").click()
        with zipfile.ZipFile(Path(download.value.path())) as archive:
            path = write(tmp_path / f"{values}.tif", archive.read("a_sharp.tif"))
        found.append(read_picture(path))
    assert [picture.encoding for picture in found] == ["srgb", "linear"]
    assert np.abs(found[0].pixels - expected(files[:2])).max() < 0.1 / 255
