"""Make the pictures in docs/pictures: python -m tools.docs_pictures.

All are made from the pair of `dpanet demo` and from pairs that are simulated here, by the model that ships, in
float32.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from skimage.data import coffee

from dpanet import Deblurrer
from dpanet.files.output import atomic_output
from dpanet.images.defocus_map import COLORS
from dpanet.images.demo_pair import read_demo_pair
from tools.control_pictures import show_kept_background, show_strengths
from tools.room_diagram import draw_rooms
from tools.simulated_pairs import draw_print, font, simulate_slope

FOLDER = Path(__file__).parents[1] / "docs/pictures"

WIDTH = 688
"""Pixels: as wide as the text of the site, so that pictures are seen at 100 %."""

GAP = 8
"""Pixels between panels."""

CAPTION, LETTERS = 30, 17
"""Height of the captions below the panels, and of their letters, px."""

PAPER, INK = (255, 255, 255), (40, 40, 40)

Panel = tuple[str, NDArray[np.floating] | NDArray[np.uint8]]


def main() -> None:
    """Make all pictures, or those named on the command line."""
    names = sys.argv[1:] or [*PICTURES]
    FOLDER.mkdir(exist_ok=True)
    for name in names:
        PICTURES[name]()
        print(FOLDER / name)


def make_before_after() -> None:
    """Show the demo's pair at 100 %: the ordinary photograph, and the output."""
    pair, _ = read_demo_pair()
    after = _deblurrer()(pair).pixels
    place = np.s_[10:430, 90:430]
    panels = [("before", pair.combined.pixels[place]), ("after", after[place])]
    save(join(panels), "before-after.webp")


def make_closer() -> None:
    """Show two places of the demo's pair twice as large, with the truth."""
    pair, truth = read_demo_pair()
    after = _deblurrer()(pair).pixels
    rows = []
    for place in (np.s_[62:174, 165:277], np.s_[330:442, 115:227]):
        pictures = (pair.combined.pixels, after, truth.pixels)
        names = ("before", "after", "truth")
        rows.append([(name, enlarge(pixels[place], 2)) for name, pixels in zip(names, pictures, strict=True)])
    save(stack([join(row) for row in rows]), "closer.webp")


def make_two_views() -> None:
    """Show both views of the demo's pair, and where they differ."""
    pair, _ = read_demo_pair()
    place = np.s_[340:500, 270:494]
    difference = 0.5 + (pair.right - pair.left).mean(axis=2, keepdims=True).repeat(3, 2)
    panels = [
        ("left view", pair.left[place]),
        ("right view", pair.right[place]),
        ("right - left", difference[place]),
    ]
    save(join(panels), "two-views.webp")


def make_defocus_map() -> None:
    """Show a slanted table that is in focus in its middle: before, after, the map and its truth."""
    pair, _, radius = simulate_slope(coffee(), first=8.0, last=-5.0)
    picture, found = _deblurrer().with_defocus_map(pair)
    span = 8.0
    place = np.s_[20:320, 130:470]
    top = join([("before", pair.combined.pixels[place]), ("after", picture.pixels[place])])
    maps = [("defocus map of the network", found), ("true blur radius", radius)]
    bottom = join([(name, colored(map_, span)[place]) for name, map_ in maps])
    save(stack([top, bottom, color_scale(WIDTH, span)]), "defocus-map.webp")


def make_print() -> None:
    """Show print of two sizes under heavy blur: large letters come back, small ones do not."""
    rows = []
    for size, place in ((22, np.s_[6:70, 12:236]), (12, np.s_[6:70, 8:232])):
        pair, truth, _ = simulate_slope(draw_print(size=size), first=7.0, last=7.0)
        pictures = (pair.combined.pixels, _deblurrer()(pair).pixels, truth)
        names = (f"before; letters of {size} px", "after", "truth")
        rows.append([(name, pixels[place]) for name, pixels in zip(names, pictures, strict=True)])
    save(stack([join(row) for row in rows]), "print.webp")


def make_failures() -> None:
    """Show what goes wrong: a face, small print, and a blur of 24 px at full size and at smaller ones."""
    deblur = _deblurrer()
    demo, demo_truth = read_demo_pair()
    small, small_truth, _ = simulate_slope(draw_print(size=12), first=7.0, last=7.0)
    large, large_truth, _ = simulate_slope(coffee(), first=24.0, last=24.0)
    rows = []
    for pair, truth, place, times in (
        (demo, demo_truth.pixels, np.s_[62:174, 165:277], 2),
        (small, small_truth, np.s_[6:70, 8:232], 1),
        (large, large_truth, np.s_[60:210, 180:404], 1),
    ):
        pictures = (pair.combined.pixels, deblur(pair).pixels, truth)
        names = ("before", "after", "truth")
        rows.append(
            [(name, enlarge(pixels[place], times)) for name, pixels in zip(names, pictures, strict=True)]
        )
    save(stack([join(row) for row in rows]), "failures.webp")


def make_strengths() -> None:
    """Show a part of the demo's pair at four strengths."""
    save(join(show_strengths(_deblurrer())), "strengths.webp")


def make_keep_background() -> None:
    """Show a sheet before a cup: before, all sharpened, only what is less than 4 px out of focus."""
    save(join(show_kept_background(_deblurrer())), "keep-background.webp")


def make_rooms() -> None:
    """Draw the folders of the package and what imports what."""
    with atomic_output(FOLDER / "rooms.svg", overwrite=True) as unfinished:
        unfinished.write_text(draw_rooms(), encoding="utf-8")


def _deblurrer() -> Deblurrer:
    return Deblurrer("compact", engine="torch", device="cpu", precision="float32")


def join(panels: Sequence[Panel]) -> Image.Image:
    """Put panels of one height side by side, each with its caption below."""
    images = [_to_image(pixels) for _, pixels in panels]
    width = sum(image.width for image in images) + GAP * (len(images) - 1)
    sheet = Image.new("RGB", (width, images[0].height + CAPTION), PAPER)
    draw = ImageDraw.Draw(sheet)
    left = 0
    for (caption, _), image in zip(panels, images, strict=True):
        sheet.paste(image, (left, 0))
        draw.text((left + 4, image.height + 5), caption, INK, font("DejaVuSans", LETTERS))
        left += image.width + GAP
    return sheet


def stack(rows: Sequence[Image.Image]) -> Image.Image:
    """Put rows below one another."""
    sheet = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)), PAPER)
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet


def enlarge(pixels: NDArray[np.floating], times: int) -> NDArray[np.uint8]:
    """Enlarge (h, w, 3) so that single pixels can be seen."""
    image = _to_image(pixels)
    return np.asarray(image.resize((image.width * times, image.height * times), Image.Resampling.BICUBIC))


def colored(radius: NDArray[np.float32], span: float) -> NDArray[np.floating]:
    """Return the colors of a defocus map, (H, W, 3): blue before the focal plane, red behind it."""
    place = np.clip(radius / span, -1, 1)
    stops = np.linspace(-1, 1, len(COLORS))
    return np.stack([np.interp(place, stops, COLORS[:, channel]) for channel in range(3)], axis=-1)


def color_scale(width: int, span: float) -> Image.Image:
    """Draw the scale of the colors, with blur radii in px."""
    bar, margin = 18, 80
    sheet = Image.new("RGB", (width, bar + CAPTION + 8), PAPER)
    line = np.linspace(-span, span, width - 2 * margin, dtype=np.float32)
    sheet.paste(_to_image(colored(np.broadcast_to(line, (bar, len(line))), span)), (margin, 8))
    draw = ImageDraw.Draw(sheet)
    for value in np.linspace(-span, span, 5):
        x = margin + (value + span) / (2 * span) * len(line)
        note = {-span: " in front", 0.0: " in focus", span: " behind"}.get(float(value), "")
        text = f"{value:+.0f} px{note}" if value else f"0 px{note}"
        draw.text((x, bar + 11), text, INK, font("DejaVuSans", LETTERS), anchor="ma")
    return sheet


def save(image: Image.Image, name: str) -> None:
    """Write an image as WebP, small, without artifacts that show at 100 %."""
    with atomic_output(FOLDER / name, overwrite=True) as unfinished:
        image.save(unfinished, format="WEBP", quality=93, method=6)


def _to_image(pixels: NDArray[np.floating] | NDArray[np.uint8]) -> Image.Image:
    if pixels.dtype == np.uint8:
        return Image.fromarray(np.ascontiguousarray(pixels))
    return Image.fromarray(np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8))


PICTURES: dict[str, Callable[[], None]] = {
    "before-after.webp": make_before_after,
    "closer.webp": make_closer,
    "two-views.webp": make_two_views,
    "defocus-map.webp": make_defocus_map,
    "print.webp": make_print,
    "failures.webp": make_failures,
    "strengths.webp": make_strengths,
    "keep-background.webp": make_keep_background,
    "rooms.svg": make_rooms,
}

if __name__ == "__main__":
    main()
