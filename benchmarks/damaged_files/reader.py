"""A process of its own that reads files: what comes of each, and what it costs.

The process prints one line of JSON for each path that it is sent. A crash, a hang or too much memory ends the process
and not the program that reads.
"""

from __future__ import annotations

import faulthandler
import hashlib
import json
import os
import resource
import select
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEMORY = 1000
"""MB; more at a time, by a small file, is a failure."""

SECONDS = 20.0
"""A file that takes longer is a failure."""

_ADDRESS_SPACE = 8 * 2**30


@dataclass(frozen=True)
class Result:
    """What came of a file."""

    outcome: str
    """``read``; ``refused``, with one sentence; or ``failed``."""
    reason: str = ""
    """The sentence of a refusal; why it failed."""
    digest: str = ""
    """Of the pixels, if it was read."""
    megabytes: float = 0.0
    """Most memory of the process meanwhile."""
    seconds: float = 0.0
    notes: str = ""
    """Its ImageWarnings."""


class Reader:
    """Reads files in a process of its own, which is started again when it ends.

    Args:
        program: that answers, this file by default.
        seconds: that an answer may take.
        megabytes: of memory that it may take.
    """

    def __init__(self, program: str = __file__, seconds: float = SECONDS, megabytes: float = MEMORY) -> None:
        self.program, self.seconds, self.megabytes = program, seconds, megabytes
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def read(self, path: Path) -> Result:
        """Read a file."""
        process = self._start() if self._process is None else self._process
        assert process.stdin is not None
        assert process.stdout is not None
        print(json.dumps(str(path)), file=process.stdin, flush=True)
        if not select.select([process.stdout], [], [], self.seconds)[0]:
            self.stop()
            return Result("failed", f"hangs: no answer in {self.seconds:g} s")
        line = process.stdout.readline()
        if not line:
            code = process.wait()
            said = Path(f"{path}.said")
            log = said.read_text(errors="replace") if said.exists() else ""
            self.stop()
            return Result("failed", f"the process ended with {code}\n{log[-3000:]}")
        return self._judge(Result(**json.loads(line)))

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                pipe.close()
            self._process = None

    def _judge(self, result: Result) -> Result:
        if result.outcome != "failed" and result.megabytes > self.megabytes:
            return Result("failed", f"takes {result.megabytes:.0f} MB ({result.outcome}: {result.reason})")
        return result

    def _start(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            [sys.executable, self.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        return self._process


def answer_paths(use: Callable[[Path], str]) -> None:
    """Answer each path on standard input with what comes of using the file; `use` returns a digest of its pixels."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        path = Path(json.loads(line))
        said = Path(f"{path}.said")
        with _captured(said):
            answer = _read(path, use)
        noise = said.read_text(errors="replace")
        said.unlink()
        if noise and answer["outcome"] != "failed":
            answer = {**answer, "outcome": "failed", "reason": f"prints: {noise[:2000]}"}
        print(json.dumps(answer), file=answers, flush=True)


@contextmanager
def _captured(path: Path) -> Iterator[None]:
    """Send what this process prints, libraries included, to a file; what a crash says, too."""
    with path.open("w") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
        faulthandler.enable(file)
        yield
        sys.stdout.flush()
        sys.stderr.flush()
        faulthandler.disable()


def _read(path: Path, use: Callable[[Path], str]) -> dict[str, Any]:
    from dpanet.errors import DpanetError, ImageWarning

    Path("/proc/self/clear_refs").write_text("5")  # the peak of memory starts again
    start, answer = time.monotonic(), {"outcome": "read", "reason": "", "digest": ""}
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("error")
        warnings.simplefilter("always", ImageWarning)
        try:
            answer["digest"] = use(path)
        except DpanetError as error:
            answer |= {"outcome": "refused", "reason": str(error)}
            if "\n" in str(error) or not str(error).isprintable() or path.name not in str(error):
                answer |= {"outcome": "failed", "reason": f"not one sentence that names the file: {error!s}"}
        except BaseException:
            answer |= {"outcome": "failed", "reason": traceback.format_exc()[-3000:]}
    status = Path("/proc/self/status").read_text().split()
    megabytes = int(status[status.index("VmHWM:") + 1]) / 1000
    answer["notes"] = "\n".join(str(note.message) for note in notes)
    return {**answer, "megabytes": megabytes, "seconds": time.monotonic() - start}


def use_file(path: Path) -> str:
    """Read a file in the ways of the package, write the picture, and return the digest of its pixels."""
    from dpanet.camera_raw.reading import read_raw_file
    from dpanet.containers.raw_file import is_raw_file
    from dpanet.images.header import read_header
    from dpanet.images.reading import read_file, read_picture
    from dpanet.images.writing import not_carried, write_picture

    if is_raw_file(path):
        pair = read_raw_file(path)
        return hashlib.sha256(pair.left.tobytes() + pair.right.tobytes()).hexdigest()
    header = read_header(path)
    image = read_file(path)
    size = (header.height, header.width)
    assert image.codes.shape[:2] == size, f"header {size}, pixels {image.codes.shape}"
    digest = hashlib.sha256(repr((image.codes.shape, image.codes.dtype)).encode() + image.codes.tobytes())
    if image.alpha is not None:
        digest.update(image.alpha.tobytes())
    if image.codes.size < 2**20:
        picture = read_picture(path)
        suffix = (".png", ".tif")[digest.digest()[0] % 2]  # either, by chance
        not_carried(picture.metadata, suffix)
        copy = path.with_name(f"{path.stem}-copy{suffix}")
        write_picture(picture, copy, overwrite=True)
        read_picture(copy)
        copy.unlink()
    return digest.hexdigest()


if __name__ == "__main__":
    answer_paths(use_file)
