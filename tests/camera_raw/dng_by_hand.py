"""Raw files that LibRaw opens, written with tifffile, and the frames of a sensor that sees known views."""

from pathlib import Path

import numpy as np
import tifffile

BLACK, WHITE = 512, 16383
GAINS = np.array([[2.0, 1.0], [1.0, 1.6]])
"""White balance at each place of the pattern red, green, green, blue: a sensor's red and blue are weaker."""

_XYZ_TO_SRGB = (
    3.2404542,
    -1.5371385,
    -0.4985314,
    -0.969266,
    1.8760108,
    0.041556,
    0.0556434,
    -0.2040259,
    1.0572252,
)
"""A sensor with the colors of sRGB, so that a developed view is the view it was made of."""

CFA = [(33421, "H", 2, (2, 2)), (33422, "B", 4, bytes([0, 1, 1, 2]))]


def camera_tags(
    make: str | None = "Canon", model: str | None = "Canon EOS 5D Mark IV", orientation: int | None = 1
):
    """Return the tags of IFD0."""
    rational = [number for value in _XYZ_TO_SRGB for number in (round(value * 10000), 10000)]
    tags = [
        (50706, "B", 4, bytes([1, 4, 0, 0])),
        (50708, "s", 0, model or "unknown"),
        (50721, "2i", 9, rational),
        (50728, "2I", 3, (1, 2, 1, 1, 10, 16)),
        (50778, "H", 1, 21),
    ]
    tags += [(271, "s", 0, make)] if make else []
    tags += [(272, "s", 0, model)] if model else []
    return tags + ([(274, "H", 1, orientation)] if orientation else [])


def write_dng(
    path: Path,
    frames: list[np.ndarray],
    layout: str = "pages",
    black: int | list[tuple[int, ...]] = BLACK,
    extra: list[tuple] | None = None,
    **camera: object,
) -> Path:
    """Write frames as pages, as SubIFDs behind a preview, or as the samples of each pixel.

    `black` is one code, or a list with the four codes of each frame's places.
    """
    first = camera_tags(**camera) + (extra or [])
    white = [(50717, "H", 1, WHITE)]
    blacks = [
        [(50714, "H", 1, black)]
        if isinstance(black, int)
        else [(50713, "H", 2, (2, 2)), (50714, "H", 4, black[i])]
        for i in range(len(frames))
    ]
    plain = {"metadata": None, "software": None}
    if layout == "samples":
        spread = (black,) * 2 if isinstance(black, int) else tuple(np.stack(black, 1).ravel().tolist())
        repeat = [] if isinstance(black, int) else [(50713, "H", 2, (2, 2))]
        tags = [*first, *CFA, (50714, "H", len(spread), spread), (50717, "H", 2, (WHITE,) * 2), *repeat]
        with tifffile.TiffWriter(path) as file:
            file.write(
                np.stack(frames, -1), photometric="minisblack", planarconfig="contig", extrasamples=(0,),
                extratags=tags, **plain,
            )  # fmt: skip
        with tifffile.TiffFile(path, mode="r+") as file:
            file.pages[0].tags[262].overwrite(32803)
        return path
    with tifffile.TiffWriter(path) as file:
        if layout == "subifds":
            preview = np.full((24, 32, 3), 90, np.uint8)
            file.write(
                preview, photometric="rgb", subifds=len(frames), subfiletype=1, extratags=first, **plain
            )
        for index, frame in enumerate(frames):
            tags = CFA + blacks[index] + white + (first if layout == "pages" and index == 0 else [])
            file.write(frame, photometric=32803, subfiletype=0, extratags=tags, **plain)
    return path


def mosaic(view: np.ndarray) -> np.ndarray:
    """Sample a linear view, H x W x 3, through the pattern: float, 1.0 = the sensor's largest reading for green."""
    out = np.empty(view.shape[:2])
    for y, x, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        out[y::2, x::2] = view[y::2, x::2, channel] / GAINS[y, x]
    return out


def frames_of(
    left: np.ndarray, right: np.ndarray, noise: int | None = None, black: int = BLACK
) -> list[np.ndarray]:
    """Record linear views as a camera does: both halves together (clipped at white), and the left half alone.

    Each half records half of the light. `noise` is the seed of photon noise, one electron a code; None for none.
    """
    span = WHITE - BLACK
    light = [mosaic(view) * span / 2 for view in (left, right)]
    if noise is not None:
        rng = np.random.default_rng(noise)
        light = [rng.poisson(np.maximum(part, 0)).astype(float) for part in light]
    first, second = (np.rint(part) for part in light)
    both = np.minimum(first + second, span) + black
    return [both.astype(np.uint16), (np.minimum(first, span) + black).astype(np.uint16)]
