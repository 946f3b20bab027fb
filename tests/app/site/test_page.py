"""The exported site in a real browser, with a stub in place of onnxruntime-web."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from app.site.site_page import choose, deblur, error, open_site, save, shown
from browser_waiting import wait_until
from PIL import Image
from playwright.sync_api import Error as PageError

from dpanet import read_picture
from dpanet.app.site import _POLICY, export_site
from dpanet.images.demo_pair import FOLDER as DEMO
from dpanet.images.demo_pair import read_demo_pair

GENERATOR = np.random.default_rng(3)

Serve = Callable[[Path], str]


@pytest.fixture
def views(tmp_path: Path) -> list[Path]:
    """A left and a right view of 16 bits, with their EXIF."""
    files = []
    for side in ("left", "right"):
        codes = GENERATOR.integers(0, 65536, (40, 60, 3), np.uint16)
        files.append(tmp_path / f"plant_{side}.tif")
        tifffile.imwrite(files[-1], codes, photometric="rgb", extratags=[(272, 2, 0, "Model", True)])
    return files


def test_two_views_become_a_picture_of_16_bits(
    context: Any, site: Path, serve: Serve, views: list[Path]
) -> None:
    page = open_site(context, serve(site))
    assert page.evaluate("crossOriginIsolated")
    assert "no picture leaves this device" in page.locator("#privacy").inner_text()
    deblur(page, views)
    left, right = (tifffile.imread(view).astype(int) for view in views)
    mean = (left + right) / 2  # of both passes of the stub, the second of which has the views exchanged
    name, data = save(page, "TIFF")
    assert name == "plant_sharp.tif"
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert np.abs(file.asarray() - mean).max() <= 1
        assert file.pages[0].tags["Model"].value == "Model"
    name, data = save(page, "PNG")
    assert name == "plant_sharp.png"
    Path(views[0].parent / name).write_bytes(data)
    written = read_picture(views[0].parent / name)
    assert written.metadata["bits"] == 16
    assert np.abs(written.pixels * 65535 - mean).max() <= 1.01


def test_after_the_first_visit_no_network_is_needed(
    context: Any, site: Path, serve: Serve, views: list[Path]
) -> None:
    page = open_site(context, serve(site))
    context.set_offline(True)
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate("crossOriginIsolated")
    deblur(page, views)
    assert save(page, "PNG")[1].startswith(b"\x89PNG")
    page.get_by_role("button", name="Other pictures").last.click()
    page.get_by_role("button", name="Try the example").click()
    page.wait_for_selector("#result:not([hidden])")


def test_the_page_may_not_send_anything_to_another_origin(chromium: Any, site: Path, serve: Serve) -> None:
    context = chromium.new_context()
    page = open_site(context, serve(site))
    other = serve(site)
    sent = """async (address) => {
      const failed = [];
      await fetch(address).catch(() => failed.push('page'));
      failed.push(await new Promise((done) => {
        const image = new Image();
        image.onload = () => done('sent');
        image.onerror = () => done('image');
        image.src = `${address}icon.svg`;
      }));
      return failed;
    }"""
    assert page.evaluate(sent, other) == ["page", "image"]
    context.close()


def test_the_example_shows_before_and_after(context: Any, site: Path, serve: Serve) -> None:
    page = open_site(context, serve(site))
    page.get_by_role("button", name="Try the example").click()
    page.wait_for_selector("#result:not([hidden])")
    pair, _ = read_demo_pair()
    for side in ("before", "after"):  # the stub returns what is before, too
        assert np.abs(shown(page, side) / 255 - pair.combined.pixels).max() < 1 / 255
    assert (site / "example/left.webp").read_bytes() == (DEMO / "left.webp").read_bytes()


def test_a_picture_is_shown_upright_and_written_as_it_was(
    context: Any, site: Path, serve: Serve, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[274] = 6
    files = [tmp_path / f"{side}.jpg" for side in ("left", "right")]
    pixels = np.zeros((32, 48, 3), np.uint8)
    pixels[:16] = 200  # the upper half, which is the right one when it is upright
    for file in files:
        Image.fromarray(pixels).save(file, exif=exif, quality=95)
    page = open_site(context, serve(site))
    deblur(page, files)
    upright = shown(page, "after")[..., 0]
    assert upright.shape == (48, 32)
    assert upright[:, :14].max() < 20 and upright[:, 18:].min() > 180
    name, data = save(page, "PNG")
    with Image.open(io.BytesIO(data)) as image:
        assert (name, image.size, image.getexif()[274]) == ("sharp.png", (48, 32), 6)


def test_a_cancel_ends_the_work_and_the_page_goes_on(
    context: Any, site: Path, serve: Serve, views: list[Path]
) -> None:
    page = open_site(context, serve(site))
    page.evaluate("caches.open('slow')")
    choose(page, views)
    page.get_by_role("button", name="Deblur").click()
    page.locator("#stage", has_text="Deblurring").wait_for()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.wait_for_selector("#pair:not([hidden])")
    assert page.locator("#message").is_hidden()
    page.evaluate("caches.delete('slow')")
    page.get_by_role("button", name="Deblur").click()
    page.wait_for_selector("#result:not([hidden])")


def test_wrong_files_are_refused_in_a_sentence(
    context: Any, site: Path, serve: Serve, views: list[Path], tmp_path: Path
) -> None:
    page = open_site(context, serve(site))
    damaged = tmp_path / "plant_right.png"
    damaged.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    choose(page, [views[0], damaged])
    page.get_by_role("button", name="Deblur").click()
    assert error(page) == "plant_right.png is damaged or incomplete; export it again."
    small = tmp_path / "plant_right.tif"
    tifffile.imwrite(small, np.zeros((40, 64, 3), np.uint16), photometric="rgb")
    page.get_by_role("button", name="Other pictures").first.click()
    choose(page, [views[0], small])
    page.get_by_role("button", name="Deblur").click()
    assert "plant_left.tif is 60 x 40 px and plant_right.tif is 64 x 40 px" in error(page)


def test_a_picture_that_is_too_large_is_refused_before_it_is_decoded(
    context: Any, site: Path, serve: Serve, views: list[Path]
) -> None:
    for view in views:
        data = bytearray(view.read_bytes())
        with tifffile.TiffFile(view) as file:
            place = file.pages[0].tags["ImageWidth"].valueoffset
        data[place : place + 4] = (2_000_000).to_bytes(4, "little")
        view.write_bytes(data)
    page = open_site(context, serve(site))
    choose(page, views)
    page.get_by_role("button", name="Deblur").click()
    assert "at most 32 megapixels fit in a page" in error(page)


def test_a_folder_is_deblurred_one_after_the_other(
    context: Any, site: Path, serve: Serve, views: list[Path]
) -> None:
    more = [view.with_name(view.name.replace("plant", "stone")) for view in views]
    for view, other in zip(views, more, strict=True):
        other.write_bytes(view.read_bytes())
    page = open_site(context, serve(site))
    choose(page, [*views, *more])
    page.get_by_role("button", name="Deblur").click()
    page.locator("#queue-list .done").nth(1).wait_for()


def test_without_a_service_worker_the_page_works_on_one_core(
    chromium: Any, site: Path, serve: Serve, views: list[Path]
) -> None:
    context = chromium.new_context()
    context.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'serviceWorker', { get: () => undefined })"
    )
    page = context.new_page()
    page.goto(serve(site))
    page.wait_for_selector("body[data-ready]")
    assert not page.evaluate("crossOriginIsolated")
    deblur(page, views)
    context.close()


def test_a_narrow_page_never_scrolls_sideways(
    context: Any, site: Path, serve: Serve, views: list[Path]
) -> None:
    page = open_site(context, serve(site))
    page.set_viewport_size({"width": 390, "height": 844})
    assert (
        page.locator("#privacy").inner_text().endswith("no picture leaves this device. Works offline, too.")
    )
    assert page.locator("header").evaluate("one => one.offsetHeight") <= 60
    deblur(page, views)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.fixture
def release(
    runtime: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Path]:
    """Return a function that puts a version with another policy into the site's folder, which it returns."""

    def export(policy: str) -> Path:
        monkeypatch.setattr("dpanet.app.site._POLICY", policy)
        return export_site(tmp_path / "site", runtime=runtime[0], sha256=runtime[1]).folder

    return export


NEW_POLICY = f"{_POLICY}; font-src 'none'"


def test_a_new_version_replaces_the_old_one(
    context: Any, serve: Serve, release: Callable[[str], Path]
) -> None:
    folder = release(_POLICY)
    page = open_site(context, serve(folder))
    page.locator("body[data-offline]").wait_for()
    release(NEW_POLICY)
    reload_until_new(page)
    page.locator("body[data-offline]").wait_for()
    assert "font-src" in page.locator("meta[http-equiv]").get_attribute("content")
    assert page.evaluate("caches.keys()") == [f"dpanet-{version_of(folder)}"]


def test_a_new_version_waits_until_one_page_is_open(
    context: Any, serve: Serve, release: Callable[[str], Path]
) -> None:
    folder = release(_POLICY)
    old, address = version_of(folder), serve(folder)
    other, page = open_site(context, address), open_site(context, address)
    release(NEW_POLICY)
    page.evaluate("navigator.serviceWorker.getRegistration().then((one) => one.update())")
    wait_until(page, "navigator.serviceWorker.getRegistration().then((one) => one.waiting !== null)")
    page.reload()
    page.locator("body[data-offline]").wait_for()  # at once, with all files of its version
    assert "font-src" not in page.locator("meta[http-equiv]").get_attribute("content")
    assert page.evaluate("caches.keys()") == [f"dpanet-{old}"]
    other.close()
    reload_until_new(page)
    page.locator("body[data-offline]").wait_for()
    assert page.evaluate("caches.keys()") == [f"dpanet-{version_of(folder)}"]


def reload_until_new(page: Any) -> None:
    """Load a page again until it shows the new version: a load looks for one in the background."""
    for _ in range(10):
        try:
            page.reload(timeout=10_000)
            page.locator("body[data-ready]").wait_for(timeout=10_000)
        except PageError:  # with a debugger, as here, Chromium may lose a load while the worker is replaced
            continue
        if "font-src" in page.locator("meta[http-equiv]").get_attribute("content"):
            return
        page.wait_for_timeout(500)


def version_of(folder: Path) -> str:
    return (folder / "service_worker.js").read_text().split('"')[1]
