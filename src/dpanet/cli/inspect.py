"""`dpanet inspect`: say whether two files are a usable dual-pixel pair, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from dpanet.cli.failure import DONE, FAILED, UsageError
from dpanet.cli.options import MaxMegapixels, apply_max_megapixels

if TYPE_CHECKING:
    from dpanet.inspection.file_facts import FileFacts
    from dpanet.inspection.inspection import Inspection

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
        What the views' codes are, in place of what the files state: encoded for the eye (srgb) or proportional to
        light.
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
    inspection = _inspect(left, right, camera, encoding, (black_level, white_level), flat_field, calibration)
    if json:
        from json import dumps

        from dpanet.inspection.inspection import to_document

        print(dumps(to_document(inspection), indent=2, ensure_ascii=False))
    else:
        from dpanet.inspection.text import format_text

        print(format_text(inspection))
    if picture is not None and inspection.measures is not None:
        from dpanet.inspection.picture import write_picture

        write_picture(inspection.measures.maps, picture, overwrite=overwrite)
    return FAILED if inspection.verdict.level == "unusable" else DONE


def _inspect(
    left: Path,
    right: Path | None,
    camera: str | None,
    encoding: Literal["srgb", "linear"] | None,
    levels: tuple[int | None, int | None],
    flat_field: tuple[Path, Path] | None,
    calibration: Path | None,
) -> Inspection:
    """Read the files as the options say, and inspect them."""
    from dpanet.containers.raw_file import is_raw_file
    from dpanet.errors import PairError
    from dpanet.inspection.file_facts import describe_values, raw_file_facts, read_file_facts
    from dpanet.inspection.inspection import inspect_pair, refuse

    lens = None
    if calibration is not None:
        from dpanet.deconvolution.lens import MeasuredLens
        from dpanet.simulation.measured_kernels import MeasuredKernels

        lens = MeasuredLens(MeasuredKernels.read(calibration))
    if right is None:
        if not is_raw_file(left):
            return refuse(
                (read_file_facts(left),),
                "one picture is not a pair; give the left and the right view, or a raw file",
            )
        from dpanet.cli.views import build_raw_reader

        pair = build_raw_reader(camera, encoding, *levels, flat_field)(left)
        files: tuple[FileFacts, ...] = (raw_file_facts(left, pair),)
    else:
        from dpanet.cli.views import build_reader

        read = build_reader(camera, encoding, *levels, flat_field)
        try:
            pair = read(left, right)
        except PairError as error:
            return refuse((read_file_facts(left), read_file_facts(right)), str(error))
        files = (read_file_facts(left), read_file_facts(right))
    black, white = levels
    option = None
    if encoding is not None:
        option = "--encoding"
    elif right is None:
        option = "the development of the raw file"
    elif camera is not None:
        option = f"--camera {camera}"
    elif black is not None:
        option = "--black-level and --white-level"
    values = describe_values(pair.metadata, pair.encoding, option)
    steps = 65535.0 if right is None else _steps(files[0].bits, pair.metadata.get("camera"), black, white)
    return inspect_pair(files, pair, values, steps, flat_field=flat_field is not None, lens=lens)


def _steps(bits: int, camera: str | None, black: int | None, white: int | None) -> float:
    """Return the number of codes from black to white in the files of the views; 0 for floats."""
    from dpanet.images.raw import PIXEL4

    if camera == PIXEL4.name:
        return float(PIXEL4.white_level - PIXEL4.black_level)
    if black is not None and white is not None:
        return float(white - black)
    return 0.0 if bits == 32 else float(2**bits - 1)
