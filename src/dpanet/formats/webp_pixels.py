"""Decode the pixels of a WebP with libvips.

The loader of WebP, alone among those that are used, runs in the thread pool of libvips. The threads of a pool do not
survive a fork, so in a process that was forked after libvips had been loaded, it would wait for them forever. There,
the pixels are decoded in a new process.
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

from dpanet.containers.decoded_image import Codes
from dpanet.containers.vips import open_data, to_codes

_DAMAGED = 3
"""Exit code of the new process if libvips cannot decode the file."""

_PROGRAM = """
import sys
from dpanet.formats.webp_pixels import decode_here
pixels = decode_here(sys.stdin.buffer.read())
if pixels is None:
    sys.exit(3)
sys.stdout.buffer.write(pixels)
"""

_forked = [False]
"""Whether this process was forked after libvips had been loaded."""


def _note_fork() -> None:
    _forked[0] = _forked[0] or "pyvips" in sys.modules


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def decode_pixels(data: bytes, height: int, width: int) -> Codes | None:
    """Decode a WebP, of an animation the first frame.

    Returns:
        height x width x 3, or x 4 with alpha; None if the pixels are damaged or of another size.

    Raises:
        OSError: if a new process is needed and fails.
    """
    if not _forked[0]:
        pixels = decode_here(data)
        return None if pixels is None or pixels.shape[:2] != (height, width) else pixels
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], input=data, capture_output=True, env=environment, check=False
    )
    if done.returncode not in (0, _DAMAGED):
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise OSError(f"the process that decodes WebP failed (exit code {done.returncode}): {last}")
    channels, rest = divmod(len(done.stdout), height * width)
    if rest or channels not in (3, 4):
        return None
    return np.frombuffer(bytearray(done.stdout), np.uint8).reshape(height, width, channels)


def decode_here(data: bytes) -> Codes | None:
    """Decode a WebP in this process: H x W x 3, or x 4 with alpha; None if the pixels are damaged."""
    import pyvips

    try:
        return to_codes(open_data(data, "webpload"))
    except pyvips.Error:
        return None
