"""Folders of files, on a file system or on an object store by way of fsspec."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from dpanet.errors import ConfigError, DpanetError, OutputError, shown
from dpanet.extras import named_extra

_URL = re.compile(r"((?:[a-z][a-z0-9+.-]+::)*[a-z][a-z0-9+.-]+):/{1,3}(?!/)(.*)", re.DOTALL)
"""A URL, or one in which `Path` has made one slash of two; a drive of Windows has one letter."""

_PAUSES = (1.0, 4.0)
"""Seconds before another attempt to move a file."""

_VERSIONS = (
    "ETag",
    "etag",
    "md5Hash",
    "content_md5",
    "mtime",
    "LastModified",
    "last_modified",
    "updated",
    "created",
)
"""What file systems call that which changes with the content of a file; the first that is there is taken."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class ObjectState:
    """An object as a listing shows it."""

    size: int
    """In bytes."""
    version: str | None
    """What changes with its content, such as its ETag; None where there is nothing of the kind."""


@dataclass(frozen=True)
class Place:
    """A folder. It is sent to workers: a path on a file system is the same on all machines."""

    name: str
    """Absolute path, or URL, without a slash at its end."""
    local: bool
    """Whether it is a path."""
    given: str = field(default="", compare=False)
    """As the user wrote it, if it is a path."""

    @property
    def folder(self) -> Path:
        """Its path, if it is local; absolute, for workers."""
        assert self.local
        return Path(self.name)

    @property
    def given_folder(self) -> Path:
        """Its path as the user wrote it, if it is local; for this process and its lines."""
        assert self.local
        return Path(self.given or self.name)

    def show(self, file: str = "") -> str:
        """Return its name, or that of a file in it, on one line."""
        name = self.given or self.name
        return shown(f"{name}/{file}" if file else name)

    def open(self) -> tuple[Any, str]:
        """Return the file system of a URL, and the path of the folder in it.

        Raises:
            MissingPackageError: if fsspec is not installed.
            ConfigError: if there is no file system for the URL.
        """
        with named_extra("--cluster", "cluster"):
            from fsspec.core import url_to_fs
        try:
            system, root = url_to_fs(self.name)
        except (ImportError, ValueError) as error:
            raise ConfigError(
                f"{shown(self.name)} cannot be used ({error}); install the package for it on every machine"
            ) from error
        return system, root.rstrip("/")

    def list(self) -> dict[str, ObjectState]:
        """Return all objects below a URL by their names in it; none if there is nothing.

        Raises:
            OutputError: if they cannot be listed.
        """
        system, root = self.open()
        system.invalidate_cache()
        try:
            found = attempt(lambda: system.find(root, detail=True), f"{self.show()} cannot be listed")
        except OutputError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return {}
            raise
        return {
            name[len(root) + 1 :]: state_of(info)
            for name, info in found.items()
            if name.startswith(f"{root}/") and not name.endswith("/")
        }

    def read(self, file: str) -> bytes:
        """Return the content of an object."""
        system, root = self.open()
        content: bytes = attempt(
            lambda: system.cat_file(f"{root}/{file}"), f"{self.show(file)} cannot be read"
        )
        return content

    def write(self, file: str, content: bytes) -> None:
        """Write a whole object."""
        system, root = self.open()
        attempt(lambda: system.pipe_file(f"{root}/{file}", content), f"{self.show(file)} cannot be written")

    def delete(self, file: str) -> None:
        """Delete an object, if it is there."""
        system, root = self.open()
        with contextlib.suppress(FileNotFoundError):
            system.rm_file(f"{root}/{file}")

    def download(self, file: str, path: Path) -> None:
        """Copy an object to a file of this machine."""
        system, root = self.open()
        attempt(
            lambda: system.get_file(f"{root}/{file}", os.fspath(path)), f"{self.show(file)} cannot be read"
        )

    def upload(self, path: Path, file: str) -> ObjectState:
        """Copy a file of this machine to a whole object, and return how a listing shows it."""
        system, root = self.open()
        place = f"{root}/{file}"
        attempt(lambda: system.put_file(os.fspath(path), place), f"{self.show(file)} cannot be written")
        system.invalidate_cache()
        return state_of(attempt(lambda: system.info(place), f"{self.show(file)} cannot be seen"))


def is_url(path: str | os.PathLike[str]) -> bool:
    """Whether an argument is a URL of a file system rather than a path."""
    return bool(_URL.fullmatch(os.fspath(path))) and not os.path.exists(path)  # noqa: PTH110


def find_place(path: str | os.PathLike[str]) -> Place:
    """Return the place that an argument names: a path, or a URL, also one that `Path` has shortened.

    Raises:
        ConfigError: for a URL that other processes cannot reach.
    """
    text = os.fspath(path)
    url = _URL.fullmatch(text)
    if url is None or os.path.exists(text):  # noqa: PTH110
        return Place(os.path.abspath(text), local=True, given=text)  # noqa: PTH100
    protocol, rest = url.groups()
    if protocol in ("file", "local"):
        return Place(os.path.abspath(f"/{rest}"), local=True)  # noqa: PTH100
    name = f"{protocol}://{rest.rstrip('/')}"
    if "::" in protocol or protocol == "memory":
        raise ConfigError(
            f"{shown(name)} is not seen alike by all processes; give a folder, or a URL of an object store, such as "
            "s3://BUCKET/FOLDER"
        )
    return Place(name, local=False)


def state_of(info: dict[str, Any]) -> ObjectState:
    """Return the state of an object from what fsspec says of it."""
    version = next((info[name] for name in _VERSIONS if info.get(name) is not None), None)
    return ObjectState(int(info.get("size") or 0), None if version is None else str(version))


def attempt(act: Callable[[], Result], failure: str) -> Result:
    """Return what a function of a file system does; what may pass is tried again.

    Raises:
        OutputError: with the beginning of a sentence that is given, if it fails every time.
    """
    for pause in (*_PAUSES, None):
        try:
            return act()
        except DpanetError:
            raise
        except Exception as error:
            # what object stores raise is of many kinds; those of a missing object or right do not pass
            if pause is None or isinstance(error, (FileNotFoundError, PermissionError, NotImplementedError)):
                reason = str(error) or type(error).__name__
                raise OutputError(
                    f"{failure} ({reason}); check the name, and whether you may do that"
                ) from error
            time.sleep(pause)
    raise AssertionError
