"""The server over HTTP: pictures, limits, visitors, files."""

import io
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from app.running_app import RunningApp, Visitor, codes, read_png, write_view
from camera_raw.dng_by_hand import frames_of, write_dng
from PIL import Image

from dpanet import Deblurrer, ImageWarning, Picture, read_pair, read_picture, write_picture
from dpanet.app.capture import Capture
from dpanet.app.deblurring import read_capture
from dpanet.camera_raw.reading import read_raw_file
from dpanet.images.demo_pair import read_demo_pair
from dpanet.images.encoding import srgb_to_linear


def test_a_download_is_the_picture_of_the_library(visitor: Visitor, views: tuple[Path, Path]) -> None:
    job = visitor.send(*views)
    state = visitor.wait(job)
    assert (state["state"], state["width"], state["height"], state["defocus"]) == ("done", 56, 40, False)
    expected = codes(Deblurrer("nano", threads=1)(read_pair(*views)).pixels)
    picture, bits = read_png(visitor.get(f"{job}/picture.png"))
    assert bits == 16
    assert np.abs(picture.astype(int) - expected).max() <= 1
    other = tifffile.imread(io.BytesIO(visitor.get(f"{job}/picture.tiff")))
    assert other.dtype == np.uint16
    assert np.array_equal(other, picture)
    shown, bits = read_png(visitor.get(f"{job}/after"))
    assert bits == 8
    assert np.abs(shown.astype(float) - expected / 257).max() <= 0.51


def test_a_found_lens_has_a_map(visitor: Visitor, tmp_path: Path) -> None:
    demo, _ = read_demo_pair()
    views = [tmp_path / f"x_{side}.png" for side in ("left", "right")]
    for path, view in zip(views, (demo.left, demo.right), strict=True):
        write_picture(Picture(view[100:340, 100:400], "srgb"), path, bits=16)
    job = visitor.send(*views, refine=True)
    state = visitor.wait(job)
    assert (state["state"], state["defocus"]) == ("done", True), "nano has none of its own"
    assert any("dB of the blur" in note for note in state["notes"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImageWarning)
        expected = Deblurrer("nano", threads=1, lens="find")(read_pair(*views)).pixels
    picture, _ = read_png(visitor.get(f"{job}/picture.png"))
    assert np.abs(picture.astype(int) - codes(expected)).max() <= 1
    assert (
        b"give true or false"
        in visitor.ask("POST", "/jobs", b'{"left": "a", "model": "nano", "refine": 1}')[2]
    )


def test_metadata_and_the_turn_of_the_camera(visitor: Visitor, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0110] = 6, "Maker", "Model 1"
    data = exif.tobytes().removeprefix(b"Exif\0\0")
    paths = [write_view(tmp_path / f"x {side}.tif", exif=data) for side in ("left", "right")]
    job = visitor.send(*paths)
    state = visitor.wait(job)
    assert (state["width"], state["height"]) == (40, 56)  # upright
    assert Image.open(io.BytesIO(visitor.get(f"{job}/before"))).size == (40, 56)
    status, headers, content = visitor.ask("GET", f"{job}/picture.png")
    assert status == 200
    assert headers["x-dpanet-name"] == "x_sharp.png"
    stored = Image.open(io.BytesIO(content))
    assert stored.size == (56, 40)  # as it came
    assert [stored.getexif()[tag] for tag in (0x0112, 0x0110)] == [6, "Model 1"]


def test_one_raw_file_has_both_views(visitor: Visitor, tmp_path: Path) -> None:
    pair, _ = read_demo_pair()
    left, right = (srgb_to_linear(view[:160, :240]) * np.float32(0.7) for view in (pair.left, pair.right))
    raw = write_dng(tmp_path / "IMG_7.dng", frames_of(left, right), make="Unknown", orientation=8)
    state = visitor.wait(visitor.send(raw))
    assert "IMG_7.dng" in state["error"]
    assert (
        "choose “Raw file of an unknown maker, like Canon's” under Camera" in state["error"]
    )  # in the words of the page
    job = visitor.send(raw, camera="canon")
    state = visitor.wait(job)
    assert state["state"] == "done", state["error"]
    assert (state["width"], state["height"]) == (160, 240)
    expected = codes(Deblurrer("nano", threads=1)(read_raw_file(raw, "canon")).pixels)
    picture, bits = read_png(visitor.get(f"{job}/picture.png"))
    assert bits == 16
    assert np.abs(picture.astype(int) - expected).max() <= 1


def test_views_of_a_raw_camera_are_stored_as_on_screen(visitor: Visitor, tmp_path: Path) -> None:
    paths = []
    for seed, side in enumerate(("left", "right")):
        codes_ = np.random.default_rng(seed).uniform(1100, 9000, (60, 80, 1)).astype(np.float32).repeat(3, 2)
        picture = Picture(codes_ / 65535, "srgb", {"gray": True})
        write_picture(picture, tmp_path / f"{side}.png", bits=16)
        paths.append(tmp_path / f"{side}.png")
    job = visitor.send(*paths, camera="pixel-app")
    state = visitor.wait(job)
    assert state["linear"], state["error"]
    after = np.asarray(Image.open(io.BytesIO(visitor.get(f"{job}/after"))).convert("RGB"))
    for kind in ("png", "tiff"):
        stored = read_picture(write(tmp_path / f"x.{kind}", visitor.get(f"{job}/picture.{kind}?values=srgb")))
        assert stored.encoding == "srgb"
        # in the dark, half a code of the linear picture in between (white is at 0.14) is 0.2 codes of the preview
        assert np.abs(255 * stored.pixels - after).max() <= 0.7
    linear = read_picture(write(tmp_path / "y.png", visitor.get(f"{job}/picture.png?values=linear")))
    assert linear.encoding == "linear"
    assert linear.pixels.mean() < 0.7 * stored.pixels.mean()


def test_that_only_a_part_of_a_pixel4_is_written_is_said(tmp_path: Path) -> None:
    paths = {side: tmp_path / f"001_{side}.png" for side in ("left", "right")}
    for seed, path in enumerate(paths.values()):
        raw = np.random.default_rng(seed).integers(1024, 9000, (1512, 2016), dtype=np.uint16)
        Image.fromarray(raw).save(path)
    names = {side: path.name for side, path in paths.items()}
    with pytest.warns(ImageWarning, match="only the central field is written, 1344 x 1008 px$"):
        pair = read_capture(Capture("1", tmp_path, names, "nano", "pixel4", files=paths))
    assert pair.left.shape == (1008, 1344, 3)


def test_a_linear_pair_is_shown_as_for_a_screen(visitor: Visitor, tmp_path: Path) -> None:
    paths = [write_view(tmp_path / f"{side}.tif", encoding="linear", gray=True) for side in ("left", "right")]
    job = visitor.send(*paths)
    state = visitor.wait(job)
    assert state["state"] == "done", state["error"]
    stored = read_picture(write(tmp_path / "x.tif", visitor.get(f"{job}/picture.tiff")))
    assert stored.encoding == "linear"
    assert state["linear"]
    as_shown = write(tmp_path / "y.tif", visitor.get(f"{job}/picture.tiff?values=srgb"))
    assert read_picture(as_shown).encoding == "srgb"
    after = np.asarray(Image.open(io.BytesIO(visitor.get(f"{job}/after"))).convert("L"))
    assert np.abs(tifffile.imread(as_shown) / 257 - after).max() <= 0.51
    assert b"give srgb or linear" in visitor.get(f"{job}/picture.png?values=log", status=400)
    shown = Image.open(io.BytesIO(visitor.get(f"{job}/before")))
    linear = tifffile.imread(paths[0]) / 65535
    expected = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(np.asarray(shown.convert("L")) - 255 * expected).max() <= 1


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("broken", ["text", "empty", "cut", "other size", "one view", "same file"])
def test_wrong_files_are_named_as_the_visitor_named_them(
    visitor: Visitor, app: RunningApp, views: tuple[Path, Path], tmp_path: Path, broken: str
) -> None:
    left, right = views
    wrong = tmp_path / "WRONG_right.png"
    content = {"text": b"hello", "empty": b"", "cut": right.read_bytes()[:200]}.get(broken)
    if content is not None:
        wrong.write_bytes(content)
        visitor.send(left, wrong, status=422)
        sentence = visitor.answer
    elif broken == "one view":
        visitor.send(left, status=422)
        sentence = visitor.answer
        wrong = left
    elif broken == "other size":
        job = visitor.send(left, write_view(wrong, size=(40, 48)))
        sentence = visitor.wait(job)["error"]
    else:
        wrong = left
        state = visitor.wait(visitor.send(left, left))
        assert state["state"] == "done"  # two files of the same content may be two views
        return
    assert wrong.name in sentence
    assert str(app.folder) not in sentence


def test_limits_of_bytes_pixels_and_queue(
    visitor: Visitor, app: RunningApp, views: tuple[Path, Path], tmp_path: Path
) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(b"x" * 1_000_001)
    visitor.send(large, status=413)
    assert "large.png is larger than 1 MB" in visitor.answer
    wide = write_view(tmp_path / "wide.png", size=(16, 20_000), bits=8)
    visitor.send(views[0], wide, status=422)
    assert "wide.png claims 20000 x 16 px" in visitor.answer
    names = {"model": "nano", "left": "a.png", "right": "b.png"}
    jobs = [
        visitor.json("POST", "/jobs", names, status=201)["id"] for _ in range(3)
    ]  # one is left of large.png
    assert "4 pictures are waiting" in visitor.json("POST", "/jobs", names, status=503)["error"]
    for job in jobs:
        visitor.json("DELETE", f"/jobs/{job}")
    visitor.json("POST", "/jobs", names, status=201)


def test_a_body_without_a_length_ends_at_the_limit(visitor: Visitor, app: RunningApp) -> None:
    job = visitor.json("POST", "/jobs", {"model": "nano", "left": "a.png", "right": "b.png"}, status=201)[
        "id"
    ]
    before = app.files()
    status, _, content = visitor.ask("PUT", f"/jobs/{job}/left", iter([b"x" * 500_000] * 3))
    assert status == 413
    assert b"a.png is larger than 1 MB" in content
    assert app.files() == before


def test_two_visitors_do_not_see_each_other(
    visitor: Visitor, app: RunningApp, views: tuple[Path, Path]
) -> None:
    job = visitor.send(*views)
    visitor.wait(job)
    other = Visitor(app)
    nobody = Visitor(app)
    nobody.token = "x" * 32
    for path in (job, f"{job}/after", f"{job}/before", f"{job}/picture.png", f"{job}/picture.tiff"):
        visitor.get(path)
        other.get(path, status=404)
        nobody.get(path, status=401)
    assert other.ask("PUT", f"{job}/left", b"x")[0] == 404
    assert other.ask("DELETE", job)[0] == 200  # as if it were not there
    assert visitor.json("GET", job)["state"] == "done"


def test_who_leaves_takes_everything_along(app: RunningApp, views: tuple[Path, Path]) -> None:
    before = app.files()
    visitor = Visitor(app)
    visitor.wait(visitor.send(*views))
    visitor.json("POST", "/jobs", {"model": "nano", "left": "a.png", "right": "b.png"}, status=201)
    assert len(app.files()) > len(before)
    visitor.json("DELETE", "/visitors")
    assert app.files() == before
    assert visitor.ask("GET", "/visitors")[0] == 401


def test_a_canceled_capture_leaves_the_queue_and_the_disk(app: RunningApp, tmp_path: Path) -> None:
    before = app.files()
    visitor = Visitor(app)
    large = [write_view(tmp_path / f"{side}.png", size=(400, 400), bits=8) for side in ("left", "right")]
    first, second = (visitor.send(*large, model="compact") for _ in range(2))
    assert "Waiting" in visitor.json("GET", second)["stage"]
    visitor.json("DELETE", second)
    visitor.json("DELETE", first)
    visitor.get(first, status=404)
    for _ in range(200):  # until its tile ends
        if app.files() == before:
            break
        time.sleep(0.05)
    assert app.files() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_server_leaves_nothing(
    start: Callable[..., RunningApp], tmp_path: Path, number: int
) -> None:
    app = start()
    visitor = Visitor(app)
    large = [write_view(tmp_path / f"{side}.png", size=(300, 300), bits=8) for side in ("left", "right")]
    visitor.send(*large)
    assert app.files()
    code, error = app.stop(number)
    assert code == 0
    assert [*app.folder.iterdir()] == []
    assert "Traceback" not in error


def test_what_a_killed_server_left_is_deleted_by_the_next(
    start: Callable[..., Any], views: tuple[Path, Path]
) -> None:
    from dpanet.app.temporary_folder import TemporaryFolder

    app = start()
    Visitor(app).send(*views)
    with TemporaryFolder(app.folder):
        assert len([*app.folder.iterdir()]) == 2  # that of a living server stays
    app.stop(signal.SIGKILL)
    assert app.files()
    with TemporaryFolder(app.folder):
        pass
    assert [*app.folder.iterdir()] == []
