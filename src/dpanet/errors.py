"""All errors that a user can mend. The message of each is one sentence that names the file or key.

DpanetError
├── PairError             two views that do not belong together, or unusable pixels
├── UnreadableImageError  a file that is missing, empty, damaged or no picture
├── DatasetError          a data set with files that are missing, left over or of the wrong kind
├── ReportError           a folder without a complete evaluation
├── OutputError           an output that exists or cannot be written
├── WeightsError          a checkpoint that is damaged, unsafe or of another network
├── ConfigError           an unknown or impossible value of a config or an option
├── TrainingError         a run that cannot go on, because the loss is not finite or memory ran out
├── WorkerError           a process that ended before its work was done
├── MissingPackageError   a package of an extra that is not installed
└── ShapeError            arrays or tensors whose shapes do not fit each other

ImageWarning, a UserWarning, is no failure: a remark on something of a file that is not used or not carried over.
"""

from __future__ import annotations

import os


def shown(path: str | os.PathLike[str]) -> str:
    r"""Return a file's name or path as it can be printed on one line.

    Bytes that are not UTF-8, line ends, control characters and invisible characters (which can also turn the
    direction of the text) are shown as escapes: ``a\xff.png``, ``a\n.png``.
    """
    text = os.fspath(path)
    return text if text.isprintable() else "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as Python keeps it in names
        return f"\\x{code - 0xDC00:02x}"
    if 0x80 <= code <= 0xFFFF:
        return f"\\u{code:04x}"
    return character.encode("unicode_escape").decode("ascii")


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 pair``, ``2 pairs``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def why_no_folder(path: str | os.PathLike[str]) -> str:
    """Return the beginning of a sentence about a path that should be a folder: it does not exist, or is none."""
    return f"{shown(path)} {'is not a folder' if os.path.lexists(path) else 'does not exist'}"


class DpanetError(Exception):
    """Base of all errors that a user can mend; the text is one clear sentence."""


class ImageWarning(UserWarning):
    """Something of a file is not used, not carried over or not as stated; the text is one clear sentence.

    Args:
        message: the sentence.
        once: names a kind of remark of which the command line shows only the first, whatever file it is about; by
            default every different sentence is shown.
        of_pair: whether it is about a pair that it does not name; the command line puts the name before it.

    >>> import warnings
    >>> from dpanet import ImageWarning
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always", ImageWarning)
    ...     warnings.warn("left.png has a damaged eXIf chunk; it is not used", ImageWarning)
    >>> str(caught[0].message)
    'left.png has a damaged eXIf chunk; it is not used'
    """

    def __init__(self, message: str, once: str | None = None, *, of_pair: bool = False) -> None:
        super().__init__(message)
        self.once, self.of_pair = once, of_pair


class PairError(DpanetError):
    """The two views do not belong together, or their pixels are unusable."""


class UnreadableImageError(DpanetError):
    """The file is missing, empty, truncated or not a picture."""


class DatasetError(DpanetError):
    """The data set does not follow its layout."""

    def __init__(self, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems
        """All that is wrong, one phrase each."""


class ReportError(DpanetError):
    """The folder contains no complete evaluation to make a report of."""


class OutputError(DpanetError):
    """The output exists already or cannot be written."""


class WeightsError(DpanetError):
    """The checkpoint is damaged, unsafe to open, or belongs to another network."""


class ConfigError(DpanetError):
    """A value of a config or an option is unknown or impossible."""


class TrainingError(DpanetError):
    """A training run cannot go on; its last checkpoint is intact."""


class WorkerError(DpanetError):
    """A worker process ended before its work was done."""


class MissingPackageError(DpanetError, ImportError):
    """A package of an extra is not installed; the text says what to type."""


class ShapeError(DpanetError, ValueError):
    """The shapes of arrays or tensors do not fit each other or the operation."""
