"""`dpanet inspect`: say whether two files are a usable dual-pixel pair, and why."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from dpanet.cli.options import MaxMegapixels, apply_max_megapixels
from dpanet.errors import ImageWarning, PairError, UnreadableImageError, shown
from dpanet.terminal.failure import DONE, FAILED, UsageError, print_line

if TYPE_CHECKING:
    from dpanet.deconvolution.lens import MeasuredLens
    from dpanet.inspection.file_facts import FileFacts, UnreadFile
    from dpanet.inspection.inspection import Inspection
    from dpanet.pair import DualPixelPair, Encoding

    ReadingOptions = tuple[str | None, Encoding | None, int | None, int | None, tuple[Path, Path] | None]

_Flag = Parameter(negative=())


def inspect(
    left: Annotated[Path, Parameter(name="LEFT|RAW")],
    right: Annotated[Path | None, Parameter(name="RIGHT")] = None,
    /,
    *,
    json: Annotated[bool, _Flag] = False,
    picture: Path | None = None,
    overwrite: Annotated[bool, _Flag] = False,
    camera: Literal["pixel4", "pixel-app", "canon", "canon-right"] | None = None,
    flat_field: Annotated[tuple[Path, Path] | None, _Flag] = None,
    encoding: Literal["srgb", "linear"] | None = None,
    black_level: int | None = None,
    white_level: int | None = None,
    calibration: Path | None = None,
    max_megapixels: MaxMegapixels = None,
) -> int:
    """Say whether two files are a usable dual-pixel pair, before any deblurring, and what to do if they are not.

    Prints what the files state and what is measured on them, and a verdict: usable, doubtful or unusable. The exit
    code is 1 for files that are unusable as a pair.

    Parameters
    ----------
    left
        The left view (PNG, TIFF, JPEG, WebP, AVIF, PGM, PPM), or a camera's raw file with both views (CR2, CR3, DNG).
    right
        The right view; none beside a raw file.
    json
        Print JSON in place of text.
    picture
        Also write a PNG: the view, and beside it the maps of disparity and of blur.
    overwrite
        Replace the picture if it exists.
    camera
        The camera whose raw views these are; see dpanet deblur --help.
    flat_field
        Two raw pictures of a white sheet, left and right, that even out the views of a raw capture.
    encoding
        What the views' codes are, in place of what the files state: encoded for the eye (srgb), which is taken where
        they state nothing, or proportional to light (linear).
    black_level
        Code of no light in other raw views.
    white_level
        Code of white in other raw views.
    calibration
        The folder of the measured blur kernels of this lens, which decide whether the views are swapped.
    max_megapixels
        Refuse pictures of more megapixels than this; the default is 400, or DPANET_MAX_MEGAPIXELS.
    """
    apply_max_megapixels(max_megapixels)
    if picture is not None:
        from dpanet.files.output import prepare_output

        if picture.suffix.lower() != ".png":
            raise UsageError(
                f"--picture names {picture}; it is written as PNG, so let its name end with .png"
            )
        if any(path is not None and picture.resolve() == path.resolve() for path in (left, right)):
            raise UsageError(f"--picture names {picture}, one of the views; name another file")
        prepare_output(picture, overwrite)
    options = ViewOptions(camera, encoding, black_level, white_level, flat_field, max_megapixels)
    inspection = _inspect(left, right, options, calibration)
    if json:
        from json import dumps

        from dpanet.inspection.inspection import to_document

        print(dumps(to_document(inspection), indent=2, ensure_ascii=False))
    else:
        from dpanet.inspection.text import format_text
        from dpanet.inspection.verdict import is_exchanged

        views = (left, right)
        if right is not None and is_exchanged(inspection.verdict):
            views = (right, left)
        print(format_text(inspection, _command(*views, options)))
    if picture is not None and inspection.measures is not None:
        from dpanet.inspection.picture import write_picture

        write_picture(inspection.measures.maps, picture, overwrite=overwrite)
    elif picture is not None:
        print_line("note", f"{picture} was not written, as the files are no pair")
    return FAILED if inspection.verdict.level == "unusable" else DONE


@dataclass(frozen=True)
class ViewOptions:
    """The options about the files of the views, as `dpanet deblur` takes them too."""

    camera: str | None
    encoding: Encoding | None
    black_level: int | None
    white_level: int | None
    flat_field: tuple[Path, Path] | None
    max_megapixels: float | None

    @property
    def reading(self) -> ReadingOptions:
        """The arguments of `build_reader`."""
        return self.camera, self.encoding, self.black_level, self.white_level, self.flat_field

    @property
    def sheets_option(self) -> str:
        """The options by which white sheets can be given, for two files; empty if they cannot."""
        return "--flat-field" if self.camera is not None or self.black_level is not None else ""


def _command(left: Path, right: Path | None, options: ViewOptions) -> tuple[str, ...]:
    """Return the words that deblur the same files with the same options, quoted for a shell."""
    files = [left] if right is None else [left, right]
    words: list[object] = ["dpanet", "deblur", *map(_as_argument, files), "-o", "sharp.png"]
    for name in ("camera", "encoding", "black_level", "white_level", "max_megapixels"):
        value = getattr(options, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", f"{value:g}" if isinstance(value, float) else value]
    if options.flat_field is not None:
        words += ["--flat-field", *map(_as_argument, options.flat_field)]
    return tuple(quote(str(word)) for word in words)


def _as_argument(path: Path) -> str:
    """Return a path so that it is not taken for an option."""
    text = shown(path)
    return f"./{text}" if text.startswith("-") and text != "-" else text


def _inspect(left: Path, right: Path | None, options: ViewOptions, calibration: Path | None) -> Inspection:
    """Read the files as the options say, and inspect them."""
    from dpanet.containers.raw_file import is_raw_file
    from dpanet.inspection.file_facts import UnreadFile, read_file_facts
    from dpanet.inspection.inspection import refuse

    lens = None
    if calibration is not None:
        from dpanet.deconvolution.lens import MeasuredLens
        from dpanet.simulation.measured_kernels import MeasuredKernels

        lens = MeasuredLens(MeasuredKernels.read(calibration))
    if right is not None:
        return _inspect_views(left, right, options, lens)
    if is_raw_file(left):
        return _inspect_raw_file(left, options, lens)
    try:
        facts = read_file_facts(left)
    except UnreadableImageError as error:
        return refuse((UnreadFile(left),), str(error))
    return refuse((facts,), "one picture is not a pair; give the left and the right view, or a raw file")


def _inspect_raw_file(path: Path, options: ViewOptions, lens: MeasuredLens | None) -> Inspection:
    from dpanet.inspection.file_facts import UnreadFile, describe_values, raw_file_facts
    from dpanet.inspection.inspection import inspect_pair, refuse
    from dpanet.jobs.views import build_raw_reader

    read = build_raw_reader(*options.reading)
    try:
        pair = read(path)
    except (PairError, UnreadableImageError) as error:
        return refuse((UnreadFile(path),), str(error))
    values = describe_values(pair.metadata, pair.encoding, "the development of the raw file")
    return inspect_pair((raw_file_facts(path, pair),), pair, values, 65535.0, lens=lens)


def _inspect_views(left: Path, right: Path, options: ViewOptions, lens: MeasuredLens | None) -> Inspection:
    from dpanet.images.raw import PIXEL_APP
    from dpanet.inspection.circumstances import Circumstances
    from dpanet.inspection.file_facts import UnreadFile, describe_values, read_file_facts
    from dpanet.inspection.inspection import inspect_pair, refuse
    from dpanet.jobs.views import build_reader

    read = build_reader(*options.reading)
    files: list[FileFacts | UnreadFile] = []
    for path in (left, right):  # before the pair is read, since a stream can be read only once
        try:
            files.append(read_file_facts(path))
        except UnreadableImageError:
            files.append(UnreadFile(path))
    try:
        with _scale_notes() as notes:
            pair = read(left, right)
    except (PairError, UnreadableImageError) as error:
        return refuse(tuple(files), str(error))
    option = None
    if options.encoding is not None:
        option = "--encoding"
    elif options.camera is not None:
        option = f"--camera {options.camera}"
    elif options.black_level is not None:
        option = "--black-level and --white-level"
    values = describe_values(pair.metadata, pair.encoding, option)
    recognized = options.camera is None and pair.metadata.get("camera") == PIXEL_APP.name
    circumstances = Circumstances(
        options.flat_field is not None,
        f"--camera {PIXEL_APP.name} --flat-field" if recognized else options.sheets_option,
        next(iter(notes), ""),
    )
    steps = _steps(pair, options)
    return inspect_pair(tuple(files), pair, values, steps, circumstances=circumstances, lens=lens)


@contextmanager
def _scale_notes() -> Iterator[list[str]]:
    """Collect remarks on values of another scale, which become part of the verdict; let others through."""
    notes: list[str] = []
    caught: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ImageWarning)
            yield notes
    finally:
        for one in caught:
            if isinstance(one.message, ImageWarning) and one.message.once == "scale":
                notes.append(str(one.message))
            else:
                warnings.warn(one.message, stacklevel=2)


def _steps(pair: DualPixelPair, options: ViewOptions) -> float:
    """Return the number of codes from black to white in the files of the views; 0 for floats."""
    from dpanet.images.raw import PIXEL4, PIXEL_APP

    if options.black_level is not None and options.white_level is not None:
        return float(options.white_level - options.black_level)
    for format in (PIXEL4, PIXEL_APP):
        if pair.metadata.get("camera") == format.name:
            return float(format.white_level - format.black_level)
    bits = int(pair.metadata["bits"])
    return 0.0 if bits == 32 else float(2**bits - 1)
