"""`dpanet deblur`: two views, or a folder of pairs, become pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from dpanet.cli.failure import DONE, FAILED, UsageError, print_error

if TYPE_CHECKING:
    from dpanet.cli.jobs import Job
    from dpanet.deblurrer.deblurrer import Deblurrer

_Flag = Parameter(negative=())


def deblur(
    source: Annotated[Path, Parameter(name="LEFT|FOLDER")],
    right: Annotated[Path | None, Parameter(name="RIGHT")] = None,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    model: str = "compact",
    tile: str = "auto",
    device: str = "auto",
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
    """Make a sharper picture from the two views of a dual-pixel capture, or from a folder of them.

    A picture is written with the depth of its views (16 bits in, 16 bits out), gray if they are gray, in
    their own encoding and scale, turned the way they are. In a folder, pairs are NAME_left.* with
    NAME_right.*, or files of one name in inputL and inputR; the pictures are called NAME.png, or NAME.tif
    where the views are TIFF. The same command given again skips the pictures of a folder that are finished; those
    whose views or options changed are deblurred again; a picture that was edited since stops the command.

    Parameters
    ----------
    source
        The left view (PNG, TIFF, JPEG or WebP), or a folder of pairs.
    right
        The right view.
    output
        The picture to write (.png, .tif), or the folder to write pictures to.
    model
        A model's name, a .safetensors file, or an official checkpoint (.pth).
    tile
        Largest side in pixels that is worked on at once; 0 for the whole picture.
    device
        Where to compute: auto (an accelerator if there is one), cpu, cuda, cuda:1, mps.
    precision
        Numbers to compute in; auto takes bfloat16 where it is fast.
    tta
        Mirror images of the pair whose pictures are averaged: better, and as many times slower; auto takes two,
        and one for the published network.
    overwrite
        Replace outputs that exist, those of other programs and finished ones too.
    camera
        The views are raw files of this camera: linear, 14 bits in 16. The central field is written, linear,
        16-bit gray, 0 at the black and 65535 at the white level.
    flat_field
        Two raw pictures of a white sheet, left and right, that even out the views of a raw capture.
    encoding
        What the views' codes are: encoded for the eye (srgb, the default) or proportional to light.
    black_level
        Code of no light in other raw views.
    white_level
        Code of white in other raw views.
    output_encoding
        Encoding of the picture, if not that of the views.
    defocus_map
        Also write how far each pixel is out of focus: a 16-bit PNG, 32768 in focus and 512 codes for each pixel
        of signed blur radius, and a color picture, NAME-colour.png, beside it. For a folder of pairs, name a folder.
    """
    from dpanet.cli.views import build_reader

    side = parse_tile(tile)
    jobs, unpaired = _list_jobs(source, right, output, defocus_map)
    read = build_reader(camera, encoding, black_level, white_level, flat_field)
    _check_paths(jobs, flat_field or ())
    _check_outputs(jobs, output, overwrite, None if right is not None else defocus_map, folder=right is None)

    from dpanet.checkpoints.model_file import load_model
    from dpanet.cli.jobs import Task, deblur_folder
    from dpanet.cli.progress import Meter
    from dpanet.deblurrer.deblurrer import Deblurrer

    with Meter(len(jobs)) as meter:
        apply = Deblurrer(
            load_model(model),
            tile=side,
            device=device,
            precision=precision,
            tta=tta,
            progress=meter.tiles,
            reuse_memory=True,
        )
        if defocus_map is not None:
            apply.check_defocus_map()
        task = Task(read, apply, output_encoding, meter)
        if right is not None:
            line = task.run(jobs[0], overwrite)
        else:
            key = _key(model, apply, camera, encoding, black_level, white_level, flat_field, output_encoding)
            failed = deblur_folder(task, jobs, output, key, overwrite)
    if right is not None:
        print(line)
        return DONE
    if unpaired:
        print_error(
            f"{source}: no partner for {', '.join(unpaired)}; name the views NAME_left.* and NAME_right.* "
            f"({len(jobs) - failed} of the {len(jobs)} pairs are deblurred)"
        )
    return FAILED if failed or unpaired else DONE


def parse_tile(text: str) -> int | Literal["auto"]:
    """Return the value of --tile. Raises: UsageError for another word."""
    if text == "auto":
        return "auto"
    if not text.isdecimal():
        raise UsageError(f"--tile is {text!r}; give auto, a number of pixels, or 0 for the whole picture")
    return int(text)


def _list_jobs(
    source: Path, right: Path | None, output: Path, defocus_map: Path | None
) -> tuple[list[Job], list[str]]:
    """Return the pictures to deblur, and the views without a partner."""
    from dpanet.cli.jobs import Job
    from dpanet.images.pairing import find_pairs
    from dpanet.images.writing import SUFFIXES

    if right is not None:
        if source.is_dir() or right.is_dir():
            raise UsageError(f"{source} and {right} are not two files; give two views, or one folder")
        return [Job(output.stem, source, right, output, defocus_map)], []
    if source.is_file():
        raise UsageError(f"{source} is only one view; give the left and the right view, or a folder of pairs")
    if output.suffix.lower() in SUFFIXES:
        raise UsageError(f"{output} names a picture, but a folder of pairs makes many; name a folder with -o")
    if defocus_map is not None and defocus_map.suffix.lower() in SUFFIXES:
        raise UsageError(
            f"{defocus_map} names a picture, but a folder of pairs makes many maps; name a folder with --defocus-map"
        )
    pairs, unpaired = find_pairs(source)
    jobs = []
    for pair in pairs:
        suffix = pair.left.suffix if pair.left.suffix.lower() in SUFFIXES else ".png"
        map_file = None if defocus_map is None else defocus_map / f"{pair.name}.png"
        jobs.append(Job(pair.name, pair.left, pair.right, output / f"{pair.name}{suffix}", map_file))
    return jobs, unpaired


def _check_paths(jobs: list[Job], sheets: tuple[Path, ...]) -> None:
    """Refuse outputs that would replace an input or one another, whatever --overwrite says."""
    from dpanet.errors import OutputError

    inputs = {path.resolve(): "one of the views" for job in jobs for path in (job.left, job.right)}
    inputs |= {path.resolve(): "one of the white sheets" for path in sheets}
    outputs: dict[Path, str] = {}
    for job in jobs:
        kinds = ("the picture", "the defocus map", "the color picture of the map")
        for path, kind in zip((job.output, *job.map_paths), kinds, strict=False):
            place = path.resolve()
            if place in inputs:
                raise OutputError(f"{path} is {inputs[place]}; write {kind} elsewhere")
            if place in outputs:
                raise OutputError(
                    f"{path} would be both {outputs[place]} and {kind}; name another place with --defocus-map"
                )
            outputs[place] = f"{kind} of {job.name}" if len(jobs) > 1 else kind


def _check_outputs(
    jobs: list[Job], output: Path, overwrite: bool, maps: Path | None, *, folder: bool
) -> None:
    """Raise before any work what would go wrong with the outputs afterwards; `maps` is the folder of many."""
    from dpanet.cli.jobs import list_written, prepare_replaceable
    from dpanet.errors import OutputError
    from dpanet.files.output import prepare_output
    from dpanet.images.writing import SUFFIXES

    written = list_written(output) if folder else {}
    for job in jobs:
        if job.defocus_map is not None and (job.defocus_map.parent.is_dir() or not folder):
            for path in job.map_paths:
                prepare_replaceable(path, overwrite, (".png",), written)
    if maps is not None and not maps.is_dir():
        if maps.exists():
            raise OutputError(
                f"{maps} is a file, but a folder of pairs makes many maps; name a folder with --defocus-map"
            )
        if maps.parent.resolve() != output.resolve():  # which is made before it
            prepare_output(maps)
    if folder and not output.is_dir():
        if output.exists():
            raise OutputError(f"{output} is a file, but a folder of pairs makes many; name a folder with -o")
        prepare_output(output)
        return
    for job in jobs:
        prepare_replaceable(job.output, overwrite, SUFFIXES, written)


def _key(model: str, apply: Deblurrer, *options: Any) -> dict[str, Any]:
    """Return what all pictures of a folder depend on: the weights, the options, the versions."""
    import torch

    from dpanet.checkpoints.model_file import weights_hash
    from dpanet.files.store import file_identity
    from dpanet.version import __version__

    *plain, flat_field, output_encoding = options
    return {
        "weights": weights_hash(model),
        "run": [apply.tile, len(apply.mirrors), apply.device.type, str(apply.precision)],
        "views": plain,
        "flat_field": flat_field and [file_identity(sheet) for sheet in flat_field],
        "output_encoding": output_encoding,
        "versions": [__version__, torch.__version__],
    }
