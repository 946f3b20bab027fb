"""`dpanet convert`: turn an official checkpoint into a file that is safe to open."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def convert(
    official: Annotated[Path, Parameter(name="OFFICIAL.pth")],
    output: Annotated[Path, Parameter(name="OUT.safetensors")],
    /,
    *,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Convert a checkpoint of the official code into a file that is safe to open.

    No code in the checkpoint is run: only numbers and names are read from it.

    Parameters
    ----------
    official
        A checkpoint that the official DPANet code saved.
    output
        The file to write; `dpanet deblur --model` takes it.
    overwrite
        Replace the output if it exists.
    """
    from dpanet.files.output import prepare_output

    prepare_output(output, overwrite, (".safetensors",))

    from dpanet.checkpoints.official import convert_official

    convert_official(official, output, overwrite)
