import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from dpanet.errors import ImageWarning, PairError, UnreadableImageError
from dpanet.images.reading import read_codes, read_pair, read_picture

RNG = np.random.default_rng(5)


def codes(kind: type, channels: int = 3, size: tuple[int, int] = (24, 40)) -> np.ndarray:
    shape = size if channels == 1 else (*size, channels)
    return RNG.integers(0, np.iinfo(kind).max, shape, dtype=kind, endpoint=True)


def write(path: Path, values: np.ndarray, **options: object) -> Path:
    if path.suffix == ".png":
        shown = values if values.ndim == 2 else values[..., [2, 1, 0, 3][: values.shape[2]]]
        assert cv2.imwrite(str(path), np.ascontiguousarray(shown))
    else:
        kind = "minisblack" if values.ndim == 2 else "rgb"
        tifffile.imwrite(path, values, **{"photometric": kind, **options})
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_codes_are_exact(tmp_path: Path, suffix: str, kind: type, channels: int) -> None:
    values = codes(kind, channels)
    read = read_codes(write(tmp_path / f"a{suffix}", values))
    assert read.dtype == kind
    np.testing.assert_array_equal(read, values)
    picture = read_picture(tmp_path / f"a{suffix}", "linear")
    expected = values.astype(np.float64) / np.iinfo(kind).max
    np.testing.assert_allclose(
        picture.pixels, expected if channels == 3 else expected[..., None] + [0] * 3, atol=1e-7
    )
    assert picture.encoding == "linear"
    assert (picture.metadata["bits"], picture.metadata["gray"]) == (
        np.dtype(kind).itemsize * 8,
        channels == 1,
    )


def test_the_format_is_told_by_content_not_name(tmp_path: Path) -> None:
    values = codes(np.uint16)
    write(tmp_path / "a.png", values).rename(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_codes(tmp_path / "a.tif"), values)


@pytest.mark.parametrize(
    "options", [{"planarconfig": "separate"}, {"byteorder": ">"}, {"bigtiff": True}, {"tile": (16, 16)}]
)
def test_kinds_of_tiff(tmp_path: Path, options: dict[str, object]) -> None:
    values = codes(np.uint16)
    given = np.moveaxis(values, -1, 0) if "planarconfig" in options else values
    np.testing.assert_array_equal(read_codes(write(tmp_path / "a.tif", given, **options)), values)


def test_gray_tiff_whose_white_is_zero_is_turned_round(tmp_path: Path) -> None:
    values = codes(np.uint16, 1)
    np.testing.assert_array_equal(
        read_codes(write(tmp_path / "a.tif", values, photometric="miniswhite")), 65535 - values
    )


def test_tiff_compressed_as_photoshop_does(tmp_path: Path) -> None:
    values = codes(np.uint8)
    Image.fromarray(values).save(tmp_path / "a.tif", compression="tiff_lzw")
    np.testing.assert_array_equal(read_codes(tmp_path / "a.tif"), values)
    deep = codes(np.uint16)
    assert cv2.imwrite(str(tmp_path / "b.tif"), deep[..., ::-1])
    np.testing.assert_array_equal(read_codes(tmp_path / "b.tif"), deep)
    assert cv2.imwrite(str(tmp_path / "c.tif"), (deep / np.float32(9)).astype(np.float32)[..., ::-1])
    np.testing.assert_array_equal(read_codes(tmp_path / "c.tif"), (deep / np.float32(9)).astype(np.float32))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_float_tiff(tmp_path: Path, kind: type) -> None:
    values = RNG.random((24, 40, 3)).astype(kind) * 2
    picture = read_picture(write(tmp_path / "a.tif", values), "linear")
    np.testing.assert_array_equal(picture.pixels, values.astype(np.float32))
    assert picture.metadata["bits"] == 32


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused_by_name(tmp_path: Path, wrong: float) -> None:
    values = np.ones((24, 40, 3), np.float32)
    values[20, 30, 1] = wrong
    with pytest.raises(PairError, match=r"a\.tif contains NaN or infinity"):
        read_picture(write(tmp_path / "a.tif", values))


def test_jpeg_with_profile_and_exif(tmp_path: Path) -> None:
    values = np.repeat(np.repeat(codes(np.uint8, 3, (3, 5)), 8, 0), 8, 1)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2020:01:02 03:04:05"
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(values).save(tmp_path / "a.jpg", quality=95, exif=exif, icc_profile=icc)
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.pixels.shape == (24, 40, 3), "the orientation is carried along, not applied"
    assert picture.metadata["icc"] == icc
    again = Image.Exif()
    again.load(picture.metadata["exif"])
    assert again[0x0112] == 6
    assert again.get_ifd(0x8769)[0x9003] == "2020:01:02 03:04:05"


def test_palette_png_becomes_rgb(tmp_path: Path) -> None:
    image = Image.new("P", (40, 24), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    image.save(tmp_path / "a.png")
    assert (read_codes(tmp_path / "a.png") == (200, 100, 50)).all()


def test_alpha_is_kept_apart_and_transparency_is_said_once(tmp_path: Path) -> None:
    values = codes(np.uint16, 4)
    values[..., 3] = 65535
    picture = read_picture(write(tmp_path / "a.png", values))
    np.testing.assert_allclose(picture.pixels, values[..., :3] / 65535, atol=1e-7)
    values[3, 4, 3] = 65534
    with pytest.warns(ImageWarning, match=r"a\.png has transparent pixels"):
        picture = read_picture(write(tmp_path / "a.png", values))
    np.testing.assert_allclose(picture.pixels, values[..., :3] / 65535, atol=1e-7)
    np.testing.assert_array_equal(picture.metadata["alpha"], values[..., 3])


def test_floats_above_white_survive(tmp_path: Path) -> None:
    values = np.full((24, 40, 3), 0.5, np.float32)
    values[3, 4] = 60000, -0.25, 1.5
    np.testing.assert_array_equal(read_picture(write(tmp_path / "a.tif", values), "linear").pixels, values)
    with pytest.raises(PairError, match="NaN or infinity"):
        read_picture(write(tmp_path / "a.tif", values.astype(np.float64) * 1e300), "linear")


def test_the_encoding_that_a_file_states(tmp_path: Path) -> None:
    done, data = cv2.imencode(".png", codes(np.uint8))
    assert done
    gamma = b"gAMA" + (100000).to_bytes(4, "big")
    chunk = (4).to_bytes(4, "big") + gamma + zlib.crc32(gamma).to_bytes(4, "big")
    for name in ("l.png", "r.png"):
        (tmp_path / name).write_bytes(data[:33].tobytes() + chunk + data[33:].tobytes())
    left, right = tmp_path / "l.png", tmp_path / "r.png"
    assert (read_picture(left).encoding, read_pair(left, right).encoding) == ("linear", "linear")
    assert read_pair(left, right, "linear").encoding == "linear"
    for read in (lambda: read_picture(left, "srgb"), lambda: read_pair(left, right, "srgb")):
        with pytest.warns(ImageWarning, match=r"l\.png states that its values are linear; .* as srgb"):
            assert read().encoding == "srgb"


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.97, 0.999])
@pytest.mark.parametrize("name", ["a.png", "g.png", "a.tif", "z.tif", "l.tif", "s.tif", "a.jpg", "a.webp"])
def test_truncated_files_are_named(
    tmp_path: Path, name: str, share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    values = codes(np.uint8, 3, (64, 80))
    if name in ("a.jpg", "a.webp"):
        Image.fromarray(values).save(path, quality=90)
    elif name == "l.tif":
        Image.fromarray(values).save(path, compression="tiff_lzw")
    elif name == "z.tif":
        write(path, values, compression="deflate")
    elif name == "s.tif":
        write(path, values, rowsperstrip=4)
    else:
        write(path, values if name[0] == "a" else values[..., 0])
    read_codes(path)
    with pytest.raises(UnreadableImageError, match=name.replace(".", r"\.")):
        read_codes(cut(path, share))
    assert capfd.readouterr() == ("", ""), "the decoders stay quiet; the error says it"


def test_a_png_with_a_wrong_checksum_or_no_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", codes(np.uint16))
    data = bytearray(path.read_bytes())
    path.write_bytes(data[:-12])
    with pytest.raises(UnreadableImageError, match="no end"):
        read_codes(path)
    data[200] ^= 1
    path.write_bytes(data)
    with pytest.raises(UnreadableImageError, match="damaged"):
        read_codes(path)


def test_a_png_with_sound_chunks_around_nonsense(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", codes(np.uint16))
    data = path.read_bytes()
    at = data.index(b"IDAT")
    length = int.from_bytes(data[at - 4 : at], "big")
    body = b"IDAT" + bytes(length)
    path.write_bytes(data[:at] + body + zlib.crc32(body).to_bytes(4, "big") + data[at + 8 + length :])
    with pytest.raises(UnreadableImageError, match="damaged"):
        read_codes(path)


def test_missing_empty_folder_and_no_picture(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError, match=r"gone\.png does not exist"):
        read_codes(tmp_path / "gone.png")
    (tmp_path / "empty.png").touch()
    with pytest.raises(UnreadableImageError, match=r"empty\.png is empty"):
        read_codes(tmp_path / "empty.png")
    (tmp_path / "text.png").write_text("not a picture at all")
    with pytest.raises(UnreadableImageError, match=r"text\.png is a text"):
        read_codes(tmp_path / "text.png")
    with pytest.raises(UnreadableImageError, match="is a folder"):
        read_codes(tmp_path)


def test_under_16_px(tmp_path: Path) -> None:
    with pytest.raises(PairError, match=r"a\.png is 15 x 40 px; at least 16"):
        read_picture(write(tmp_path / "a.png", codes(np.uint8, 3, (40, 15))))


def test_a_pair_and_its_metadata(tmp_path: Path) -> None:
    left, right = codes(np.uint16, 1), codes(np.uint16, 1)
    pair = read_pair(write(tmp_path / "l.png", left), write(tmp_path / "r.tif", right))
    np.testing.assert_array_equal(np.rint(pair.left[..., 1] * 65535), left)
    np.testing.assert_array_equal(np.rint(pair.right[..., 2] * 65535), right)
    assert (pair.encoding, pair.metadata) == ("srgb", {"bits": 16, "gray": True})
    assert read_pair(tmp_path / "l.png", tmp_path / "r.tif", "linear").encoding == "linear"


def test_one_file_for_both_views(tmp_path: Path) -> None:
    path = write(tmp_path / "l.png", codes(np.uint8))
    with pytest.raises(PairError, match="both views"):
        read_pair(path, tmp_path / "." / "l.png")
