"""Figures that others published, from ``published.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Origin = Literal["read directly", "second hand", "read off a chart", "from memory"]
Views = Literal["none", "single", "dual", "dual and combined", "not stated", "both offered"]


@dataclass(frozen=True)
class Source:
    """Where figures were read."""

    name: str
    """The paper, page or repository."""
    origin: Origin
    """How they were read."""


@dataclass(frozen=True)
class Figures:
    """Mean scores as printed; None where the source has none, ``≈`` in front of approximate ones."""

    psnr: str | None = None
    """In dB."""
    ssim: str | None = None
    """1 for a perfect picture."""
    mae: str | None = None
    """Mean absolute error, white = 1."""
    lpips: str | None = None
    """Perceptual distance."""


@dataclass(frozen=True)
class PublishedRow:
    """A method's mean scores over a test set."""

    method: str
    """The method's name."""
    views: Views
    """Views that the method reads."""
    bits: str
    """Bit depth of the files that it reads."""
    mean: Figures
    """Over all images."""
    source: Source | None
    """None for a row of this run."""
    size: tuple[int, int] | None
    """Width and height in px at which it was scored; None if there are several."""
    indoor: Figures | None = None
    """Over the images with the label ``indoor``."""
    outdoor: Figures | None = None
    """Over the images with the label ``outdoor``."""


@dataclass(frozen=True)
class PublishedMap:
    """A method's errors of the defocus map up to an affine scale, as printed; lower is better."""

    method: str
    """The method's name."""
    aiwe1: str
    """Affine-invariant weighted mean absolute error."""
    aiwe2: str
    """Affine-invariant weighted root mean square error."""
    spearman: str
    """1 - |Spearman's rank correlation|."""
    source: Source
    """Where it was read."""


@dataclass(frozen=True)
class PublishedSet:
    """All published figures on one data set."""

    title: str
    """Name of the data set."""
    images: int
    """Number of images that the means are over."""
    rows: tuple[PublishedRow, ...]
    """Scores of pictures, in the order of the table."""
    maps: tuple[PublishedMap, ...]
    """Errors of defocus maps."""

    @property
    def one_view(self) -> list[PublishedRow]:
        """Rows of methods that read one picture."""
        return [row for row in self.rows if row.views == "single"]

    @property
    def both_views(self) -> list[PublishedRow]:
        """All other rows."""
        return [row for row in self.rows if row.views != "single"]

    @property
    def labeled(self) -> bool:
        """Whether any row has figures per label."""
        return any(row.indoor or row.outdoor for row in self.rows)

    @property
    def from_memory(self) -> bool:
        """Whether any row was quoted from memory."""
        return any(row.source and row.source.origin == "from memory" for row in self.rows)

    @property
    def approximate(self) -> bool:
        """Whether any figure is approximate."""
        return any((row.mean.psnr or "").startswith("≈") for row in self.rows)


@cache
def load_published_scores() -> Mapping[str, PublishedSet]:
    """Return the scores that papers published, by layout of the data set; a layout without any has no key."""
    document = tomllib.loads(files(__package__).joinpath("published.toml").read_text(encoding="utf-8"))
    sources = {key: Source(**value) for key, value in document["sources"].items()}
    published = {}
    for table in document["sets"].values():
        rows = tuple(_row(row, sources, table["size"]) for row in table["rows"])
        maps = tuple(
            PublishedMap(**{**row, "source": sources[row["source"]]}) for row in table.get("maps", ())
        )
        known = PublishedSet(table["title"], table["images"], rows, maps)
        published.update(dict.fromkeys(table["layouts"], known))
    return published


def _row(row: Mapping[str, Any], sources: Mapping[str, Source], size: list[int]) -> PublishedRow:
    width, height = row.get("size", size)
    figures = {key: Figures(**row[key]) for key in ("mean", "indoor", "outdoor") if key in row}
    return PublishedRow(**{**row, **figures, "source": sources[row["source"]], "size": (width, height)})
