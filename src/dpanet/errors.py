"""What goes wrong, in one tree. Every message is one sentence that names the file or key.

DpanetError
├── PairError             two views that do not belong together, or a picture that is not one
├── UnreadableImageError  a file that is missing, empty, damaged or no picture
├── DatasetError          a data set with files that are missing, left over or of the wrong kind
├── ReportError           a folder without a complete evaluation
├── OutputError           an output that exists or cannot be written
├── WeightsError          a checkpoint that is damaged, unsafe or of another network
├── ConfigError         a setting with an impossible value
├── TrainingError         a run that cannot go on: the loss is no number any more, memory ran out
├── WorkerError           a process that ended before its work was done
└── ShapeError            tensors whose shapes do not fit each other
"""


def counted(number: int, noun: str) -> str:
    """In words for a sentence: ``1 pair``, ``2 pairs``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


class DpanetError(Exception):
    """Base of all errors that a user can mend; its text is one clear sentence."""


class PairError(DpanetError):
    """The two views do not belong together, or their pixels are unusable."""


class UnreadableImageError(DpanetError):
    """The file is missing, empty, truncated or not a picture."""


class DatasetError(DpanetError):
    """The data set is not as its layout says; `problems` lists all that is wrong with it, one phrase each."""

    def __init__(self, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class ReportError(DpanetError):
    """The folder holds no complete evaluation to make a report of."""


class OutputError(DpanetError):
    """The output exists already or cannot be written."""


class WeightsError(DpanetError):
    """The checkpoint is damaged, unsafe to open, or belongs to another network."""


class ConfigError(DpanetError):
    """A setting is unknown or has an impossible value."""


class TrainingError(DpanetError):
    """A run cannot go on as it is; what it reached is kept."""


class WorkerError(DpanetError):
    """A worker process ended before its work was done."""


class ShapeError(DpanetError, ValueError):
    """Tensors whose shapes do not fit each other or the operation."""
