"""The pairs of a folder that failed, in a file that programs can read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from dpanet.errors import OutputError, shown
from dpanet.files.output import atomic_output

FAILURES = ".dpanet-failed.jsonl"
"""The list in an output folder, hidden beside its log."""


class FailureList:
    """The sentence about each pair that failed, one JSON line each.

    The file holds what is true after the last run, also of one that was stopped: pairs that it did not reach are
    listed as before; those that succeeded, were finished before, or are no longer there are not. There is no file
    where nothing failed.

    Args:
        earlier: content of the file that the run before left; empty if there is none.
        save: writes the file; deletes it if the content is empty.
    """

    def __init__(self, earlier: bytes, save: Callable[[bytes], None]) -> None:
        self._sentences = _parse(earlier)
        self._save = save
        self._saved = earlier

    @classmethod
    def of_file(cls, path: Path) -> FailureList:
        """Return the list in a file.

        Raises:
            OutputError: if it cannot be read.
        """
        try:
            earlier = path.read_bytes() if path.exists() else b""
        except OSError as error:
            raise OutputError(f"{shown(path)} cannot be read ({error.strerror}); delete it") from error

        def save(content: bytes) -> None:
            if not content:
                path.unlink(missing_ok=True)
                return
            with atomic_output(path, overwrite=True) as unfinished:
                unfinished.write_bytes(content)

        return cls(earlier, save)

    def begin(self, names: Iterable[str]) -> None:
        """Forget, before a run, all but the pairs that it is about to try; write the file."""
        tried = set(names)
        self._sentences = {name: text for name, text in self._sentences.items() if name in tried}
        self.write()

    def note(self, name: str, sentence: str | None) -> None:
        """Note that a pair failed, or with None that it did not."""
        self._sentences.pop(name, None)  # so that the order is that of the run
        if sentence is not None:
            self._sentences[name] = sentence

    def write(self) -> None:
        """Write the file, if that changes it."""
        lines = (json.dumps({"name": name, "error": text}) + "\n" for name, text in self._sentences.items())
        content = "".join(lines).encode("ascii")
        if content != self._saved:
            self._save(content)
            self._saved = content


def _parse(content: bytes) -> dict[str, str]:
    """Return the sentences of a list; lines that are none are skipped."""
    sentences = {}
    for line in content.decode("utf-8", "replace").split("\n"):
        try:
            fields = json.loads(line)
            sentences[str(fields["name"])] = str(fields["error"])
        except (ValueError, KeyError, TypeError):
            continue
    return sentences
