"""Collects all problems of a data set's files before the first picture is decoded."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dpanet.containers.header import Header
from dpanet.errors import DatasetError, ImageWarning, UnreadableImageError, shown
from dpanet.images.header import read_header
from dpanet.images.pairing import SUFFIXES
from dpanet.pair import SMALLEST_SIDE

MAX_SHOWN = 20
"""Problems that the message of the error shows; its `problems` are all."""


def existing(*paths: Path | None) -> list[Path]:
    """Return the paths that are not None."""
    return [path for path in paths if path is not None]


@dataclass(frozen=True)
class NamedFiles:
    """The files of one role (such as the left views) by the scene's name."""

    folder: Path
    """Where they are."""
    files: dict[str, Path]
    """By the scene's name."""
    ending: str = ".png"
    """What follows the name, for the message about a missing file."""


class DatasetCheck:
    """The problems of one data set, each a phrase that names its file.

    Args:
        root: the data set's folder; problems name files relative to it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[str] = []
        self.bits = 16
        """Lowest bit depth of the views and truths so far."""

    def add_problem(self, problem: str) -> None:
        """Add one problem."""
        self.problems.append(problem)

    def relative_name(self, path: Path) -> str:
        """Return a path, as it can be printed, relative to the root, or unchanged if it is outside."""
        return shown(path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path)

    def list_pictures(self, folder: Path) -> list[Path] | None:
        """List the pictures of a folder, sorted by name; None, and a problem, if it cannot be read.

        Hidden files and files without a picture's suffix (notes, labels) are ignored.
        """
        try:
            files = [path for path in folder.iterdir() if path.is_file()]
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            self.add_problem(
                f"the folder {self.relative_name(folder)} "
                + ("is missing" if missing else f"cannot be read: {error.strerror}")
            )
            return None
        pictures = (path for path in files if path.suffix.lower() in SUFFIXES and path.name[0] != ".")
        return sorted(pictures, key=lambda path: path.name)

    def list_by_name(self, folder: Path, suffix: str = "") -> NamedFiles | None:
        """Return the pictures of a folder by their names without `suffix`; None as `list_pictures`."""
        paths = self.list_pictures(folder)
        if paths is None:
            return None
        named = ((path.stem.removesuffix(suffix), path) for path in paths)
        return NamedFiles(folder, self.index_by_name(named), f"{suffix}.png")

    def index_by_name(self, named: Iterable[tuple[str, Path]]) -> dict[str, Path]:
        """Return one file for each name; a second file of a name is a problem."""
        files: dict[str, Path] = {}
        for name, path in named:
            if name in files:
                first, second = self.relative_name(files[name]), self.relative_name(path)
                self.add_problem(f"{first} and {second} have one name")
            files.setdefault(name, path)
        return files

    def match_names(
        self, roles: Sequence[NamedFiles | None], key: Callable[[str], Any] | None = None
    ) -> list[str]:
        """Return the scenes' names in order; a file that one role has and another lacks is a problem.

        With three roles or more, a name that only one of them has is a problem as an extra file, and no scene.

        Args:
            roles: None for a role whose folder could not be read; it is ignored.
            key: sorts file names; plain order if None.
        """
        readable = [role for role in roles if role is not None]
        names = []
        for name in sorted({name for role in readable for name in role.files}):
            owners = [role.files[name] for role in readable if name in role.files]
            if len(owners) == 1 and len(readable) > 2:
                extra = self.relative_name(owners[0])
                self.add_problem(f"{extra} is an extra file (nothing else has its name)")
                continue
            names.append(name)
            for role in readable:
                if name not in role.files:
                    missing = self.relative_name(role.folder / f"{name}{role.ending}")
                    self.add_problem(f"{missing} is missing")
        if not names and len(readable) == len(roles):
            self.add_problem("there are no scenes")
        return sorted(names, key=lambda name: key(f"{name}.png") if key else f"{name}.png")

    def read_header(self, path: Path) -> Header | None:
        """Read a picture's header; None, and a problem, if the file cannot be used."""
        try:
            header = read_header(path)
        except UnreadableImageError as error:
            reason = str(error).removeprefix(str(path)).removeprefix(shown(path)).strip().partition("; ")[0]
            self.add_problem(f"{self.relative_name(path)} {reason}")
            return None
        if min(header.width, header.height) < SMALLEST_SIDE:
            self.add_problem(f"{self.relative_name(path)} is {_size(header)}, under {SMALLEST_SIDE} px")
            return None
        return header

    def check_scene(
        self, views: Iterable[Path], others: Iterable[Path], bits: int, finished: Iterable[Path] = ()
    ) -> None:
        """Check size, bit depth and color of the existing files of one scene.

        Args:
            views: must have one size and one depth, and be both gray or both in color.
            others: must have the views' size.
            bits: lowest depth of views and others.
            finished: pictures of other methods; must have the views' size, but any depth. Most programs drop the
                orientation; a warning names a picture whose pixels may therefore be turned against the views.
        """
        seen = [(path, header) for path in views if (header := self.read_header(path))]
        sized = seen + [(path, header) for path in others if (header := self.read_header(path))]
        shallow = [(path, header) for path, header in sized if header.bits < bits]
        for path, header in shallow:
            name = self.relative_name(path)
            self.add_problem(f"{name} has {header.bits} bits where {bits} are expected")
        self.bits = min([self.bits, *(header.bits for _, header in sized)])
        if len({_kind(header) for _, header in seen}) > 1 and not shallow:
            self._add_difference(seen[0], seen[1], _kind)
        if len({header.orientation for _, header in seen}) > 1:
            self._add_difference(seen[0], seen[1], _orientation)
        for one in sized[len(seen) :] if seen else ():
            if not _lie_on_each_other(one[1], seen[0][1]):
                self._add_difference(one, seen[0], _orientation)
        for path in finished:
            if header := self.read_header(path):
                sized.append((path, header))
                if seen:
                    self._check_turned((path, header), seen[0])
        for path, header in sized[1:]:
            first, expected = sized[0]
            if (header.width, header.height) != (expected.width, expected.height):
                self.add_problem(
                    f"{self.relative_name(path)} is {_size(header)} "
                    f"and {self.relative_name(first)} {_size(expected)}"
                )

    def _check_turned(self, one: tuple[Path, Header], view: tuple[Path, Header]) -> None:
        """Check the orientation of a finished picture."""
        if _lie_on_each_other(one[1], view[1]):
            return
        if one[1].orientation != 1:
            self._add_difference(one, view, _orientation)
            return
        warnings.warn(
            f"{self.relative_name(one[0])} has no orientation and {self.relative_name(view[0])} is "
            f"{_orientation(view[1])}; its pixels are compared as they are stored",
            ImageWarning,
            stacklevel=3,
        )

    def _add_difference(
        self, one: tuple[Path, Header], other: tuple[Path, Header], describe: Callable[[Header], str]
    ) -> None:
        """Add the problem that two files of a scene differ, with both values."""
        (path, header), (first, expected) = one, other
        self.add_problem(
            f"{self.relative_name(path)} is {describe(header)} and {self.relative_name(first)} {describe(expected)}"
        )

    def raise_problems(self, expected: str) -> None:
        """Raise one error with all problems, if there are any.

        Args:
            expected: what the folder should be, such as "a data set of layout dpdd".

        Raises:
            DatasetError: with all problems.
        """
        count = len(self.problems)
        if count:
            listed = self.problems[:MAX_SHOWN]
            listed += [f"and {count - MAX_SHOWN} more"] if count > MAX_SHOWN else []
            raise DatasetError(
                f"{shown(self.root)} has {count} {'problem' if count == 1 else 'problems'} as {expected}: "
                f"{'; '.join(listed)}; mend the files, then start again",
                tuple(self.problems),
            )


def _lie_on_each_other(header: Header, view: Header) -> bool:
    """Whether the stored pixels of a picture are turned like those of a view, as far as their orientations say.

    Where one of them has none and the other is turned by a quarter, the equal size of what is not square decides.
    """
    one, other = header.orientation, view.orientation
    if one == other:
        return True
    quarter = min(one, other) == 1 and max(one, other) >= 5
    return quarter and header.width != header.height


def _kind(header: Header) -> str:
    return f"{header.bits}-bit {'gray' if header.channels <= 2 else 'color'}"


def _orientation(header: Header) -> str:
    return f"of EXIF orientation {header.orientation}"


def _size(header: Header) -> str:
    return f"{header.width} x {header.height} px"
