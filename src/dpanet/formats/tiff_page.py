"""Find the picture in a TIFF."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from mmap import mmap
from pathlib import Path

from dpanet.containers.tiff_structure import (
    BrokenStructureError,
    Order,
    Tag,
    entry_numbers,
    parse_directory,
    parse_header,
)
from dpanet.errors import ImageWarning, UnreadableImageError, shown
from dpanet.formats.tiff_layout import Fields, TiffLayout, read_layout

_MOST_DIRECTORIES = 10_000

_LAYERS = 37724

_OF_PIXELS = {
    254,
    255,
    *range(256, 260),
    262,
    266,
    273,
    *range(277, 280),
    284,
    317,
    *range(320, 326),
    338,
    339,
    347,
}
"""Tags without whose values pixels would be read wrongly."""


def read_page(data: mmap, path: Path, warn: bool = True) -> tuple[TiffLayout, tuple[Tag, ...]]:
    """Find the first page that is a full picture, with an ImageWarning (if `warn`) if there are more.

    Returns:
        How its pixels are stored, and the tags of its directory.

    Raises:
        UnreadableImageError: if it is damaged or truncated, or of a kind that is not read.
    """
    try:
        order, big, start = parse_header(data)
        chain = list(_chain(data, start, order, big))
    except BrokenStructureError as error:
        raise UnreadableImageError(
            f"{shown(path)} is a truncated or damaged TIFF ({error}); export or copy it again"
        ) from error
    pages = [Fields(tags, order) for _, tags in chain]
    full = [index for index, page in enumerate(pages) if not _is_reduced(page)]
    index = full[0] if full else 0
    if not full and any(not _is_reduced(page) for page in _below(data, pages, order, big)):
        raise UnreadableImageError(
            f"{shown(path)} is a TIFF whose first page is only a reduced copy of the picture; export it again"
        )
    start, tags = chain[index]
    numbers = [tag.number for tag in tags]
    entries = entry_numbers(data, start, order, big)
    unread = (entries & _OF_PIXELS).difference(numbers)
    unread |= {number for number in _OF_PIXELS if numbers.count(number) > 1}
    if unread:
        raise UnreadableImageError(
            f"{shown(path)} is a damaged TIFF (its tag {min(unread)} cannot be read, or is there twice); "
            "export or copy it again"
        )
    page = read_layout(pages[index], index, len(data), path)
    if warn and _LAYERS in entries and _has_layers(pages[index]):
        warnings.warn(
            f"{shown(path)} has layers of Photoshop; only the picture that they give together is read",
            ImageWarning,
            stacklevel=3,
        )
    if warn and len(full) > 1:
        warnings.warn(
            f"{shown(path)} has {len(full)} pages; only the first, {page.width} x {page.height} px, is read",
            ImageWarning,
            stacklevel=3,
        )
    return page, tuple(pages[index].tags.values())


def _chain(data: mmap, start: int, order: Order, big: bool) -> Iterator[tuple[int, tuple[Tag, ...]]]:
    """Yield the offset and the tags of each directory."""
    seen: set[int] = set()
    while start and start not in seen and len(seen) < _MOST_DIRECTORIES:
        try:
            tags, following = parse_directory(data, start, order, big, [])
        except BrokenStructureError:
            if not seen:
                raise
            return  # what follows a sound page is not read
        seen.add(start)
        yield start, tags
        start = following
    if not seen:
        raise BrokenStructureError("it has no page")


def _below(data: mmap, pages: list[Fields], order: Order, big: bool) -> Iterator[Fields]:
    """Yield the SubIFDs of the first pages."""
    for page in pages[:4]:
        for offset in page.all(330)[:16]:
            try:
                yield Fields(parse_directory(data, offset, order, big, [])[0], order)
            except BrokenStructureError:
                continue


def _has_layers(page: Fields) -> bool:
    """Return whether the tag of Photoshop's document data, which exists, has layers; a large one is not parsed."""
    tag = page.tags.get(_LAYERS)
    return tag is None or any(
        name in tag.data for key in (b"Layr", b"Lr16", b"Lr32") for name in (key, key[::-1])
    )


def _is_reduced(page: Fields) -> bool:
    """Return whether a page is a reduced copy or a mask of another."""
    return bool(page.one(254, 0) & 5) or page.one(255, 1) == 2 or page.one(262, 0) == 4
