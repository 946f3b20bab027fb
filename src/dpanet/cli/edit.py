"""`dpanet edit`: one file from a photo editor, its second view found by name, becomes one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

_SUFFIXES = {"tiff": (".tif", ".tiff"), "png": (".png",)}


def edit(
    *,
    edit: Path,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    format: Literal["tiff", "png"] | None = None,
    model: str = "compact",
    strength: float = 1.0,
    find_lens: Annotated[bool, Parameter(negative=())] = False,
    camera: Literal["canon", "canon-right"] | None = None,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Deblur for a photo editor: one view is named, the other is found beside it; or a dual-pixel raw file.

    This is the command line by which photo programs call an external editor: they name a file and the file that they
    want back. The views are NAME_left.* and NAME_right.* in one folder, or have one name in the folders inputL and
    inputR. The picture has the depth of the views (of a raw file, 16 bits) and appears when it is whole.

    Parameters
    ----------
    edit
        One view of the pair, the left or the right one, or a camera's raw file with both views (CR2, CR3, DNG).
    output
        The picture to write (.tif, .png).
    format
        Its format; the default is what the suffix of the output says.
    model
        A model's name, a file of `dpanet export` (.onnx, .xml), or with the extra torch a .safetensors file or an
        official checkpoint (.pth).
    strength
        How much is sharpened: 0 (the mean of the views) to 1 (all that the model can).
    find_lens
        Find the lens from the pair itself, and refine by it if it explains enough of the blur, as of deblur; some 7
        seconds of one core for a megapixel.
    camera
        For raw files. canon: one of an unknown maker is taken as Canon's; canon-right: the second frame of the raw
        file is the right half of the sensor, not the left.
    overwrite
        Replace a picture that exists. An empty file is always replaced: some programs reserve the name by one.
    """
    from dpanet.cli.deblur import deblur
    from dpanet.containers.raw_file import is_raw_file
    from dpanet.errors import shown
    from dpanet.images.second_view import find_capture
    from dpanet.jobs.job_list import RAW_SUFFIXES
    from dpanet.terminal.failure import UsageError

    suffix = output.suffix.lower()
    if format is not None and suffix not in _SUFFIXES[format]:
        raise UsageError(
            f"{shown(output)} is to be written as {format}, but does not end in {' or '.join(_SUFFIXES[format])}; "
            "change one of the two"
        )
    left, right = edit, None
    if not is_raw_file(edit) and not (edit.is_file() and edit.suffix.lower() in RAW_SUFFIXES):
        capture = find_capture(edit)
        left, right = capture.left, capture.right
        if camera is not None:
            raise UsageError(f"--camera {camera} is for raw files, and {shown(edit)} is none; leave it out")
    reserved = output.is_file() and output.stat().st_size == 0
    return deblur(
        left,
        right,
        output=output,
        model=model,
        strength=strength,
        find_lens=find_lens,
        camera=camera,
        overwrite=overwrite or reserved,
    )
