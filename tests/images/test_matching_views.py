from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from dpanet.containers.decoded_image import DecodedImage
from dpanet.errors import ImageWarning, PairError
from dpanet.images.matching_views import check_views
from dpanet.images.reading import read_pair

CODES = np.random.default_rng(5).integers(0, 256, (24, 40, 3), dtype=np.uint8)
VIEW = DecodedImage(Path("l.png"), CODES)


def profile(kind: str, **options: Any) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(kind, **options)).tobytes()


def exif(**values: Any) -> bytes:
    tags = Image.Exif()
    for tag, value in values.items():
        tags[int(tag[1:])] = value
    return tags.tobytes()[6:]


SRGB, XYZ = profile("sRGB"), profile("XYZ")


@pytest.mark.parametrize(
    ("left", "right", "says"),
    [
        ({"codes": CODES[:, 1:]}, {}, r"l\.png is 39 x 24 px and r\.png is 40 x 24 px; give the two views"),
        ({"exif": exif(t274=6)}, {}, r"l\.png is of EXIF orientation 6 and r\.png is of EXIF orientation 1;"),
        (
            {"codes": CODES.astype(np.uint16)},
            {},
            r"l\.png is 16-bit and r\.png is 8-bit; export both views at one",
        ),
        ({"codes": CODES.astype(np.float32)}, {}, r"l\.png is of float32 and r\.png is 8-bit"),
        ({"codes": CODES[..., 0]}, {}, r"l\.png is gray and r\.png is in color"),
        ({"icc": SRGB}, {}, r'l\.png is with the profile "sRGB.*" and r\.png is with no profile; export'),
        ({"icc": SRGB}, {"icc": XYZ}, r'the profile "sRGB.*" and r\.png is with the profile "XYZ.*"'),
        ({"icc": SRGB}, {"icc": SRGB + b"x"}, r'"sRGB.*" \([0-9a-f]{8}\) and .* "sRGB.*" \([0-9a-f]{8}\)'),
        ({"icc": bytes(200)}, {}, r"the profile [0-9a-f]{8} and r\.png is with no profile"),
        ({"encoding": "linear"}, {}, r"l\.png is encoded as linear and r\.png is encoded as srgb"),
        (
            {"png": ((b"gAMA", b"\0\0\xb1\x8f"),)},
            {"png": ((b"gAMA", b"\0\0\xd9\x03"),)},
            r"gAMA 0000b18f and .* gAMA 0000d903",
        ),
        (
            {"exif": exif(t271="Canon", t272="R5")},
            {"exif": exif(t271="Canon", t272="R6")},
            r"l\.png is of the camera Canon R5 and r\.png is of the camera Canon R6; give the two views",
        ),
    ],
)
def test_what_differs_is_said_with_both_values(
    left: dict[str, Any], right: dict[str, Any], says: str
) -> None:
    views = replace(VIEW, **left), replace(VIEW, path=Path("r.png"), **right)
    with pytest.raises(PairError, match=says):
        check_views(*views)
    with pytest.raises(PairError, match=r"^r\.png is .* l\.png is "):
        check_views(views[1], views[0])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({}, {}),
        ({"encoding": "srgb"}, {}),
        ({"exif": exif(t271="Canon")}, {}),
        ({"exif": exif(t271="Canon", t272="Canon R5")}, {"exif": exif(t271="CANON", t272="R5")}),
        (
            {"exif": exif(t271="NIKON CORPORATION", t272="NIKON D850")},
            {"exif": exif(t271="Nikon", t272="D850")},
        ),
        ({"exif": exif(t271="Canon", t272="Canon EOS R5")}, {"exif": exif(t272="EOS R5")}),
        ({"exif": exif(t271="Canon", t272="R5")}, {"exif": exif(t271="Canon")}),
        (
            {"icc": SRGB},
            {"icc": SRGB[:4] + b"ADBE" + SRGB[8:40] + b"APPL" + SRGB[44:80] + b"KODA" + SRGB[84:]},
        ),
        ({"exif": exif(t306="2020:01:01 00:00:00")}, {"exif": exif(t306="2020:01:01 00:00:09")}),
        ({"xmp": b"<x/>"}, {}),
        ({"icc": SRGB}, {"icc": SRGB[:24] + bytes(12) + SRGB[36:84] + bytes(16) + SRGB[100:]}),
        ({"png": ((b"sRGB", b"\0"),)}, {"png": ((b"gAMA", b"\0\0\xb1\x8f"),)}),
        ({"alpha": np.full((24, 40), 255, np.uint8)}, {}),
        ({}, {"alpha": np.full((24, 40), 255, np.uint8)}),
    ],
)
def test_what_may_differ(left: dict[str, Any], right: dict[str, Any]) -> None:
    check_views(replace(VIEW, **left), replace(VIEW, path=Path("r.png"), **right))


def write(path: Path, alpha: int | None) -> Path:
    image = Image.fromarray(CODES)
    if alpha is not None:
        channel = Image.new("L", (40, 24), 255)
        channel.putpixel((3, 4), alpha)
        image.putalpha(channel)
    image.save(path)
    return path


@pytest.mark.parametrize(
    ("left", "right", "says"),
    [
        (9, 9, r"l\.png has transparent pixels; their colors are used like all others"),
        (9, 8, r"l\.png and .*r\.png differ in their alpha channels; that of .*l\.png is carried over"),
        (9, 255, r"that of .*l\.png is carried over"),
        (9, None, r"that of .*l\.png is carried over"),
        (255, 9, r"that of .*l\.png is carried over"),
        (None, 9, r"l\.png has none, so that none is carried over"),
    ],
)
def test_alpha_of_the_left_view_is_carried_over_and_said_once(
    tmp_path: Path, left: int | None, right: int | None, says: str
) -> None:
    files = write(tmp_path / "l.png", left), write(tmp_path / "r.png", right)
    with pytest.warns(ImageWarning, match=says) as caught:
        pair = read_pair(*files)
    assert [one.message.once for one in caught] == ["alpha"]  # type: ignore[union-attr]
    np.testing.assert_array_equal(np.rint(pair.left * 255), CODES)
    alpha = pair.metadata.get("alpha")
    assert (alpha is None) == (left is None)
    assert alpha is None or alpha[4, 3] == left
