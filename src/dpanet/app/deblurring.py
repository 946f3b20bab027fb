"""What is done with a capture: read, deblur, write for the page; and again at another strength."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dpanet.app.capture import Capture, Result
from dpanet.app.limits import Limits
from dpanet.app.previews import write_map_preview, write_preview
from dpanet.containers.written_metadata import with_encoding
from dpanet.deblurrer.control import Control
from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.errors import UnreadableImageError, shown
from dpanet.images.encoding import linear_to_srgb
from dpanet.images.header import read_header
from dpanet.images.reading import read_picture
from dpanet.images.writing import write_picture
from dpanet.jobs.views import RAW_FILES, build_raw_reader, build_reader, say_what_is_written
from dpanet.lenses.known_lenses import identify_lens, known_lens
from dpanet.lenses.lens import LensChoice
from dpanet.pair import DualPixelPair, Encoding, Picture
from dpanet.processes.background import held_warnings

_GUESS = 3.0
"""Seconds a megapixel, as long as nothing was measured; moves the bar only, no time is told from it."""


_BEFORE_TILES = 0.1
"""Largest share shown before the number of tiles is known, while smaller copies of the picture are deblurred."""


class Models:
    """The models of a server, each loaded when it is first needed. Only one thread may use it.

    Args:
        sources: name -> shipped name or file.
        options: of `Deblurrer`.
    """

    def __init__(self, sources: Mapping[str, str], **options: Any) -> None:
        self.sources = dict(sources)
        self._options = options
        self._loaded: dict[tuple[str, str | None], Deblurrer] = {}
        self._rates: dict[tuple[str, bool], float] = {}

    def load(self, name: str, lens: LensChoice | None = None) -> Deblurrer:
        """Return a model that refines by a lens, or not. Raises: DpanetError if it cannot be loaded."""
        key = name, identify_lens(lens)
        if key not in self._loaded:
            self._loaded[key] = Deblurrer(self.sources[name], lens=lens, **self._options)
        return self._loaded[key]

    def rate(self, name: str, refine: bool) -> float | None:
        """Seconds a megapixel, of the last capture; None as long as there was none."""
        return self._rates.get((name, refine))

    def set_rate(self, name: str, refine: bool, seconds: float, pixels: int) -> None:
        """Note how long a capture took."""
        self._rates[name, refine] = seconds / (pixels / 1e6)


class TileClock:
    """Progress of a capture that also moves within a tile.

    Args:
        capture: whose progress it is.
        megapixels: of the picture.
        rate: seconds a megapixel, of an earlier capture; None if unknown.
        runs: how often the tiles are counted from the first to the last, of the network, then of what follows it.
    """

    def __init__(self, capture: Capture, megapixels: float, rate: float | None, runs: int = 1) -> None:
        self._capture = capture
        self._expected = megapixels * (rate or _GUESS)
        self._known = rate is not None
        self._start = self._last = time.monotonic()
        self._done, self._total = 0, 0
        self._run, self._runs = 0, runs
        self._shown = 0.0

    def tiles(self, done: int, total: int) -> None:
        """Note the tiles that are done; the `progress` of a Deblurrer. Raises: CanceledError."""
        self._capture.check_canceled()
        ended = self._done >= self._total > 0 and (done, total) != (self._done, self._total)
        if done < self._done or ended:
            self._run = min(self._run + 1, self._runs - 1)
        self._done, self._total, self._last = done, total, time.monotonic()
        if done:
            self._expected = (self._last - self._start) * total * self._runs / (self._run * total + done)
            self._known = True

    def read(self) -> tuple[float, float | None]:
        """Return the share that is done, and the seconds left, or None where they are not known.

        The share never falls: what is reported may be less than what was guessed, or begin anew.
        """
        now, total = time.monotonic(), max(1, self._total)
        tile = max(1e-3, self._expected / total / self._runs)
        within = 1 - 0.5 ** ((now - self._last) / tile * 2)  # slower and slower, never whole
        done = min(1.0, (self._done + within * (self._done < total)) / total)
        fraction = (self._run + done) / self._runs
        self._shown = max(self._shown, fraction if self._total else _BEFORE_TILES * fraction)
        if self._done >= total and self._run == self._runs - 1:
            return self._shown, 0.0
        left = self._expected - (now - self._start)
        return self._shown, left if self._known and left > 0 else None


def check_view(path: Path, name: str, limits: Limits) -> None:
    """Refuse a picture that is too large, before it waits. Raw files are checked when they are read.

    Raises:
        UnreadableImageError: if it is.
    """
    header = read_header(path)
    if header.width * header.height > limits.pixels:
        raise UnreadableImageError(
            f"{shown(name)} has {header.width * header.height / 1e6:.1f} megapixels, and at most "
            f"{limits.megapixels:g} are taken; start dpanet app with a larger --max-megapixels"
        )


def deblur_capture(
    capture: Capture, models: Models, limits: Limits, watch: Callable[[TileClock | None], None]
) -> None:
    """Deblur a capture and write what the page shows and stores.

    Args:
        capture: with its files; gets the result.
        models: of which one is used.
        limits: for the size of a raw file's picture.
        watch: called with what knows the progress while the network runs, then with None.

    Raises:
        DpanetError: for unusable files.
        CanceledError: if the visitor canceled it.
    """
    start = time.monotonic()
    with held_warnings() as held:
        capture.stage = "Reading"
        pair = read_capture(capture)
        capture.note(str(arguments[0]) for arguments in held)
        height, width = pair.left.shape[:2]
        if height * width > limits.pixels:
            raise UnreadableImageError(
                f"{shown(capture.names['left'])} has {height * width / 1e6:.1f} megapixels, and at most "
                f"{limits.megapixels:g} are taken; start dpanet app with a larger --max-megapixels"
            )
        capture.check_canceled()
        capture.stage = "Loading the model"
        lens: LensChoice | None = None
        if capture.refine:
            lens = known_lens(capture.camera) or "find"
        deblurrer = models.load(capture.model, lens)
        capture.stage = "Deblurring"
        began = time.monotonic()
        rate, runs = models.rate(capture.model, capture.refine), _count_runs(lens)
        clock = TileClock(capture, height * width / 1e6, rate, runs)
        watch(clock)
        deblurrer.progress = clock.tiles
        try:
            if deblurrer.has_defocus_map:
                picture, radius = deblurrer.with_defocus_map(pair)
            else:
                picture, radius = deblurrer(pair), None
        finally:
            deblurrer.progress = None
            watch(None)
        models.set_rate(capture.model, capture.refine, time.monotonic() - began, height * width)
        capture.check_canceled()
        capture.stage, capture.fraction, capture.seconds_left = "Writing", 1.0, None
        write_picture(picture, capture.picture, bits=16)
        flat = picture.pixels.reshape(-1)
        places = np.flatnonzero((flat < 0) | (flat > 1))
        np.savez(capture.beyond, places=places, values=flat[places])
        capture.encoding = picture.encoding
        capture.metadata = {key: value for key, value in picture.metadata.items() if key != "alpha"}
        write_preview(pair.combined, capture.preview("before"))
        write_preview(picture, capture.preview("after"))
        span = None
        if radius is not None:
            np.save(capture.radius, radius)
            span = write_map_preview(radius, pair.metadata.get("exif"), capture.preview("defocus"))
        shape = read_header(capture.preview("after"))
    capture.note(str(arguments[0]) for arguments in held)
    capture.result = Result(shape.width, shape.height, time.monotonic() - start, span)


def _count_runs(lens: LensChoice | None) -> int:
    """Return how often progress begins: the network, the search for a lens, the refinement."""
    if lens is None:
        return 1
    return 3 if lens == "find" else 2


def write_after(capture: Capture, control: Control, path: Path) -> None:
    """Write the picture of the page, mixed by `control`."""
    write_preview(_mixed(capture, control), path)


def write_download(capture: Capture, control: Control, values: Encoding | None, path: Path) -> None:
    """Write the picture at 16 bits with its metadata, mixed by `control`; the suffix decides the format.

    Args:
        capture: that is done.
        control: of the mixture.
        values: ``srgb`` for a linear picture as on a screen; otherwise the picture keeps its encoding.
        path: of the new file.
    """
    picture = _mixed(capture, control)
    if values == "srgb" and picture.encoding == "linear":
        pixels = linear_to_srgb(picture.pixels)
        picture = Picture(pixels, "srgb", with_encoding(picture.metadata, "srgb"))
    write_picture(picture, path, bits=16, overwrite=True)


def _mixed(capture: Capture, control: Control) -> Picture:
    with held_warnings():  # said when it was deblurred
        stored = read_picture(capture.picture, capture.encoding)
        metadata = dict(capture.metadata)
        if "alpha" in stored.metadata:
            metadata["alpha"] = stored.metadata["alpha"]
        output = replace(stored, metadata=metadata)
        if control.is_plain:
            return output
        combined = read_capture(capture).combined.pixels
    pixels = output.pixels.copy()
    with np.load(capture.beyond) as beyond:  # clipped only when they are mixed, as on the command line
        pixels.reshape(-1)[beyond["places"]] = beyond["values"]
    radius = np.load(capture.radius) if control.needs_defocus_map else None
    return replace(output, pixels=control.apply(pixels, combined, radius, output.encoding))


def read_capture(capture: Capture) -> DualPixelPair:
    """Read the files of a capture, as its camera writes them. Raises: DpanetError for unusable files."""
    camera = capture.camera
    if "right" in capture.names:
        camera = None if camera in RAW_FILES else camera
        read = build_reader(camera, None, None, None, None)
        if camera == "pixel4":
            read = say_what_is_written(read, "srgb")
        return read(capture.files["left"], capture.files["right"])
    camera = camera if camera in RAW_FILES else None
    return build_raw_reader(camera, None, None, None, None)(capture.files["left"])
