"""The files of onnxruntime-web of a static site: fetched, checked, with their license. Standard library only."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from dpanet.errors import ConfigError, DpanetError, shown

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"

SHA256 = {
    "ort.wasm.min.mjs": "219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b",
    "ort-wasm-simd-threaded.mjs": "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b",
    "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
"""Files of this version that run networks in WebAssembly, on the processor. That for WebGPU has 26.8 MB alone."""

LICENSE = "MIT"
"""Of onnxruntime-web; the text, and those of what it contains, come with the Python package onnxruntime."""

_NOTICES = ("LICENSE", "ThirdPartyNotices.txt")

_TIMEOUT = 600.0
"""Seconds that npm may take for 33 MB."""


def copy_runtime(folder: Path, source: Path | None = None, sha256: dict[str, str] | None = None) -> None:
    """Copy the files of onnxruntime-web and their licenses into a folder.

    Args:
        folder: exists, and is empty.
        source: the package as npm packs it (.tgz), or its folder; None to fetch it with ``npm pack``.
        sha256: of each file that is copied, in hexadecimal digits; by default those of `SHA256`.

    Raises:
        ConfigError: if a file is missing from the source, or is not the one that was checked.
        DpanetError: if npm is missing or fails.
    """
    with _unpacked(source) as package:
        for name, expected in (sha256 or SHA256).items():
            file = next((path for path in (package / name, package / "dist" / name) if path.is_file()), None)
            if file is None:
                raise ConfigError(
                    f"{shown(source or package)} has no file dist/{name}; give the package {PACKAGE} {VERSION}, "
                    "as its folder or as npm packs it (.tgz)"
                )
            if _hash(file) != expected:
                raise ConfigError(
                    f"{name} of {shown(source or PACKAGE)} has another SHA-256 than that of {PACKAGE} {VERSION}; "
                    "give that version"
                )
            shutil.copyfile(file, folder / name)
    python_package = find_spec("onnxruntime")
    assert python_package is not None and python_package.origin is not None, "part of every installation"
    for name in _NOTICES:
        notice = Path(python_package.origin).with_name(name)
        if not notice.is_file():
            raise DpanetError(
                f"the installed package onnxruntime lacks its file {name}, the license of what the site contains; "
                "install it again"
            )
        shutil.copyfile(notice, folder / name)


@contextmanager
def _unpacked(source: Path | None) -> Iterator[Path]:
    """Yield the folder of the package."""
    if source is not None and source.is_dir():
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="dpanet-runtime-") as text:
        folder = Path(text)
        archive = _fetch(folder) if source is None else source
        try:
            with tarfile.open(archive) as packed:
                packed.extractall(folder, filter="data")
        except (OSError, tarfile.TarError) as error:
            raise ConfigError(
                f"{shown(archive)} cannot be unpacked ({error}); give the folder or the .tgz file of {PACKAGE}"
            ) from error
        yield folder / "package"


def _fetch(folder: Path) -> Path:
    remedy = f"or fetch {PACKAGE} {VERSION} elsewhere and name its .tgz file or its folder with --runtime"
    npm = shutil.which("npm")
    if npm is None:
        raise DpanetError(f"npm is missing, which fetches {PACKAGE}; install it (Node.js), {remedy}")
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(folder)]
    try:
        result = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DpanetError(
            f"npm did not fetch {PACKAGE} within {_TIMEOUT:.0f} s; try again, {remedy}"
        ) from error
    archives = list(folder.glob("*.tgz"))
    if result.returncode or not archives:
        last = (result.stderr.strip().splitlines() or ["no reason stated"])[-1]
        raise DpanetError(f"npm cannot fetch {PACKAGE} {VERSION} ({last}); try again, {remedy}")
    return archives[0]


def _hash(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
