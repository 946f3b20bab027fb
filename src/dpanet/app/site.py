"""Export the page as static files that deblur in the visitor's browser.

The site consists of the page, of `page/browser/` in place of the server's engine, of a network, and of
onnxruntime-web. ``files.json`` lists all of them with their SHA-256 and license; the service worker has the same
list, so that it keeps exactly these files for use without a network.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

from dpanet.app.runtime import LICENSE, PACKAGE, VERSION, copy_runtime
from dpanet.checkpoints.shipped_models import SHIPPED, shipped_file
from dpanet.containers.icc_profile import SRGB_PRIMARIES, colorants_of, make_profile
from dpanet.errors import ConfigError, DpanetError, OutputError, shown
from dpanet.images.demo_pair import FOLDER as DEMO
from dpanet.version import __version__

FORMAT = "dpanet-site-1"
"""Value of ``format`` in files.json."""

LARGEST = 25_000_000
"""Bytes of a site, which a visitor downloads once."""

_SERVER_FILES = ("server_deblur.js",)
"""Files of the page that only the server needs."""

_TOP = ("deblur.js", "service_worker.js")
"""Files of `page/browser/` that lie at the top of the site; the others lie in its folder browser."""

_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; style-src 'self'; base-uri 'none'; form-action 'none'"
)
"""Content-Security-Policy: nothing is loaded from, or sent to, another origin."""


@dataclass(frozen=True)
class Site:
    """An exported site."""

    folder: Path
    files: int
    """Number of them."""
    size: int
    """Bytes of all files."""


def export_site(
    folder: Path, model: str = "nano", runtime: Path | None = None, sha256: dict[str, str] | None = None
) -> Site:
    """Write the site; the folder appears, or is replaced, when it is complete.

    Args:
        folder: new, empty, or an exported site, which is replaced.
        model: a shipped name.
        runtime: onnxruntime-web; see `copy_runtime`.
        sha256: of its files; see `copy_runtime`.

    Raises:
        ConfigError: for an unknown model, one with which the site becomes larger than `LARGEST`, or an unusable
            runtime.
        OutputError: if the folder contains something else, or cannot be written.
        DpanetError: if the runtime cannot be fetched.
    """
    if model not in SHIPPED:
        raise ConfigError(f"there is no model {model!r} for a site; give one of {', '.join(SHIPPED)}")
    _check_folder(folder)
    with _replacing(folder) as unfinished:
        _copy_page(unfinished)
        _write_model(unfinished / "model", model)
        (unfinished / "runtime").mkdir()
        copy_runtime(unfinished / "runtime", runtime, sha256)
        size = _list_files(unfinished)
        if size > LARGEST:
            raise ConfigError(
                f"with the model {model} the site has {size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}; give a "
                "smaller model, such as nano"
            )
        count = sum(path.is_file() for path in unfinished.rglob("*"))
    return Site(folder, count, size)


def _check_folder(folder: Path) -> None:
    if not folder.exists():
        if not folder.resolve().parent.is_dir():
            raise OutputError(f"the folder {shown(folder.resolve().parent)} does not exist; create it first")
        return
    if not folder.is_dir():
        raise OutputError(f"{shown(folder)} is no folder; choose another name")
    if any(folder.iterdir()) and not _is_site(folder):
        raise OutputError(
            f"{shown(folder)} contains other files than an exported site; choose another folder"
        )


def _is_site(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / "files.json").read_text("utf-8"))["format"] == FORMAT)
    except (OSError, ValueError, KeyError, TypeError):
        return False


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside `folder`, and put it in its place at the end; delete it if anything fails."""
    place = folder.resolve()
    mark = secrets.token_hex(8)
    unfinished, old = (place.with_name(f".{place.name}-{mark}-{part}") for part in ("new", "old"))
    try:
        unfinished.mkdir()
        try:
            yield unfinished
            if place.exists():
                place.rename(old)
            unfinished.rename(place)
        except BaseException:
            if old.exists() and not place.exists():
                old.rename(place)
            raise
    except OSError as error:
        raise OutputError(
            f"{shown(folder)} cannot be written ({error.strerror}); choose another folder"
        ) from error
    finally:
        for path in (unfinished, old):
            shutil.rmtree(path, ignore_errors=True)


def _copy_page(site: Path) -> None:
    with resources.as_file(resources.files("dpanet.app") / "page") as page:
        shutil.copytree(page, site, ignore=shutil.ignore_patterns(*_SERVER_FILES), dirs_exist_ok=True)
    (site / "example").mkdir(exist_ok=True)
    for side in ("left", "right"):
        shutil.copyfile(DEMO / f"{side}.webp", site / "example" / f"{side}.webp")
    for name in _TOP:
        (site / "browser" / name).rename(site / name)
    index = site / "index.html"
    text = index.read_text("utf-8")
    head = '<meta charset="utf-8">\n'
    if text.count(head) != 1:
        raise DpanetError(f"index.html of the page has no line {head.strip()}; install dpanet again")
    policy = f'  <meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    index.write_text(text.replace(head, head + policy), "utf-8")


def _write_model(folder: Path, name: str) -> None:
    """Write the network, what the page must know of it, and profiles for the files that the page writes."""
    from dpanet.engines.onnx_engine import OnnxEngine

    folder.mkdir()
    weights = []
    with (
        resources.as_file(shipped_file(name, ".onnx")) as graph,
        resources.as_file(shipped_file(name)) as beside,
    ):
        shutil.copyfile(graph, folder / graph.name)
        if beside.name.encode() in graph.read_bytes():  # the weights are not inside
            shutil.copyfile(beside, folder / beside.name)
            weights.append(beside.name)
        model = OnnxEngine(graph).model
    about = {
        "name": model.name,
        "file": graph.name,
        "weights": weights,
        "description": asdict(model.description),
        "license": model.license,
    }
    (folder / "model.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    (folder / "linear_rgb.icc").write_bytes(make_profile("Linear sRGB", 1.0, colorants_of(SRGB_PRIMARIES)))
    (folder / "linear_gray.icc").write_bytes(make_profile("Linear gray", 1.0, None))
    screen = (
        "sRGB curve, colors as before"  # as in containers/written_metadata.py; the page puts in the colors
    )
    (folder / "screen_rgb.icc").write_bytes(make_profile(screen, "srgb", colorants_of(SRGB_PRIMARIES)))
    (folder / "screen_gray.icc").write_bytes(make_profile(screen, "srgb", None))


def _list_files(site: Path) -> int:
    """Write files.json and complete the service worker; return the bytes of all files."""
    worker = site / "service_worker.js"
    paths = sorted(path for path in site.rglob("*") if path.is_file() and path != worker)
    hashes = {path.relative_to(site).as_posix(): hashlib.sha256(path.read_bytes()) for path in paths}
    integrity = {name: base64.b64encode(value.digest()).decode() for name, value in hashes.items()}
    version = hashlib.sha256(json.dumps(integrity, sort_keys=True).encode() + worker.read_bytes()).hexdigest()
    head = "".join(
        f"const {name} = {json.dumps(value, indent=1)};\n"
        for name, value in {"VERSION": version[:16], "POLICY": _POLICY, "FILES": integrity}.items()
    )
    worker.write_text(head + worker.read_text("utf-8"), "utf-8")
    table = {
        "format": FORMAT,
        "dpanet": __version__,
        PACKAGE: VERSION,
        "files": [
            {
                "path": name,
                "bytes": (site / name).stat().st_size,
                "sha256": value.hexdigest(),
                "license": f"{LICENSE} (runtime/LICENSE)" if name.startswith("runtime/") else "MIT",
            }
            for name, value in hashes.items()
        ],
    }
    (site / "files.json").write_text(json.dumps(table, indent=1) + "\n", "utf-8")
    return sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
