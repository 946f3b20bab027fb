"""Find the captures in a folder: two views each, by name, never by position in a listing; or one camera file each."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dpanet.errors import PairError, counted, shown

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".webp", ".avif", ".pgm", ".ppm", ".pnm")
"""Of the pictures that are read, in lower case."""

_LIST = f"views are {', '.join(SUFFIXES)}"

VIEW = re.compile(r"(?P<name>.+)(?P<gap>[_ ])(?P<side>left|right)", re.IGNORECASE | re.DOTALL)

SIDE_FOLDERS = {"inputL": "left", "inputR": "right"}

_SIDECARS = (
    *(".csv", ".db", ".dop", ".html", ".ini", ".json", ".jsonl", ".log", ".md", ".mie", ".npy", ".npz"),
    *(".pp3", ".toml", ".txt", ".xml", ".xmp", ".yaml", ".yml"),
)
"""Suffixes of files that describe a picture or a folder and are no views, whatever their names."""


@dataclass(frozen=True)
class NamedPair:
    """The files of one capture."""

    name: str
    """Of the capture, with the folder in which it lies if that is below the searched one: ``day 2/IMG_1``."""
    left: Path
    """Its left view, or the camera file with both views."""
    right: Path | None
    """Its right view; None beside a camera file."""


@dataclass
class FoundPairs:
    """What a folder contains."""

    pairs: list[NamedPair] = field(default_factory=list)
    """In natural order (2 before 10)."""
    problems: list[str] = field(default_factory=list)
    """One sentence for each capture that is left out and each folder that cannot be read."""
    notes: list[str] = field(default_factory=list)
    """One sentence for each thing that is not used although no capture is lost by it."""


_Reason = tuple[str, str]
"""Why files cannot be views, as the end of a sentence about one, and about several."""

_NAMED = 3
"""Pictures with other names that are named at most."""


@dataclass
class _Candidates:
    """The files that claim to be views of one capture."""

    views: dict[str, list[Path]] = field(default_factory=lambda: {"left": [], "right": []})
    unusable: list[tuple[str, _Reason, str]] = field(default_factory=list)
    """Side, reason, path."""


def find_pairs(
    folder: str | os.PathLike[str],
    *,
    recursive: bool = False,
    camera_suffixes: Sequence[str] = (),
    leave_out: Iterable[Path] = (),
) -> FoundPairs:
    """List the captures of a folder, and what is left out, each with its reason; no file is opened.

    Pairs are NAME_left.* with NAME_right.* (a space is as good as the underscore), and inputL/NAME.* with
    inputR/NAME.*. Hidden files are ignored, pictures with other names counted. If a name has two candidates for one
    side, the capture is left out.

    Args:
        folder: where to search.
        recursive: whether to search the folders below too; links are followed, but no folder is searched twice.
        camera_suffixes: in lower case, of files that are a capture each.
        leave_out: folders that are not searched, such as the output's.

    Raises:
        PairError: if the folder does not exist, cannot be read, or contains no views.
    """
    folder = Path(folder)
    if not folder.is_dir():
        if not folder.exists():
            raise PairError(f"{shown(folder)} does not exist; check the name")
        raise PairError(f"{shown(folder)} is not a folder; give a folder of pairs, or two views")
    search = _Search(tuple(camera_suffixes), {_identity(path) for path in leave_out if path.is_dir()})
    search.run(folder, recursive)
    found = search.found
    for name in sorted(search.candidates, key=_order):
        _judge(name, search.candidates[name], found)
    found.pairs.sort(key=lambda pair: _order(pair.name))
    if not found.pairs and not found.problems:
        below = "; add --recursive to search the folders below" if search.folders_below else ""
        raise PairError(
            f"{shown(folder)} contains no views; they are named NAME_left.png and NAME_right.png (or .tif, .jpg), "
            f"or lie under one name in inputL and inputR{below}"
        )
    if search.folders_below:
        found.notes.append(
            f"{counted(search.folders_below, 'folder')} in {shown(folder)} "
            f"{'is' if search.folders_below == 1 else 'are'} not searched; add --recursive for the pairs there"
        )
    if search.other_names:
        found.notes.append(_describe_others(search.other_names, folder))
    return found


def natural_key(name: str) -> list[tuple[int, int | str]]:
    """Return a sorting key under which 2 comes before 10."""
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", name)]


class _Search:
    """One walk through a folder, and those below it."""

    def __init__(self, camera_suffixes: tuple[str, ...], leave_out: set[tuple[int, int]]) -> None:
        self.found = FoundPairs()
        self.candidates: dict[str, _Candidates] = {}
        self.folders_below = 0
        """Number of folders that were not searched."""
        self.other_names: list[str] = []
        """Paths of pictures that are no views by their names."""
        self._camera_suffixes = camera_suffixes
        self._leave_out = leave_out
        self._seen: set[tuple[int, int]] = set()
        """Identities of the folders that were searched: a link may lead back to any of them."""

    def run(self, folder: Path, recursive: bool) -> None:
        """Search a folder; real folders before links to folders, so that a link never takes their place."""
        waiting = [(folder, "", "")]
        links: list[tuple[Path, str, str]] = []
        while waiting or links:
            path, prefix, side = waiting.pop(0) if waiting else links.pop(0)
            identity = _identity(path)
            if identity in self._leave_out and path != folder and path.name not in SIDE_FOLDERS:
                continue
            if identity in self._seen:
                self.found.notes.append(
                    f"{shown(path)} leads to a folder that is searched anyway; it is not followed"
                )
                continue
            self._seen.add(identity)
            for entry in self._list(path, folder):
                if entry.name.startswith("."):
                    continue
                if not _is(entry, os.DirEntry.is_dir) or _is_named_like_view(entry.name, side):
                    self._take(entry, prefix, side)
                    continue
                inner = (path / entry.name, prefix, side)
                if not side and entry.name in SIDE_FOLDERS:
                    inner = (path / entry.name, prefix, SIDE_FOLDERS[entry.name])
                elif recursive:
                    inner = (path / entry.name, f"{prefix}{entry.name}/", side)
                else:
                    self.folders_below += not side and _identity(path / entry.name) not in self._leave_out
                    continue
                (links if entry.is_symlink() else waiting).append(inner)

    def _list(self, path: Path, top: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(path) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            sentence = (
                f"the folder {shown(path)} cannot be read ({error.strerror}); check whether you may read it"
            )
            if path == top:
                raise PairError(sentence) from error
            self.found.problems.append(sentence)
            return []

    def _take(self, entry: os.DirEntry[str], prefix: str, side: str) -> None:
        """Add a file to the candidates of its capture, if it is a view by its name or its folder."""
        stem, suffix = os.path.splitext(entry.name)  # noqa: PTH122  # no Path for each of many thousand files
        suffix = suffix.lower()
        if suffix in _SIDECARS:
            return
        if not side and (view := VIEW.fullmatch(stem)):
            stem, side = view["name"], view["side"].lower()
        if side:
            reason = _why_unusable(entry, suffix)
            candidates = self.candidates.setdefault(prefix + stem, _Candidates())
            if reason:
                candidates.unusable.append((side, reason, shown(entry.path)))
            else:
                candidates.views[side].append(Path(entry.path))
        elif suffix in self._camera_suffixes:
            if _is(entry, os.DirEntry.is_file):
                self.found.pairs.append(NamedPair(prefix + stem, Path(entry.path), None))
            elif reason := _why_unusable(entry, suffix):
                self.found.problems.append(f"{shown(entry.path)} {reason[0]}")
        elif suffix in SUFFIXES:
            self.other_names.append(entry.path)


def _is_named_like_view(name: str, side: str) -> bool:
    """Return whether a folder has the name of a view, as if it were a file."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122  # as above
    return suffix.lower() in SUFFIXES and bool(side or VIEW.fullmatch(stem))


def _why_unusable(entry: os.DirEntry[str], suffix: str) -> _Reason | None:
    """Return why a file cannot be a view; None if it can."""
    if _is(entry, os.DirEntry.is_dir):
        return "is a folder, and a view is a file; rename it", "are folders, and views are files; rename them"
    if not _is(entry, os.DirEntry.is_file):
        if entry.is_symlink():
            return "leads to no file; mend the link", "lead to no file; mend the links"
        return "is not a regular file; export it again", "are not regular files; export them again"
    if suffix not in SUFFIXES:
        kind = f" {shown(suffix)}" if suffix else " without a suffix"
        return (
            f"is{kind}, which views are not; export it as PNG or TIFF",
            f"are{kind}, which views are not; export them as PNG or TIFF",
        )
    return None


def _describe_others(paths: list[str], folder: Path) -> str:
    """Return a sentence about pictures that are no views by their names."""
    names = [shown(os.path.relpath(path, folder)) for path in sorted(paths, key=natural_key)]
    listed = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    verbs = ("has another name", "is") if len(names) == 1 else ("have other names", "are")
    return (
        f"{counted(len(names), 'picture')} in {shown(folder)} {verbs[0]} and {verbs[1]} left out ({listed}); "
        "views are named NAME_left.* and NAME_right.*"
    )


def _judge(name: str, candidates: _Candidates, found: FoundPairs) -> None:
    """Add a pair, or the reason why it is none."""
    left, right = candidates.views["left"], candidates.views["right"]
    reasons: dict[_Reason, list[str]] = {}
    for _, reason, path in candidates.unusable:
        reasons.setdefault(reason, []).append(path)
    if len(left) == len(right) == 1:
        found.pairs.append(NamedPair(name, left[0], right[0]))
        found.notes += [
            f"{path} is not used, since the pair {shown(name)} is complete without it"
            for paths in reasons.values()
            for path in paths
        ]
        return
    parts: list[str] = []
    for reason, paths in reasons.items():
        part = f"{' and '.join(paths)} {reason[len(paths) > 1]}"
        if "which views are not" in part and not any(
            _LIST in problem for problem in (*found.problems, *parts)
        ):
            part += f" ({_LIST})"  # once for a folder
        parts.append(part)
    for side, other in (("left", "right"), ("right", "left")):
        views = candidates.views[side]
        if len(views) > 1:
            names = " and ".join(shown(path) for path in views)
            parts.append(f"{names} are {len(views)} {side} views of one pair; leave one of them there")
        elif (
            not views
            and candidates.views[other]
            and all(unusable != side for unusable, _, _ in candidates.unusable)
        ):
            alone = " and ".join(shown(path) for path in candidates.views[other])
            parts.append(
                f"{alone} has no {side} view; the views are named NAME_left.* and NAME_right.*, or lie under one "
                "name in inputL and inputR"
            )
    found.problems.append("; ".join(parts))


def _order(name: str) -> tuple[list[tuple[int, int | str]], str]:
    return natural_key(name), name


def _identity(path: Path) -> tuple[int, int]:
    """Return what two paths to one folder have in common."""
    try:
        status = path.stat()
    except OSError:
        return -1, hash(path)
    return status.st_dev, status.st_ino


def _is(entry: os.DirEntry[str], kind: Callable[[os.DirEntry[str]], bool]) -> bool:
    """Whether an entry is a folder or a file, as `kind` asks; not if that cannot be seen."""
    try:
        return kind(entry)
    except OSError:
        return False
