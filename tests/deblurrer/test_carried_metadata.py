"""What a deblurred picture takes over: metadata, and the pixels that stay as they were."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from torch import Tensor, nn

from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.errors import ImageWarning, PairError
from dpanet.images.encoding import srgb_to_linear
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair

RNG = np.random.default_rng(3)


class Black(nn.Module):
    """A network whose picture is black."""

    description = Description(multiple_of=8, halo=8)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return left * 0


CHRM = b"".join(value.to_bytes(4, "big") for value in (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))
CHUNKS = (
    (b"gAMA", (45455).to_bytes(4, "big")),
    (b"cHRM", CHRM),
    (b"sRGB", b"\0"),
    (b"sBIT", b"\5\5\5"),
    (b"cICP", b"\x0c\x0d\0\1"),
)
METADATA: dict[str, Any] = {
    "bits": 16,
    "gray": False,
    "alpha": np.zeros((64, 48), np.uint16),
    "icc": b"profile",
    "exif": b"II*\0",
    "xmp": b"<x/>",
    "iptc": b"\x1c\2",
    "resolution": (300.0, 150.0),
    "png": CHUNKS,
}


def pair(**metadata: Any) -> DualPixelPair:
    return DualPixelPair(*RNG.random((2, 64, 48, 3)).astype(np.float32), "srgb", metadata)


def test_all_metadata_are_kept_in_the_same_encoding() -> None:
    carried = Deblurrer(Black(), device="cpu")(pair(**METADATA)).metadata
    assert carried.keys() == METADATA.keys()
    assert all(carried[key] is METADATA[key] for key in METADATA)


def test_nothing_states_the_old_encoding_in_another() -> None:
    given = pair(**METADATA)
    with pytest.warns(ImageWarning, match="assign a profile of its colors") as notes:
        carried = Deblurrer(Black(), device="cpu")(given, output_encoding="linear").metadata
    assert len(notes) == 1
    assert carried.keys() == METADATA.keys() - {"icc"}
    chunks = dict(carried["png"])
    assert chunks[b"gAMA"] == (100000).to_bytes(4, "big")
    assert chunks[b"cICP"] == b"\x0c\x08\0\1", "P3, linear"
    assert chunks[b"sBIT"] == b"\5\5\5"
    assert b"sRGB" not in chunks
    assert given.metadata == METADATA, "the pair's own are left alone"


def test_a_profile_keeps_its_colors_in_another_encoding() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    carried = Deblurrer(Black(), device="cpu")(pair(icc=profile), output_encoding="linear").metadata
    old, new = (ImageCms.ImageCmsProfile(io.BytesIO(data)) for data in (profile, carried["icc"]))
    np.testing.assert_allclose(new.profile.red_primary, old.profile.red_primary, atol=1e-3)
    light = ImageCms.profileToProfile(Image.new("RGB", (1, 1), (55, 55, 55)), new, old).getpixel((0, 0))
    np.testing.assert_allclose(light, 128, atol=1)  # 55 / 255 of the light of white is half of its code


def test_an_encoding_alone_is_changed_without_a_note() -> None:
    carried = Deblurrer(Black(), device="cpu")(
        pair(png=CHUNKS[:1], bits=8), output_encoding="linear"
    ).metadata
    assert dict(carried["png"])[b"gAMA"] == (100000).to_bytes(4, "big")  # a warning would fail this test


@pytest.mark.parametrize("tile", [0, 40])
@pytest.mark.parametrize("encoding", ["srgb", "linear"])
def test_pixels_to_keep_are_the_combined_view_and_lead_over(tile: int, encoding: Any) -> None:
    mask = np.zeros((64, 48), np.uint8)
    mask[30:40, 20:30], mask[0, 0], mask[-1] = 255, 1, 1
    given = pair(keep=mask, bits=16)
    picture = Deblurrer(Black(), tile=tile, device="cpu")(given, output_encoding=encoding)
    combined = given.combined.pixels if encoding == "srgb" else srgb_to_linear(given.combined.pixels)
    np.testing.assert_array_equal(picture.pixels[mask != 0], combined[mask != 0])
    share = picture.pixels / combined
    for distance, expected in enumerate((1, 0.75, 0.5, 0.25, 0, 0)):
        np.testing.assert_allclose(share[35, 29 + distance], expected, atol=1e-5)
        np.testing.assert_allclose(share[30 - distance, 20 - distance], expected, atol=1e-5)
    assert picture.metadata["bits"] == 16
    assert "keep" not in picture.metadata


def test_a_tall_mask_is_blended_alike_in_every_row() -> None:
    mask = np.zeros((600, 32), bool)
    mask[:, 10] = True
    mask[250] = True
    views = np.ones((600, 32, 3), np.float32)
    shares = Deblurrer(Black(), device="cpu")(DualPixelPair(views, views, "srgb", {"keep": mask})).pixels[
        ..., 0
    ]
    np.testing.assert_allclose(shares[[100, 254, 255, 256, 500], 12], 0.5)
    np.testing.assert_allclose(shares[246:255, 25], [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0], atol=1e-6)


def test_weights_are_taken_as_they_are() -> None:
    weights = np.linspace(0, 1, 64 * 48, dtype=np.float32).reshape(64, 48)
    given = pair(keep=weights)
    picture = Deblurrer(Black(), device="cpu")(given)
    np.testing.assert_allclose(picture.pixels, given.combined.pixels * weights[..., None], atol=1e-6)
    np.testing.assert_array_equal(picture.pixels[-1, -1], given.combined.pixels[-1, -1])


def test_an_empty_mask_changes_nothing_and_a_wrong_one_is_refused() -> None:
    given = pair(keep=np.zeros((64, 48), bool))
    assert not Deblurrer(Black(), device="cpu")(given).pixels.any()
    with pytest.raises(PairError, match=r"mask of pixels to keep has shape \(48, 64\)"):
        Deblurrer(Black(), device="cpu")(pair(keep=np.zeros((48, 64), bool)))
