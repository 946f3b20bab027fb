"""Two-frame DNG files as converters write them, through LibRaw to developed views."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from camera_raw.dng_by_hand import BLACK, CFA, WHITE, camera_tags, frames_of, mosaic, write_dng

from dpanet.camera_raw.reading import read_raw_file
from dpanet.containers.exif import orientation, parse_exif
from dpanet.containers.raw_file import is_raw_file
from dpanet.errors import DpanetError, ImageWarning
from dpanet.images.encoding import srgb_to_linear

LAYOUTS = ("pages", "subifds", "samples")


@pytest.fixture
def views(scene) -> tuple[np.ndarray, np.ndarray]:
    """A part of the scene; a test may change it."""
    left, right = (view[:160, :240].copy() for view in scene)
    return left, right


def read(path: Path, **options: object):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_raw_file(path, **options)


def error_of(developed: np.ndarray, linear: np.ndarray) -> float:
    """Root mean square error in linear light; the borders are left out."""
    difference = srgb_to_linear(developed) - linear
    return float(np.sqrt((difference[8:-8, 8:-8] ** 2).mean()))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_views_are_developed_alike_and_in_their_places(views, layout: str, tmp_path: Path) -> None:
    left, right = views
    file = write_dng(tmp_path / "a.dng", frames_of(left, right), layout)
    assert is_raw_file(file)
    pair = read(file)
    assert pair.left.shape == left.shape and pair.encoding == "srgb"
    own = max(error_of(pair.left, left), error_of(pair.right, right))
    swapped = min(error_of(pair.left, right), error_of(pair.right, left))
    assert own < 0.015 and swapped > 1.5 * own  # what remains is the interpolation of colors
    for view, known in ((pair.left, left), (pair.right, right)):  # brightness and color of each view
        mean = srgb_to_linear(view)[8:-8, 8:-8].mean((0, 1))
        np.testing.assert_allclose(mean, known[8:-8, 8:-8].mean((0, 1)), rtol=0.02, atol=1e-3)
    assert pair.metadata["bits"] == 16 and pair.metadata["gray"] is False
    assert pair.metadata["camera"] == "Canon EOS 5D Mark IV"
    assert "keep" not in pair.metadata


@pytest.mark.parametrize("layout", LAYOUTS)
def test_black_levels_of_each_frame_and_place(views, layout: str, tmp_path: Path) -> None:
    left, right = views
    levels = np.array([[400, 450, 500, 550], [700, 650, 600, 750]])
    frames = frames_of(left, right, black=0)
    plain = read(write_dng(tmp_path / "a.dng", frames_of(left, right), layout))
    moved = []
    for frame, black in zip(frames, levels, strict=True):
        rows, columns = frame.shape
        moved.append(frame + np.tile(black.reshape(2, 2), (rows // 2, columns // 2)).astype(np.uint16))
    pair = read(write_dng(tmp_path / "b.dng", moved, layout, black=[tuple(row) for row in levels.tolist()]))
    for view, expected in ((pair.left, plain.left), (pair.right, plain.right)):
        ratio = srgb_to_linear(view).mean((0, 1)) / srgb_to_linear(expected).mean((0, 1))
        np.testing.assert_allclose(ratio, (WHITE - BLACK) / (WHITE - 400), rtol=3e-3)  # white lies higher


def test_no_brightness_depends_on_the_content(views, tmp_path: Path) -> None:
    """A view is developed the same whatever else the picture shows: the left halves of two pictures agree."""
    left, right = (view * 0.4 for view in views)
    brighter = [view.copy() for view in (left, right)]
    brighter[0][:20, 160:], brighter[1][:20, 160:] = 1.6, 0.2  # nearly white in one view alone
    one = read(write_dng(tmp_path / "a.dng", frames_of(left, right)))
    other = read(write_dng(tmp_path / "b.dng", frames_of(*brighter)))
    np.testing.assert_array_equal(one.left[:, :140], other.left[:, :140])
    np.testing.assert_array_equal(one.right[:, :140], other.right[:, :140])


def test_clipped_pixels_stay_as_the_ordinary_picture(views, tmp_path: Path) -> None:
    import rawpy

    left, right = (view.copy() for view in views)
    left[60:80, 100:140], right[60:80, 100:140] = 1.5, 1.3
    both, side = frames_of(left, right)
    file = write_dng(tmp_path / "a.dng", [both, side])
    with pytest.warns(
        ImageWarning, match=r"a\.dng is clipped to white in \d+\.\d % of its pixels"
    ) as remarks:
        pair = read_raw_file(file)
    assert len(remarks) == 1
    keep = pair.metadata["keep"]
    assert keep.shape == both.shape and keep.dtype == np.float32
    assert keep[62:78, 102:138].min() == 1 and keep[0].max() == keep[:, 0].max() == 0
    stays = keep == 1
    np.testing.assert_array_equal(pair.left[stays], pair.right[stays])
    with rawpy.imread(str(file)) as raw:  # LibRaw's own picture of the first frame
        ordinary = raw.postprocess(
            use_camera_wb=True,
            no_auto_bright=True,
            adjust_maximum_thr=0,
            gamma=(1, 1),
            output_bps=16,
            user_flip=0,
        )
    expected = ordinary[stays] / 65535
    error = np.abs(srgb_to_linear(pair.left)[stays] - expected)
    assert (
        error < 2e-3
    ).mean() > 0.98 and error.max() < 0.15  # the interpolation chooses another direction at edges
    np.testing.assert_allclose(pair.left[65:75, 110:130], 1, atol=1e-3)  # neutral white, not magenta


def test_a_sensor_that_is_full_below_the_stated_white_gives_neutral_white(views, tmp_path: Path) -> None:
    left, right = views
    slope = np.linspace(1.3, 1.9, 40, dtype=np.float32)[None, :, None]
    left[60:80, 100:140], right[60:80, 100:140] = slope, slope[:, ::-1]
    both, side = frames_of(left, right)
    with pytest.warns(ImageWarning, match="clipped to white"):
        pair = read_raw_file(write_dng(tmp_path / "a.dng", [np.minimum(both, 13000), side]))
    np.testing.assert_allclose(pair.left[64:76, 106:134], 1, atol=1e-3)
    np.testing.assert_array_equal(pair.metadata["keep"][62:78, 102:138], 1)


@pytest.mark.parametrize("turned", [1, 3, 6, 8])
def test_nothing_is_turned_and_the_orientation_is_kept(views, turned: int, tmp_path: Path) -> None:
    frames = frames_of(*views)
    upright = read(write_dng(tmp_path / "a.dng", frames))
    pair = read(write_dng(tmp_path / "b.dng", frames, orientation=turned))
    np.testing.assert_array_equal(pair.left, upright.left)
    assert orientation(pair.metadata["exif"]) == turned


def test_the_description_of_the_exposure_is_carried_over(views, tmp_path: Path) -> None:
    extra = [
        (306, "s", 0, "2026:11:26 04:00:00"),
        (315, "s", 0, "Ren\u00e9e".encode()),
        (33432, "s", 0, "mine"),
    ]
    pair = read(write_dng(tmp_path / "a.dng", frames_of(*views), "subifds", extra=extra))
    tags = {tag.number: tag.data.rstrip(b"\0") for tag in parse_exif(pair.metadata["exif"]).main}
    assert tags[271] == b"Canon" and tags[272] == b"Canon EOS 5D Mark IV"
    assert (tags[306], tags[315], tags[33432]) == (b"2026:11:26 04:00:00", "Ren\u00e9e".encode(), b"mine")
    assert not set(tags) & {256, 257, 262, 273, 330, 33422, 50706, 50717}  # storage of the raw file


def test_two_frames_of_equal_light_are_views_with_a_remark(views, tmp_path: Path) -> None:
    left, right = views
    codes = [(mosaic(view) * (WHITE - BLACK) + BLACK).astype(np.uint16) for view in views]
    with pytest.warns(ImageWarning, match="two frames of equal light"):
        pair = read_raw_file(write_dng(tmp_path / "a.dng", codes))
    assert max(error_of(pair.left, left), error_of(pair.right, right)) < 0.015


def test_the_maker_can_be_stated(views, tmp_path: Path) -> None:
    frames = frames_of(*views)
    pair = read(write_dng(tmp_path / "a.dng", frames, make="Acme", model="Box 1"), stated="canon")
    assert pair.metadata["camera"] == "Acme Box 1"
    canon = write_dng(tmp_path / "b.dng", frames)
    np.testing.assert_array_equal(pair.left, read(canon).left)
    exchanged = read(canon, stated="canon-right")
    np.testing.assert_array_equal(exchanged.left, pair.right)
    np.testing.assert_array_equal(exchanged.right, pair.left)


def _one(path: Path, frames: list[np.ndarray]) -> None:
    write_dng(path, frames[:1])


def _one_of_another(path: Path, frames: list[np.ndarray]) -> None:
    write_dng(path, frames[:1], make="NIKON CORPORATION", model="NIKON D850")


def _unknown(path: Path, frames: list[np.ndarray]) -> None:
    write_dng(path, frames, make="Acme", model="Box 1")


def _no_maker(path: Path, frames: list[np.ndarray]) -> None:
    write_dng(path, frames, make=None, model=None)


def _three(path: Path, frames: list[np.ndarray]) -> None:
    write_dng(path, [*frames, frames[1]])


def _same(path: Path, frames: list[np.ndarray]) -> None:
    write_dng(path, [frames[0], frames[0]])


def _exposures(path: Path, frames: list[np.ndarray]) -> None:
    write_dng(path, [frames[0], (BLACK + (frames[0].astype(int) - BLACK) // 16).astype(np.uint16)])


def _monochrome(path: Path, frames: list[np.ndarray]) -> None:
    import tifffile

    levels = [(50714, "H", 1, BLACK), (50717, "H", 1, WHITE)]
    with tifffile.TiffWriter(path) as file:
        for index, frame in enumerate(frames):
            tags = levels + (camera_tags() if index == 0 else [])
            file.write(frame, photometric="minisblack", extratags=tags, metadata=None, software=None)
    with tifffile.TiffFile(path, mode="r+") as file:
        for page in file.pages:
            page.tags[262].overwrite(34892)


def _xtrans(path: Path, frames: list[np.ndarray]) -> None:
    import tifffile

    rows = ("GGRGGB", "GGBGGR", "BRGRBG", "GGBGGR", "GGRGGB", "RBGBRG")
    pattern = bytes("RGB".index(color) for row in rows for color in row)
    cfa = [(33421, "H", 2, (6, 6)), (33422, "B", 36, pattern), (50714, "H", 1, BLACK), (50717, "H", 1, WHITE)]
    with tifffile.TiffWriter(path) as file:
        for index, frame in enumerate(frames):
            tags = cfa + (camera_tags("FUJIFILM", "X-T5") if index == 0 else [])
            file.write(frame, photometric=32803, subfiletype=0, extratags=tags, metadata=None, software=None)


def _linear(path: Path, frames: list[np.ndarray]) -> None:
    import tifffile

    color = np.repeat(frames[0][..., None], 3, 2)
    tifffile.imwrite(path, color, photometric=34892, extratags=camera_tags(), metadata=None, software=None)


def _plain_tiff(path: Path, frames: list[np.ndarray]) -> None:
    import tifffile

    tifffile.imwrite(path, frames[0])


def _empty(path: Path, frames: list[np.ndarray]) -> None:
    path.write_bytes(b"")


def _cr2_head(path: Path, frames: list[np.ndarray]) -> None:
    path.write_bytes(b"II*\0\x10\0\0\0CR\2\0" + bytes(500))


def _cr3_head(path: Path, frames: list[np.ndarray]) -> None:
    path.write_bytes(b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(500))


def _developed_twice(path: Path, frames: list[np.ndarray]) -> None:
    write_dng(path, frames, black=WHITE)


REFUSED = [
    (_one, "one frame, so Canon EOS 5D Mark IV took it with Dual Pixel RAW off"),
    (_one_of_another, "one frame .*NIKON D850"),
    (_unknown, "two frames, but is of Acme Box 1"),
    (_no_maker, "two frames, but is of"),
    (_three, "more than 2 frames"),
    (_same, "two frames are the same"),
    (_exposures, "times the light of the first"),
    (_monochrome, "monochrome"),
    (_xtrans, "color pattern of 6 x 6"),
    (_linear, "all colors at each pixel"),
    (_plain_tiff, "cannot be read as a raw file"),
    (_empty, "is empty"),
    (_cr2_head, "damaged"),
    (_cr3_head, "damaged"),
    (_developed_twice, "black level"),
]


@pytest.mark.parametrize(("write", "words"), REFUSED, ids=[write.__name__[1:] for write, _ in REFUSED])
def test_each_refusal_is_one_sentence(views, write, words: str, tmp_path: Path, capfd) -> None:
    write(tmp_path / "a.dng", frames_of(*views))
    with pytest.raises(DpanetError, match=rf"a\.dng.*{words}") as caught:
        read(tmp_path / "a.dng")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none.cr2", "does not exist"), (tmp_path, "is a folder")):
        with pytest.raises(DpanetError, match=words):
            read(path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_cut_file_is_refused_without_noise(views, layout: str, tmp_path: Path, capfd) -> None:
    data = write_dng(tmp_path / "a.dng", frames_of(*views), layout).read_bytes()
    for share in (0.05, 0.3, 0.5, 0.7, 0.95, 0.999):
        (tmp_path / "cut.dng").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(DpanetError) as caught:
            read(tmp_path / "cut.dng")
        assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_damaged_bytes_never_crash(views, tmp_path: Path, capfd) -> None:
    """Whatever byte is changed, the file is read or refused in one sentence."""
    rng = np.random.default_rng(0)
    data = write_dng(
        tmp_path / "a.dng", [frame[:32, :32] for frame in frames_of(*views)], "subifds"
    ).read_bytes()
    refused = 0
    for _ in range(100):
        changed = bytearray(data)
        for place in rng.integers(0, len(data), 4):
            changed[place if rng.random() < 0.2 else place % 1200] = rng.integers(256)
        (tmp_path / "b.dng").write_bytes(changed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                read_raw_file(tmp_path / "b.dng")
            except DpanetError as error:
                refused += 1
                assert "\n" not in str(error)
    assert 5 < refused < 100
    assert capfd.readouterr().err == ""


def test_pictures_are_no_raw_files(tmp_path: Path) -> None:
    import tifffile
    from PIL import Image

    tifffile.imwrite(tmp_path / "a.dng", np.zeros((20, 30), np.uint16))
    Image.new("RGB", (20, 30)).save(tmp_path / "b.jpg")
    Image.new("RGB", (20, 30)).save(tmp_path / "c.cr2", format="png")
    for path in (*tmp_path.iterdir(), tmp_path, tmp_path / "missing"):
        assert not is_raw_file(path), path
    with tifffile.TiffWriter(tmp_path / "d.nef") as file:  # no DNG: a preview, and sensor values in a SubIFD
        file.write(np.zeros((8, 8, 3), np.uint8), photometric="rgb", subifds=1)
        file.write(np.zeros((20, 30), np.uint16), photometric=32803, extratags=CFA)
    assert is_raw_file(tmp_path / "d.nef")
