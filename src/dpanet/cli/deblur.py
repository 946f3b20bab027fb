"""`dpanet deblur`: two views, or a folder of pairs, become pictures."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from dpanet.cli.failure import DONE, FAILED, UsageError, tell

if TYPE_CHECKING:
    from dpanet.cli.progress import Meter
    from dpanet.cli.views import Reader
    from dpanet.deblurrer.deblurrer import Deblurrer
    from dpanet.pair import Encoding

_Flag = Parameter(negative=())


@dataclass(frozen=True)
class _Job:
    """One picture to make."""

    left: Path
    right: Path
    output: Path
    defocus_map: Path | None = None


def deblur(
    source: Annotated[Path, Parameter(name="LEFT|FOLDER")],
    right: Annotated[Path | None, Parameter(name="RIGHT")] = None,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    model: str = "compact",
    tile: str = "auto",
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    tta: Annotated[Literal["auto", 1, 2, 4], Parameter(name=["--tta", "--passes"])] = "auto",
    overwrite: Annotated[bool, _Flag] = False,
    camera: Literal["pixel4"] | None = None,
    flat_field: Annotated[tuple[Path, Path] | None, _Flag] = None,
    encoding: Literal["srgb", "linear"] | None = None,
    black_level: int | None = None,
    white_level: int | None = None,
    output_encoding: Literal["srgb", "linear"] | None = None,
    defocus_map: Path | None = None,
) -> int:
    """Make a sharper picture of the two views of a dual-pixel capture, or of a folder of them.

    A picture is written with the depth of its views (16 bits in, 16 bits out), gray if they are gray, in
    their own encoding and scale, turned the way they are. In a folder, pairs are NAME_left.* with
    NAME_right.*, or files of one name in inputL and inputR; the pictures are called NAME.png, or NAME.tif
    where the views are TIFF.

    Parameters
    ----------
    source
        The left view (PNG, TIFF or JPEG), or a folder of pairs.
    right
        The right view.
    output
        The picture to write (.png, .tif), or the folder to write pictures to.
    model
        A model's name, a .safetensors file, or an official checkpoint (.pth).
    tile
        Largest side in pixels that is worked on at once; 0 for the whole picture.
    device
        Where to compute; auto takes an accelerator if there is one.
    precision
        Numbers to compute in; auto takes bfloat16 where it is fast.
    tta
        Mirror images of the pair whose pictures are averaged: better, and as many times slower; auto takes two,
        and one for the published network.
    overwrite
        Replace outputs that exist.
    camera
        The views are raw files of this camera: linear, 14 bits in 16. The central field is written, linear,
        16-bit gray, 0 at the black and 65535 at the white level.
    flat_field
        Two raw pictures of a white sheet, left and right, that even out the views of a raw capture.
    encoding
        What the views' codes are: encoded for the eye (srgb, unless given) or proportional to light.
    black_level
        Code of no light in other raw views.
    white_level
        Code of white in other raw views.
    output_encoding
        Encoding of the picture, if not that of the views.
    defocus_map
        Also write how far each pixel is out of focus: a 16-bit PNG, 32768 in focus and 512 codes for each pixel
        of signed blur radius, and a coloured NAME-colour.png beside it. For a folder of pairs, name a folder.
    """
    from dpanet.cli.views import reader

    side = tile_side(tile)
    jobs, unpaired = _jobs(source, right, output, defocus_map)
    read = reader(camera, encoding, black_level, white_level, flat_field)
    _check_outputs(jobs, output, overwrite, folder=right is None)

    from dpanet.checkpoints.model_file import load_model
    from dpanet.cli.progress import Meter
    from dpanet.deblurrer.deblurrer import Deblurrer

    with Meter(len(jobs)) as meter:
        network = load_model(model)
        apply = Deblurrer(
            network, tile=side, device=device, precision=precision, tta=tta, progress=meter.tiles
        )
        if right is not None:
            _make(jobs[0], read, apply, output_encoding, overwrite, meter)
            return DONE
        failed = _make_all(jobs, read, apply, output_encoding, overwrite, meter)
    if unpaired:
        tell(
            f"{source}: no partner for {', '.join(unpaired)}; name the views NAME_left.* and NAME_right.* "
            f"(of the {len(jobs)} pairs, {len(jobs) - failed} were deblurred)"
        )
    return FAILED if failed or unpaired else DONE


def tile_side(text: str) -> int | Literal["auto"]:
    """What --tile says. Raises: UsageError for another word."""
    if text == "auto":
        return "auto"
    if not text.isdecimal():
        raise UsageError(f"--tile is {text!r}; give auto, a number of pixels, or 0 for the whole picture")
    return int(text)


def _jobs(
    source: Path, right: Path | None, output: Path, defocus_map: Path | None
) -> tuple[list[_Job], list[str]]:
    """What is to be made, and the views without a partner."""
    from dpanet.images.pairing import find_pairs
    from dpanet.images.writing import SUFFIXES

    if right is not None:
        if source.is_dir() or right.is_dir():
            raise UsageError(f"{source} and {right} are not two files; give two views, or one folder")
        return [_Job(source, right, output, defocus_map)], []
    if source.is_file():
        raise UsageError(f"{source} is only one view; give the left and the right view, or a folder of pairs")
    if output.suffix.lower() in SUFFIXES:
        raise UsageError(f"{output} names a picture, but a folder of pairs makes many; name a folder with -o")
    pairs, unpaired = find_pairs(source)
    jobs = []
    for pair in pairs:
        suffix = pair.left.suffix if pair.left.suffix.lower() in SUFFIXES else ".png"
        told = None if defocus_map is None else defocus_map / f"{pair.name}.png"
        jobs.append(_Job(pair.left, pair.right, output / f"{pair.name}{suffix}", told))
    return jobs, unpaired


def _check_outputs(jobs: list[_Job], output: Path, overwrite: bool, *, folder: bool) -> None:
    """Everything about outputs that can fail is to fail before the work."""
    from dpanet.errors import OutputError
    from dpanet.files.output import prepare_output
    from dpanet.images.defocus import colour_file
    from dpanet.images.writing import SUFFIXES

    for job in jobs:
        if job.defocus_map is not None and (job.defocus_map.parent.is_dir() or not folder):
            for path in (job.defocus_map, colour_file(job.defocus_map)):
                prepare_output(path, overwrite, (".png",))
    views = {path.resolve() for job in jobs for path in (job.left, job.right)}
    for job in jobs:
        if job.output.resolve() in views:
            raise OutputError(f"{job.output} is one of the views; write the picture elsewhere")
    if folder and not output.is_dir():
        if output.exists():
            raise OutputError(f"{output} is a file, but a folder of pairs makes many; name a folder with -o")
        prepare_output(output)
        return
    for job in jobs:
        prepare_output(job.output, overwrite, SUFFIXES)


def _make_all(
    jobs: list[_Job], read: Reader, apply: Deblurrer, wanted: Encoding | None, overwrite: bool, meter: Meter
) -> int:
    """Make what can be made, tell the rest; returns how many failed."""
    from dpanet.errors import ConfigError, DpanetError

    failed = 0
    for job in jobs:
        try:
            _make(job, read, apply, wanted, overwrite, meter)
        except ConfigError:
            raise  # the same for every pair
        except (DpanetError, OSError, MemoryError, RuntimeError) as error:
            failed += 1
            tell(str(error) if isinstance(error, DpanetError) else f"{job.left}: {error}")
        meter.next_file()
    return failed


def _make(
    job: _Job, read: Reader, apply: Deblurrer, wanted: Encoding | None, overwrite: bool, meter: Meter
) -> None:
    from dpanet.images.writing import write_picture

    began = time.perf_counter()
    pair = read(job.left, job.right)
    told = None if job.defocus_map is None else apply.defocus_map(pair)
    picture = apply(pair, wanted)
    job.output.parent.mkdir(exist_ok=True)
    write_picture(picture, job.output, overwrite=overwrite)
    if job.defocus_map is not None and told is not None:
        from dpanet.images.defocus import write_defocus_map

        job.defocus_map.parent.mkdir(exist_ok=True)
        write_defocus_map(told, job.defocus_map, overwrite)
    height, width = picture.pixels.shape[:2]
    meter.say(f"{job.output}: {width} x {height} px in {time.perf_counter() - began:.1f} s")
