"""Call LibRaw so that it neither prints nor fails in its own words."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

from dpanet.errors import UnreadableImageError, shown

_DAMAGE = re.compile(rb"unexpected end of file|data corrupted", re.IGNORECASE)
"""What LibRaw prints, and does not raise, when it fills pixels that it could not decode."""


@contextlib.contextmanager
def libraw(path: str) -> Iterator[None]:
    """Turn the errors and the printed remarks of LibRaw into one error that names the file.

    LibRaw reports damaged pixels on the standard error of the process alone, so that is read here; text of others is
    passed on.

    Raises:
        UnreadableImageError: if LibRaw fails or reports damage.
    """
    import rawpy

    try:
        with _printed() as lines:
            yield
    except (rawpy.LibRawFileUnsupportedError, rawpy.LibRawNotImplementedError) as error:
        raise UnreadableImageError(
            f"{shown(path)} is damaged, or a raw file of a kind that LibRaw cannot decode; copy it again, "
            "or convert it to DNG"
        ) from error
    except (rawpy.LibRawTooBigError, rawpy.LibRawUnsufficientMemoryError, MemoryError) as error:
        raise UnreadableImageError(
            f"{shown(path)} claims more pixels than there is memory for; it is damaged, so copy it again"
        ) from error
    except (rawpy.LibRawError, rawpy.NotSupportedError) as error:
        raise UnreadableImageError(
            f"{shown(path)} is cut or damaged; copy it again from the camera"
        ) from error
    if any(_DAMAGE.search(line) for line in lines):
        raise UnreadableImageError(f"{shown(path)} is cut or damaged; copy it again from the camera")


@contextlib.contextmanager
def _printed() -> Iterator[list[bytes]]:
    """Collect the lines that are printed on file descriptor 2; those not of LibRaw are printed at the end."""
    lines: list[bytes] = []
    with contextlib.suppress(Exception):
        sys.stderr.flush()
    try:
        terminal = os.dup(2)
    except OSError:  # it is closed; nothing can be printed
        yield lines
        return
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield lines
        finally:
            with contextlib.suppress(Exception):
                sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            file.seek(0)
            lines += file.read().splitlines(keepends=True)
            others = b"".join(line for line in lines if not _DAMAGE.search(line))
            if others:
                with contextlib.suppress(OSError):
                    os.write(2, others)
