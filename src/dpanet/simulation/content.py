"""The content of random scenes: crops of photographs, printed pages, bright points and the masks of layers."""

from __future__ import annotations

import string
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor


def _list_fonts() -> list[Path]:
    """List the DejaVu fonts that come with Matplotlib."""
    matplotlib = find_spec("matplotlib")  # not imported: it would create a folder in the user's home
    assert matplotlib is not None and matplotlib.origin is not None
    return sorted((Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf").glob("DejaVu*.ttf"))


def _random_words(rng: Generator, count: int) -> str:
    """Return `count` random words of 1 to 10 letters, digits and signs."""
    letters = np.array(
        list(string.ascii_lowercase * 3 + string.ascii_uppercase + string.digits + ".,:;-&%$#()/")
    )
    return " ".join("".join(rng.choice(letters, rng.integers(1, 11))) for _ in range(count))


def _random_paper_and_ink(rng: Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Draw RGB colors of paper and ink that differ clearly; often dark on light, sometimes colored or reversed."""
    if rng.random() < 0.5:
        paper, ink = rng.integers(170, 256, 3), rng.integers(0, 80, 3)
    else:
        paper, ink = rng.integers(0, 256, 3), rng.integers(0, 256, 3)
        while abs(int(paper.sum()) - int(ink.sum())) < 150:
            ink = rng.integers(0, 256, 3)
    if rng.random() < 0.3:
        paper, ink = ink, paper
    return tuple(int(v) for v in paper), tuple(int(v) for v in ink)


def draw_printed_page(rng: Generator, size: int = 640) -> Tensor:
    """Draw a page of random words in many sizes and line art, (3, size, size) uint8, display-encoded."""
    paper, ink = _random_paper_and_ink(rng)
    image = Image.new("RGB", (size, size), paper)
    draw = ImageDraw.Draw(image)
    fonts = _list_fonts()
    y = 0
    while y < size:
        if rng.random() < 0.12:
            y = _draw_figure(rng, draw, size, y)
            continue
        height = int(np.exp(rng.uniform(np.log(9), np.log(64))))
        font = ImageFont.truetype(str(rng.choice(np.array(fonts))), height)
        fill = ink if rng.random() < 0.8 else _random_paper_and_ink(rng)[1]
        for _ in range(int(rng.integers(1, 6))):
            draw.text(
                (int(rng.integers(-20, 30)), y),
                _random_words(rng, 1 + 900 // (height * 5)),
                font=font,
                fill=fill,
            )
            y += int(height * rng.uniform(1.05, 1.6))
    if rng.random() < 0.5:
        image = image.rotate(float(rng.normal(0, 8)), Image.Resampling.BICUBIC, fillcolor=paper)
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).contiguous()


def _draw_figure(rng: Generator, draw: Any, size: int, y: int) -> int:
    """Draw line art across a page from row `y` down; return the first row below it."""
    height = int(rng.integers(20, 120))
    color = _random_paper_and_ink(rng)[1]
    kind = rng.integers(0, 4)
    if kind == 0:  # a bar code
        x = 0
        while x < size:
            wide = int(rng.integers(1, 9))
            draw.rectangle((x, y, x + wide - 1, y + height), fill=color)
            x += wide + int(rng.integers(1, 9))
    elif kind == 1:  # a grid
        step = int(rng.integers(4, 24))
        for x in range(0, size, step):
            draw.line((x, y, x, y + height), fill=color, width=1 + step // 12)
        for row in range(y, y + height, step):
            draw.line((0, row, size, row), fill=color, width=1 + step // 12)
    elif kind == 2:  # strokes
        for _ in range(int(rng.integers(5, 40))):
            ends = rng.integers(0, size, 2), y + rng.integers(0, height, 2)
            draw.line(
                (int(ends[0][0]), int(ends[1][0]), int(ends[0][1]), int(ends[1][1])),
                fill=_random_paper_and_ink(rng)[1],
                width=int(rng.integers(1, 5)),
            )
    else:  # shapes
        for _ in range(int(rng.integers(3, 12))):
            x, wide = int(rng.integers(0, size)), int(rng.integers(5, 90))
            box = (x, y, x + wide, y + height)
            (draw.ellipse if rng.random() < 0.5 else draw.rectangle)(
                box, outline=color, width=int(rng.integers(1, 5))
            )
    return y + height + int(rng.integers(2, 20))


def random_crop(rng: Generator, picture: Tensor, size: int) -> Tensor:
    """Cut a random square out of a picture, often shrunk, turned or mirrored.

    It is enlarged only where the picture has fewer than `size` pixels a side, so that it stays sharp.

    Args:    picture: (3, H, W) uint8. size: px a side of the crop.
    Returns: (3, size, size) float32, 0..1.
    """
    height, width = picture.shape[-2:]
    wanted = int(size * min(np.exp(rng.uniform(0, np.log(2.2))), min(height, width) / size))
    wanted = max(min(wanted, height, width), 1)
    if rng.random() < 0.4:
        wanted = min(size, height, width)
    y, x = int(rng.integers(0, height - wanted + 1)), int(rng.integers(0, width - wanted + 1))
    part = picture[:, y : y + wanted, x : x + wanted].float() / 255
    if wanted != size:
        part = F.interpolate(part[None], (size, size), mode="bilinear", antialias=True)[0]
    if rng.random() < 0.4:  # mostly upright, as what cameras see
        part = part.rot90(int(rng.integers(1, 4)), (-2, -1))
    return part.flip(-1) if rng.random() < 0.5 else part


def draw_bright_points(rng: Generator, size: int) -> Tensor:
    """Draw lamps and reflections: few pixels each, (1, size, size), linear light, 2 to 40 times white on zero."""
    light = torch.zeros(1, size, size)
    for _ in range(int(rng.integers(1, 25))):
        y, x = (int(v) for v in rng.integers(0, size, 2))
        side = int(rng.integers(1, 4))
        light[:, y : y + side, x : x + side] = float(np.exp(rng.uniform(np.log(2), np.log(40))))
    return light


def draw_strands(rng: Generator, draw: Any, size: int) -> None:
    """Draw curved lines of 2 to 8 px on the L image behind `draw`, (size, size)."""
    for _ in range(int(rng.integers(2, 16))):
        width = int(rng.integers(2, 9))
        place, angle = rng.uniform(0, size, 2), rng.uniform(0, 2 * np.pi)
        points = [(float(place[0]), float(place[1]))]
        for _ in range(int(rng.integers(4, 20))):
            angle += rng.normal(0, 0.35)
            place = place + size / 14 * np.array((np.cos(angle), np.sin(angle)))
            points.append((float(place[0]), float(place[1])))
        draw.line(points, fill=255, width=width, joint="curve")


def draw_mask(rng: Generator, size: int) -> Tensor:
    """Draw an opacity mask (1, size, size), 0..1: blobs, polygons, bars, strands or letters, borders 1 px soft."""
    kind = rng.random()
    if kind < 0.45:
        cells = int(rng.integers(3, 9))
        noise = torch.from_numpy(rng.standard_normal((1, 1, cells, cells)).astype(np.float32))
        field = F.interpolate(noise, (size, size), mode="bicubic", align_corners=True)[0]
        return ((field + float(rng.normal(0, 0.3))) * size / cells / 2.5 + 0.5).clamp(0, 1)
    scale = 2  # drawn twice as large and shrunk: a soft border
    image = Image.new("L", (size * scale, size * scale))
    draw = ImageDraw.Draw(image)
    if kind < 0.65:
        for _ in range(int(rng.integers(1, 4))):
            center, radius = rng.uniform(0, size * scale, 2), rng.uniform(0.1, 0.45) * size * scale
            angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 9))))
            points = center + radius * rng.uniform(0.6, 1, (len(angles), 1)) * np.stack(
                (np.cos(angles), np.sin(angles)), axis=1
            )
            draw.polygon([(float(px), float(py)) for px, py in points], fill=255)
    elif kind < 0.85:
        for _ in range(int(rng.integers(2, 14))):
            ends = rng.uniform(-0.2, 1.2, 4) * size * scale
            draw.line(
                [float(v) for v in ends], fill=255, width=int(np.exp(rng.uniform(np.log(3), np.log(60))))
            )
    elif kind < 0.9:  # twigs, hair, wires
        draw_strands(rng, draw, size * scale)
    else:
        font = ImageFont.truetype(str(rng.choice(np.array(_list_fonts()))), int(rng.integers(40, 400)))
        for _ in range(int(rng.integers(1, 4))):
            place = rng.uniform(-0.1, 0.7, 2) * size * scale
            draw.text((float(place[0]), float(place[1])), _random_words(rng, 2), font=font, fill=255)
    full = torch.from_numpy(np.asarray(image).astype(np.float32) / 255)
    return F.avg_pool2d(full[None], scale)
