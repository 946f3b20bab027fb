"""Tables of picture files: each case writes one by an independent writer and states what must come of reading it.

A module ``test_*`` beside this one imports Case, Expected, judge and table from ``formats.format_table``, registers
a function that yields its cases with `table`. Run this file to print how many combinations of each table are read
right, refused with a sentence, or wrong.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dpanet.errors import DpanetError, ImageWarning
from dpanet.images.reading import read_file

Outcome = Literal["right", "refused", "wrong"]


@dataclass(frozen=True)
class Expected:
    """What reading a file must return."""

    codes: NDArray[Any]
    """Exact values and type, H x W or H x W x 3."""
    alpha: NDArray[Any] | None = None
    """Exact values and type, H x W."""
    tolerance: float = 0.0
    """Largest difference allowed, in codes (for lossy compression)."""
    fields: tuple[tuple[str, Any], ...] = ()
    """Other fields of the decoded image, such as ``("icc", b"...")``."""


@dataclass(frozen=True)
class Case:
    """One file."""

    name: str
    """Unique in its table; also the name of the file, without suffix."""
    write: Callable[[Path], object]
    """Writes the file by another writer than the package's, or by hand."""
    expected: Expected | str | None
    """What it contains; or a part of the sentence that refuses it; None for any refusal."""
    suffix: str = ".tif"
    warning: str | None = None
    """A part of the warning that must come; None for no warning."""


@dataclass(frozen=True)
class Result:
    """What came of a case."""

    outcome: Outcome
    reason: str = ""
    """Why it is wrong, or the sentence that refused it."""


_TABLES: dict[str, Callable[[], Iterable[Case]]] = {}


def table(name: str) -> Callable[[Callable[[], Iterable[Case]]], Callable[[], Iterable[Case]]]:
    """Register a function that yields the cases of a table."""

    def register(cases: Callable[[], Iterable[Case]]) -> Callable[[], Iterable[Case]]:
        _TABLES[name] = cases
        return cases

    return register


def run(case: Case, folder: Path, read: Callable[[Path], Any] = read_file) -> Outcome:
    """Write the file of a case in `folder`, read it and compare."""
    return judge(case, folder, read).outcome


def judge(case: Case, folder: Path, read: Callable[[Path], Any] = read_file) -> Result:
    """Do as `run`, and say why a case is wrong."""
    path = folder / f"{case.name.replace('/', '_')}{case.suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        case.write(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            image = read(path)
        except DpanetError as error:
            return _judge_refusal(case, path, str(error))
        except Exception:
            return Result("wrong", traceback.format_exc())
        finally:
            path.unlink()
    if not isinstance(case.expected, Expected):
        return Result("wrong", "it was read; it must be refused")
    reason = difference(image, case.expected) or _wrong_warnings(case, caught)
    return Result("wrong", reason) if reason else Result("right")


def difference(image: Any, expected: Expected) -> str:
    """Return how a decoded image differs from what was expected; empty if it does not."""
    for name, came, wanted in (
        ("codes", image.codes, expected.codes),
        ("alpha", image.alpha, expected.alpha),
    ):
        if (came is None) != (wanted is None):
            return f"{name} {'is missing' if came is None else 'came without being in the file'}"
        if came is None or wanted is None:
            continue
        if came.shape != wanted.shape or came.dtype != wanted.dtype:
            return f"{name} is {came.dtype} {came.shape}, not {wanted.dtype} {wanted.shape}"
        error = np.abs(came.astype(np.float64) - wanted.astype(np.float64))
        if not (error <= expected.tolerance).all():
            return f"{name} differs by up to {error.max()}"
    for name, wanted in expected.fields:
        if getattr(image, name) != wanted:
            return f"{name} is {getattr(image, name)!r}, not {wanted!r}"
    return ""


def _judge_refusal(case: Case, path: Path, sentence: str) -> Result:
    if isinstance(case.expected, Expected):
        return Result("wrong", f"it must be read; refused: {sentence}")
    if "\n" in sentence or str(path) not in sentence:
        return Result("wrong", f"not one sentence that names the file: {sentence}")
    if case.expected and case.expected not in sentence:
        return Result("wrong", f"the sentence lacks {case.expected!r}: {sentence}")
    return Result("refused", sentence)


def _wrong_warnings(case: Case, caught: list[warnings.WarningMessage]) -> str:
    texts = [f"{one.category.__name__}: {one.message}" for one in caught]
    if case.warning is None:
        return f"unexpected {texts[0]}" if texts else ""
    if not any(issubclass(one.category, ImageWarning) and case.warning in str(one.message) for one in caught):
        return f"no ImageWarning with {case.warning!r} came, but {texts}"
    return ""


def main() -> int:
    """Run all tables and print their counts; 1 if a case is wrong."""
    folder = Path(__file__).parent
    sys.path.insert(0, str(folder.parent))
    sys.modules["formats.format_table"] = sys.modules["__main__"]
    for module in sorted(folder.glob("test_*.py")):
        if "formats.format_table" in module.read_text(encoding="utf-8"):
            importlib.import_module(f"formats.{module.stem}")
    total: Counter[str] = Counter()
    print(f"{'table':24} {'written':>8} {'right':>8} {'refused':>8} {'wrong':>8}")
    with tempfile.TemporaryDirectory() as place:
        for name, cases in _TABLES.items():
            counts: Counter[str] = Counter()
            for case in cases():
                result = judge(case, Path(place))
                counts.update((result.outcome, "written"))
                if result.outcome == "wrong":
                    print(f"  wrong: {name}/{case.name}: {result.reason}")
            _print(name, counts)
            total.update(counts)
    _print("all", total)
    return 1 if total["wrong"] else 0


def _print(name: str, counts: Counter[str]) -> None:
    print(f"{name:24} " + " ".join(f"{counts[key]:8}" for key in ("written", "right", "refused", "wrong")))


if __name__ == "__main__":
    sys.exit(main())
