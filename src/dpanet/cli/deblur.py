"""`dpanet deblur`: two views, or a folder of pairs, become pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from dpanet.cli.options import (
    KeptBlur,
    MaxMegapixels,
    apply_max_megapixels,
    check_strength,
    choose_lens,
    parse_kept_blur,
)
from dpanet.errors import shown
from dpanet.images.source import is_stream
from dpanet.processes.background import Background
from dpanet.terminal.failure import DONE, FAILED, UsageError, describe_error, print_error, print_line

if TYPE_CHECKING:
    from dpanet.deblurrer.deblurrer import Deblurrer

_Flag = Parameter(negative=())


def deblur(
    source: Annotated[Path, Parameter(name="LEFT|FOLDER|RAW")],
    right: Annotated[Path | None, Parameter(name="RIGHT")] = None,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    model: str = "compact",
    tile: str = "auto",
    scale: Literal["auto", 1, 2, 4, 8] = "auto",
    engine: Literal["auto", "onnxruntime", "openvino", "torch"] = "auto",
    device: str = "auto",
    precision: Literal["auto", "float32", "bfloat16", "int8"] = "auto",
    threads: int | None = None,
    tta: Annotated[Literal["auto", 1, 2, 4], Parameter(name=["--tta", "--passes"])] = "auto",
    refine: bool | None = None,
    calibration: Path | None = None,
    find_lens: Annotated[bool, _Flag] = False,
    strength: float = 1.0,
    keep_background: KeptBlur = False,
    keep_foreground: KeptBlur = False,
    overwrite: Annotated[bool, _Flag] = False,
    recursive: Annotated[bool, _Flag] = False,
    camera: Literal["pixel4", "pixel-app", "canon", "canon-right"] | None = None,
    flat_field: Annotated[tuple[Path, Path] | None, _Flag] = None,
    encoding: Literal["srgb", "linear"] | None = None,
    black_level: int | None = None,
    white_level: int | None = None,
    output_encoding: Literal["srgb", "linear"] | None = None,
    compression: int = 1,
    defocus_map: Path | None = None,
    compare: Path | None = None,
    json: Annotated[bool, _Flag] = False,
    cluster: Literal["ray"] | None = None,
    workers: int | None = None,
    max_megapixels: MaxMegapixels = None,
) -> int:
    """Make a sharper picture from the two views of a dual-pixel capture, or from a folder of them.

    A picture is written with the depth of its views (16 bits in, 16 bits out), gray if they are gray, in
    their own encoding and scale, turned the way they are. In a folder, pairs are NAME_left.* with
    NAME_right.*, or files of one name in inputL and inputR, or raw files of a camera; the pictures are called
    NAME.png, or NAME.tif where the views are TIFF or raw. The same command given again skips the pictures of a folder
    that are finished; those whose views or options changed are deblurred again; a picture that was edited since
    is left as it is. What is left out of a folder is named with the reason, and the command ends with exit code 1.

    Parameters
    ----------
    source
        The left view (PNG, TIFF, JPEG, WebP, AVIF, PGM, PPM; - for standard input), a folder of pairs, or a camera's
        raw file with both views (CR2, CR3, DNG).
    right
        The right view; none beside a folder or raw file.
    output
        The picture to write (.png, .tif), or the folder to write pictures to.
    recursive
        Search the folders below FOLDER too; pictures are written to the same folders below the output.
    model
        A model's name, a file of `dpanet export` (.onnx, .xml), or with the extra torch a .safetensors file or an
        official checkpoint (.pth).
    tile
        Largest side in pixels that is worked on at once; 0 for the whole picture.
    scale
        Blur beyond the network's reach is removed at 1/2, 1/4 or 1/8 of the size (2, 4, 8); auto goes as far as the
        blur of the pair requires, 1 never. Only models with a defocus map can.
    engine
        The library that runs the network; auto takes torch if it is installed and there is an NVIDIA GPU, and ONNX
        Runtime otherwise. openvino and torch are extras.
    device
        Where to compute: auto, cpu; with torch also cuda, cuda:1, mps; with ONNX Runtime cuda, coreml, directml, if
        its build has them.
    precision
        Numbers to compute in; auto takes the fastest of which the model is known to lose nothing that shows.
    threads
        Threads that compute on the processor; by default all its cores.
    tta
        Mirror images of the pair whose pictures are averaged: better, and as many times slower; auto takes two,
        and one for the published network.
    refine
        Refine the picture by the optics of the lens: with --camera pixel4, or a calibration, and then by default;
        without them by the lens that is found, as with --find-lens.
    calibration
        A folder with the kernels of the lens, blur_kernels_left.npy and blur_kernels_right.npy, measured over the
        field that the views show.
    find_lens
        Find the lens from each pair itself, also where --camera names a known one, and refine by it if it explains
        the views well enough; the defocus map is then that of the lens. Some 7 seconds of one core for a megapixel.
    strength
        How much is sharpened: 0 (the mean of the views) to 1 (all that the model can).
    keep_background
        Sharpen what lies behind the focal plane only up to this blur radius in px (4 if none is named), so that a
        soft background stays.
    keep_foreground
        Likewise in front of the focal plane.
    overwrite
        Replace outputs that exist, those of other programs and finished ones too.
    camera
        pixel4: the views are raw files of this camera: linear, 14 bits in 16. The central field is written, linear,
        16-bit gray, 0 at the black and 65535 at the white level. pixel-app: the views are those that the Pixel
        capture app writes. canon: a raw file of an unknown maker is taken as Canon's; canon-right: the
        second frame of the raw file is the right half of the sensor, not the left.
    flat_field
        Two raw pictures of a white sheet, left and right, that even out the views of a raw capture.
    encoding
        What the values of the views are: srgb (as for a screen) or linear (proportional to light). The default is
        what the files state, and srgb where they state nothing.
    black_level
        Code of no light in other raw views.
    white_level
        Code of white in other raw views.
    output_encoding
        Encoding of the picture, if not that of the views.
    compression
        Of the picture, without loss: 0 (none) to 9 (slowest). 1 is fast; at 16 bits the others save little.
    defocus_map
        Also write how far each pixel is out of focus, its signed blur radius: a float .tif in px, or a 16-bit .png,
        32768 in focus and 512 codes for each px; and a color picture with a scale, NAME-colour.png, beside it. For a
        folder of pairs, name a folder (of .png).
    compare
        Also write before and after: an .html page with a slider, or a .png strip. For a folder of pairs, name a
        folder (of pages).
    json
        Print one JSON object a line on standard output for each picture, and nothing else there.
    cluster
        ray: deblur the pairs of a folder, or of a URL such as s3://BUCKET/FOLDER, with the workers of the Ray cluster
        that RAY_ADDRESS names, or with those of this machine. Needs the extra cluster. --threads are then the cores
        of each worker, 1 by default.
    workers
        Of a cluster at most; by default as many as it has cores for.
    max_megapixels
        Refuse pictures of more megapixels than this; the default is 400, or DPANET_MAX_MEGAPIXELS.
    """
    apply_max_megapixels(max_megapixels)
    check_strength(strength)
    side = parse_tile(tile)
    if right is None and is_stream(source):
        raise UsageError(
            f"{shown(source)} is a stream; give two views, or save a camera's raw file and name it"
        )
    if compression not in range(10):
        raise UsageError(f"--compression is {compression}; give 0 (none) to 9 (slowest)")
    model_options: dict[str, Any] = {"engine": engine, "tile": side, "device": device, "precision": precision}
    model_options |= {"tta": tta, "scale": scale, "strength": strength}
    model_options["keep_background"] = parse_kept_blur(keep_background)
    model_options["keep_foreground"] = parse_kept_blur(keep_foreground)
    model_options["lens"] = choose_lens(refine, camera, calibration, find=find_lens)
    if cluster is not None:
        from dpanet.cluster.deblur import deblur_on_cluster

        if right is not None or compare is not None:
            other = shown(right) if right is not None else "--compare"
            raise UsageError(f"--cluster is for a folder or URL of pairs; leave out {other}")
        view_options: dict[str, Any] = {"camera": camera, "encoding": encoding, "black_level": black_level}
        view_options |= {"white_level": white_level, "flat_field": flat_field}
        return deblur_on_cluster(
            source,
            output,
            defocus_map,
            model_options | view_options | {"output_encoding": output_encoding, "compression": compression},
            model=model,
            threads=threads,
            workers=workers,
            recursive=recursive,
            overwrite=overwrite,
            json=json,
        )
    if workers is not None:
        raise UsageError("--workers is for --cluster; add that, or leave it out")
    folder = right is None and not source.is_file()
    if recursive and not folder:
        raise UsageError("--recursive is for a folder of pairs; leave it out")

    from dpanet.engines.allocator import share_heap

    share_heap()
    model_options |= {"threads": threads, "reuse_memory": True}
    loading = Background(lambda: _load(model, **model_options))

    from dpanet.jobs.job_list import check_outputs, check_paths, list_jobs, list_single_job
    from dpanet.jobs.result_lines import Computation, choose_lines, print_left_out, print_result
    from dpanet.jobs.views import RAW_FILES, build_row_reader

    problems: list[str] = []
    if folder:
        jobs, found = list_jobs(source, output, defocus_map, recursive, compare)
        for note in found.notes:
            print_line("note", note)
        problems = found.problems
    else:
        jobs = [list_single_job(source, right, output, defocus_map, compare)]
    has_pairs, has_raw = (any((job.right is None) == raw for job in jobs) for raw in (False, True))
    options = (encoding, black_level, white_level, flat_field)
    read_raw = None
    if has_raw:
        from dpanet.jobs.views import build_raw_reader

        read_raw = build_raw_reader(camera, *options)
    read = (
        build_row_reader(None if camera in RAW_FILES and has_raw else camera, *options, output_encoding)
        if has_pairs
        else None
    )
    check_paths(jobs, flat_field or ())
    maps, pages = (defocus_map, compare) if folder else (None, None)
    foreign = check_outputs(jobs, output, overwrite, maps, pages, folder=folder)
    lines = choose_lines(json, model)
    print_left_out(lines, problems, [(job.names, foreign[job.name]) for job in jobs if job.name in foreign])
    jobs = [job for job in jobs if job.name not in foreign]
    if not jobs and not foreign:
        print_error(f"{shown(source)} contains no pair that can be deblurred; see the lines before this one")
        return FAILED

    from dpanet.jobs.deblur_folder import deblur_folder
    from dpanet.jobs.folder_key import build_key
    from dpanet.jobs.job import PairReader, Task
    from dpanet.terminal.progress import Meter

    failed, left_out = 0, len(problems) + len(foreign)
    reader = PairReader(read, read_raw)
    reading = None
    if not folder and not any(is_stream(view) for view in jobs[0].views):  # which may have no end
        reading = Background(lambda: reader(jobs[0]))
    try:
        with Meter(len(jobs)) as meter:
            apply = loading.result()
            apply.progress = meter.tiles
            lines.loaded(Computation.of(apply))
            if defocus_map is not None:
                apply.check_defocus_map()

            def load_again(callers: int) -> Deblurrer:
                return _load(model, **model_options, callers=callers)

            task = Task(reader, apply, output_encoding, compression, meter, lines, model, load_again)
            if folder:
                key = build_key(
                    model,
                    apply,
                    views=[camera, encoding, black_level, white_level],
                    flat_field=flat_field,
                    output_encoding=output_encoding,
                )
                failed = deblur_folder(task, jobs, output, key, overwrite, left_out)
            else:
                opened = reader(jobs[0]) if reading is None else reading.result()
                line = task.write(jobs[0], task.deblur(jobs[0], opened), overwrite)
    except Exception as error:
        if not folder:
            print_result(lines.failed(jobs[0].names, describe_error(error, "deblur")))
        raise
    if not folder:
        print_result(line)
    return FAILED if failed or left_out else DONE


def _load(model: str, **options: Any) -> Deblurrer:
    from dpanet.deblurrer.deblurrer import Deblurrer

    return Deblurrer(model, **options)


def parse_tile(text: str) -> int | Literal["auto"]:
    """Return the value of --tile. Raises: UsageError for another word."""
    if text == "auto":
        return "auto"
    if not text.isdecimal():
        raise UsageError(f"--tile is {text!r}; give auto, a number of pixels, or 0 for the whole picture")
    return int(text)
