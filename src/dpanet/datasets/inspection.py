"""Finds all that is wrong with the files of a data set before the first picture is decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dpanet.errors import DatasetError, UnreadableImageError
from dpanet.images.header import Header, read_header
from dpanet.images.pairing import SUFFIXES
from dpanet.pair import SMALLEST_SIDE

_TOLD = 20
"""Problems named in the message; the error carries them all."""


def existing(*paths: Path | None) -> list[Path]:
    """Those that were found."""
    return [path for path in paths if path is not None]


@dataclass(frozen=True)
class Listing:
    """The files that play one part, by the scene's name: ``NAME`` + `ending` in `folder`."""

    folder: Path
    files: dict[str, Path]
    ending: str = ".png"


class Inspection:
    """The problems of one data set, each a phrase that names its file.

    root: the data set's folder; files in it are named from there on. bits: the lowest depth met in views
    and truths, 16 before any.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[str] = []
        self.bits = 16

    def note(self, problem: str) -> None:
        self.problems.append(problem)

    def name(self, path: Path) -> str:
        """As it is told: from the root on where it lies inside, whole where not."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def pictures(self, folder: Path) -> list[Path] | None:
        """The picture files of a folder in plain order of name; None, and a problem, if there is no such folder.

        Hidden files and whatever is no picture by its suffix (notes, labels) are passed over.
        """
        try:
            found = [path for path in folder.iterdir() if path.is_file()]
        except OSError as error:
            absent = isinstance(error, FileNotFoundError)
            self.note(
                f"the folder {self.name(folder)} " + ("is missing" if absent else f"fails: {error.strerror}")
            )
            return None
        shown = (path for path in found if path.suffix.lower() in SUFFIXES and path.name[0] != ".")
        return sorted(shown, key=lambda path: path.name)

    def listing(self, folder: Path, suffix: str = "") -> Listing | None:
        """All pictures of a folder by their names without `suffix`; None as `pictures`."""
        paths = self.pictures(folder)
        if paths is None:
            return None
        named = ((path.stem.removesuffix(suffix), path) for path in paths)
        return Listing(folder, self.unique(named), f"{suffix}.png")

    def unique(self, named: Iterable[tuple[str, Path]]) -> dict[str, Path]:
        """One file for each name; a second one is a problem."""
        files: dict[str, Path] = {}
        for name, path in named:
            if name in files:
                self.note(f"{self.name(files[name])} and {self.name(path)} have one name")
            files.setdefault(name, path)
        return files

    def agree(self, listings: Sequence[Listing | None], key: Callable[[str], Any] | None = None) -> list[str]:
        """The scenes' names in order; a file that one part has and another lacks is a problem.

        Where there are three parts or more, a name that one alone has counts as a file too many, and is no
        scene. `key` sorts file names.
        """
        known = [listing for listing in listings if listing is not None]
        names = []
        for name in sorted({name for listing in known for name in listing.files}):
            holders = [listing.files[name] for listing in known if name in listing.files]
            if len(holders) == 1 and len(known) > 2:
                self.note(f"{self.name(holders[0])} is an extra file (nothing else has its name)")
                continue
            names.append(name)
            for listing in known:
                if name not in listing.files:
                    self.note(f"{self.name(listing.folder / f'{name}{listing.ending}')} is missing")
        if not names and len(known) == len(listings):
            self.note("there are no scenes")
        return sorted(names, key=lambda name: key(f"{name}.png") if key else f"{name}.png")

    def header(self, path: Path) -> Header | None:
        """What the file says of itself; None, and a problem, if it cannot be used."""
        try:
            header = read_header(path)
        except UnreadableImageError as error:
            what = str(error).removeprefix(str(path)).strip().partition("; ")[0]
            self.note(f"{self.name(path)} {what}")
            return None
        if min(header.width, header.height) < SMALLEST_SIDE:
            self.note(f"{self.name(path)} is {_size(header)}, under {SMALLEST_SIDE} px")
            return None
        return header

    def scene(
        self, views: Iterable[Path], others: Iterable[Path], bits: int, given: Iterable[Path] = ()
    ) -> None:
        """Check the existing files of one scene.

        views:  of one size, of one depth and both gray or both in colour.
        others: of the views' size. Views and others have at least `bits`.
        given:  of the views' size, of any depth.
        """
        shown = [(path, header) for path in views if (header := self.header(path))]
        sized = shown + [(path, header) for path in others if (header := self.header(path))]
        shallow = [(path, header) for path, header in sized if header.bits < bits]
        for path, header in shallow:
            self.note(f"{self.name(path)} has {header.bits} bits where {bits} are expected")
        self.bits = min([self.bits, *(header.bits for _, header in sized)])
        if len({(header.bits, header.channels == 1) for _, header in shown}) > 1 and not shallow:
            left, right = (self.name(path) for path, _ in shown)
            self.note(f"{left} and {right} differ in depth or colour")
        sized += [(path, header) for path in given if (header := self.header(path))]
        for path, header in sized[1:]:
            first, model = sized[0]
            if (header.width, header.height) != (model.width, model.height):
                self.note(f"{self.name(path)} is {_size(header)} and {self.name(first)} {_size(model)}")

    def finish(self, subject: str) -> None:
        """Raises: DatasetError with all problems, if there are any; `subject` says what the folder is to be."""
        count = len(self.problems)
        if count:
            told = self.problems[:_TOLD] + ([f"and {count - _TOLD} more"] if count > _TOLD else [])
            raise DatasetError(
                f"{self.root} has {count} {'problem' if count == 1 else 'problems'} as {subject}: "
                f"{'; '.join(told)}; mend the files, then start again",
                tuple(self.problems),
            )


def _size(header: Header) -> str:
    return f"{header.width} x {header.height} px"
