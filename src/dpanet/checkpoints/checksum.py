"""Whether a file of a model is as it was written: the SHA-256 that it states itself. Standard library only."""

from __future__ import annotations

import hashlib
import mmap
import re
from importlib import resources
from pathlib import Path

from dpanet.checkpoints.shipped_models import shipped_file
from dpanet.errors import WeightsError, shown

NOT_STATED = "0" * 64
"""Stands for the SHA-256 in a file's metadata, under the key ``sha256``, while it is computed."""

SUMS = "SHA256SUMS"
"""Beside the shipped files, in the form of the program ``sha256sum``: their SHA-256."""

_STATED = re.compile(rb'sha256(?:"|&quot;): ?(?:"|&quot;)([0-9a-f]{64})')
"""The digits in the JSON of an ONNX file, of OpenVINO's .xml, of a .safetensors file."""


def state_checksum(path: Path) -> None:
    """Write into a file whose metadata have `NOT_STATED` the SHA-256 that `check_file` compares.

    It is that of the file with these digits as zeros and, of OpenVINO's .xml, of the .bin file behind it.
    """
    stated, position, computed = _read_checksum(path)
    assert stated == NOT_STATED and position is not None, f"{path} has no place for its checksum"
    with path.open("r+b") as file:
        file.seek(position)
        file.write(computed.encode())


def check_file(path: Path) -> None:
    """Check a file, and the .bin file beside OpenVINO's .xml; one that states no checksum passes.

    Raises:
        WeightsError: if the file is another than was written.
    """
    try:
        stated, _, computed = _read_checksum(path)
    except OSError:
        return  # who loads the file says what is wrong
    if stated in (NOT_STATED, None, computed):
        return
    files = f"{shown(path)} or the .bin file beside it" if path.suffix.lower() == ".xml" else shown(path)
    raise WeightsError(
        f"{files} is damaged or was changed by another program: its SHA-256 is not the one that it states; copy it "
        "again from where it came, or make it anew"
    )


def check_shipped(name: str, suffix: str = ".safetensors") -> None:
    """Check the file of a shipped model, and of an ONNX file the .safetensors file beside it, which has its weights.

    Raises:
        WeightsError: if one is another than was shipped.
    """
    sums = _read_sums()
    for ending in dict.fromkeys((suffix, ".safetensors")):
        with resources.as_file(shipped_file(name, ending)) as path:
            stated = sums.get(path.name)
            if stated is None or not path.is_file():
                continue
            with path.open("rb") as file:
                computed = hashlib.file_digest(file, "sha256").hexdigest()
            if computed != stated:
                raise WeightsError(
                    f"{shown(path)} is damaged: its SHA-256 is not that in {SUMS} beside it; install dpanet again, "
                    "such as with `pip install --force-reinstall --no-deps dpanet`"
                )


def write_sums(folder: Path) -> None:
    """Write `SUMS` of all models in the folder of the shipped files."""
    files = sorted(file for file in folder.iterdir() if file.suffix in (".onnx", ".safetensors"))
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (folder / SUMS).write_text("".join(lines), encoding="ascii", newline="\n")


def parse_sums(text: str) -> dict[str, str]:
    """Return the SHA-256 of each file by its name, as ``sha256sum`` writes them."""
    return {name: digits for digits, _, name in (line.partition("  ") for line in text.splitlines())}


def _read_sums() -> dict[str, str]:
    """Return the SHA-256 of each shipped file by its name; of no file if `SUMS` is missing."""
    try:
        text = (resources.files("dpanet.checkpoints") / "shipped" / SUMS).read_text(encoding="ascii")
    except (OSError, ValueError):
        return {}
    return parse_sums(text)


def _read_checksum(path: Path) -> tuple[str | None, int | None, str]:
    """Return the SHA-256 that a file states and where, None if it states none, and the one that it has.

    Raises:
        OSError: if the file, or the .bin file of an .xml file, cannot be read.
    """
    if not path.is_file() or not path.stat().st_size:  # an empty file cannot be mapped
        return None, None, ""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found = _STATED.search(content)
        if found is None:
            return None, None, ""
        stated, (begin, end) = found[1].decode(), found.span(1)
        del found  # it refers to the map
        digest = hashlib.sha256()
        with memoryview(content) as view:
            for piece in (view[:begin], NOT_STATED.encode(), view[end:]):
                digest.update(piece)
                if isinstance(piece, memoryview):
                    piece.release()
    if path.suffix.lower() == ".xml":
        with path.with_suffix(".bin").open("rb") as weights:
            for piece in iter(lambda: weights.read(1 << 20), b""):
                digest.update(piece)
    return stated, begin, digest.hexdigest()
