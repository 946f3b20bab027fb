"""Which pictures `dpanet deblur` makes of which files, and what is refused before any work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dpanet.containers.raw_file import is_raw_file
from dpanet.errors import OutputError, shown
from dpanet.files.output import delete_abandoned, prepare_output
from dpanet.files.written_files import ForeignFile, list_written, prepare_replaceable, real_path
from dpanet.images.defocus_map import MAP_SUFFIXES
from dpanet.images.pairing import FoundPairs, find_pairs
from dpanet.images.writing import SUFFIXES
from dpanet.jobs.compare import SUFFIXES as COMPARE_SUFFIXES
from dpanet.jobs.deblur_folder import LOG
from dpanet.jobs.job import Job
from dpanet.terminal.failure import UsageError

_MAP_KINDS = ("the defocus map", "the color picture of the map")

RAW_SUFFIXES = (".cr2", ".cr3", ".dng")
"""Of the camera files that a folder of pictures is searched for."""


def list_single_job(
    source: Path, right: Path | None, output: Path, defocus_map: Path | None, compare: Path | None = None
) -> Job:
    """Return the one picture of two views, or of a camera's file.

    Raises:
        UsageError: if they are not that.
    """
    if right is not None:
        if source.is_dir() or right.is_dir():
            raise UsageError(
                f"{shown(source)} and {shown(right)} are not two files; give two views, or one folder"
            )
    elif not is_raw_file(source) and source.suffix.lower() not in RAW_SUFFIXES:  # reading says what ails such
        raise UsageError(
            f"{shown(source)} is only one view; give the left and the right view, a folder of pairs, or a camera's "
            f"raw file with both ({', '.join(RAW_SUFFIXES)})"
        )
    return Job(output.stem, source, right, output, defocus_map, compare)


def list_jobs(
    source: Path,
    output: Path,
    defocus_map: Path | None,
    recursive: bool,
    compare: Path | None = None,
) -> tuple[list[Job], FoundPairs]:
    """Return the pictures of a folder, and what was found there.

    Raises:
        UsageError: if an output is no folder.
        PairError: if the folder contains no views.
    """
    if output.suffix.lower() in SUFFIXES:
        raise UsageError(
            f"{shown(output)} names a picture, but a folder of pairs makes many; name a folder with -o"
        )
    if defocus_map is not None and defocus_map.suffix.lower() in SUFFIXES:
        raise UsageError(
            f"{shown(defocus_map)} names a picture, but a folder of pairs makes many maps; name a folder with "
            "--defocus-map"
        )
    if compare is not None and compare.suffix.lower() in COMPARE_SUFFIXES:
        raise UsageError(
            f"{shown(compare)} names one comparison, but a folder of pairs makes many pages; name a folder with "
            "--compare"
        )
    leave_out = [place for place in (output, defocus_map, compare) if place is not None]
    found = find_pairs(source, recursive=recursive, camera_suffixes=RAW_SUFFIXES, leave_out=leave_out)
    jobs: dict[Path, list[Job]] = {}
    for pair in found.pairs:
        suffix = pair.left.suffix if pair.left.suffix.lower() in SUFFIXES else ".png"
        file = output / f"{pair.name}{'.tif' if pair.right is None else suffix}"
        map_file = None if defocus_map is None else defocus_map / f"{pair.name}.png"
        page = None if compare is None else compare / f"{pair.name}.html"
        jobs.setdefault(file, []).append(Job(pair.name, pair.left, pair.right, file, map_file, page))
    for file, rivals in jobs.items():
        if len(rivals) > 1:
            names = " and ".join(shown(view) for job in rivals for view in job.views)
            found.problems.append(f"{names} would all become {shown(file)}; rename all but one capture")
    return [rivals[0] for rivals in jobs.values() if len(rivals) == 1], found


def _describe_outputs(job: Job) -> Iterator[tuple[Path, str, str, tuple[str, ...]]]:
    """Yield each output, what it is, the option that names it, and the suffixes that it may have."""
    yield job.output, "the picture", "-o", SUFFIXES
    if job.defocus_map is not None:
        for path, kind, suffixes in zip(job.map_paths, _MAP_KINDS, (MAP_SUFFIXES, (".png",)), strict=True):
            yield path, kind, "--defocus-map", suffixes
    if job.compare is not None:
        yield job.compare, "the comparison", "--compare", COMPARE_SUFFIXES


def check_paths(jobs: list[Job], sheets: tuple[Path, ...]) -> None:
    """Refuse outputs that would replace an input or one another, whatever --overwrite says.

    Raises:
        OutputError: naming the output.
    """
    inputs = {
        identity: "one of the views" for job in jobs for path in job.views for identity in _identify(path)
    }
    inputs |= {identity: "one of the white sheets" for path in sheets for identity in _identify(path)}
    outputs: dict[str, str] = {}
    for job in jobs:
        for path, kind, option, _ in _describe_outputs(job):
            for identity in _identify(path):
                if identity in inputs:
                    raise OutputError(f"{shown(path)} is {inputs[identity]}; write {kind} elsewhere")
            place = real_path(path)
            if place in outputs:
                raise OutputError(
                    f"{shown(path)} would be both {outputs[place]} and {kind}; name another place with {option}"
                )
            outputs[place] = f"{kind} of {shown(job.name)}" if len(jobs) > 1 else kind


def check_outputs(
    jobs: list[Job],
    output: Path,
    overwrite: bool,
    maps: Path | None,
    pages: Path | None = None,
    *,
    folder: bool,
) -> dict[str, ForeignFile]:
    """Raise before any work what would go wrong with the outputs afterwards; `maps` and `pages` are folders of many.

    Returns:
        The names of the pairs of a folder that are to be left out, since one of their outputs is there and is not as
        an earlier run wrote it; with that file.

    Raises:
        OutputError: if the output of a single picture exists, or one cannot be written.
        ConfigError: if a suffix is not allowed.
    """
    if not folder:
        (job,) = jobs
        picture, *others = _describe_outputs(job)
        for path, _, _, suffixes in (*others, picture):
            prepare_output(path, overwrite, suffixes)
        delete_abandoned(output.parent)
        return {}
    for place, what, option in (
        (output, "pictures", "-o"),
        (maps, "maps", "--defocus-map"),
        (pages, "pages", "--compare"),
    ):
        if place is not None and place.exists() and not place.is_dir():
            raise OutputError(
                f"{shown(place)} is a file, but a folder of pairs makes many {what}; name a folder with {option}"
            )
        if (
            place is not None
            and not place.is_dir()
            and (place is output or place.parent.resolve() != output.resolve())
        ):
            prepare_output(place)
    written = list_written(output / LOG)
    exists: dict[str, bool] = {}
    foreign: dict[str, ForeignFile] = {}
    for job in jobs:
        for path, _, _, suffixes in _describe_outputs(job):
            parent = os.path.dirname(path)  # noqa: PTH120  # many thousand files
            first = parent not in exists
            if first:
                exists[parent] = path.parent.is_dir()
            if exists[parent]:
                file = prepare_replaceable(path, overwrite, suffixes, written, probe=first)
                if file is not None:
                    foreign.setdefault(job.name, file)
    return foreign


def _identify(path: Path) -> list[tuple[int, int]]:
    """Return what all names of one file share, hard links and other spellings too; empty for no file."""
    try:
        status = path.stat()
    except OSError:
        return []
    return [(status.st_dev, status.st_ino)] if status.st_ino else []
