"""An exported site with a stub in place of onnxruntime-web, served on this machine to a headless Chromium."""

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dpanet.app.site import export_site

STUB = Path(__file__).with_name("stub_runtime.js")


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Return a folder like onnxruntime-web's, and the SHA-256 of its files."""
    folder = tmp_path_factory.mktemp("runtime")
    (folder / "dist").mkdir()
    for name in ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"):
        shutil.copyfile(STUB, folder / "dist" / name)
    digest = hashlib.sha256(STUB.read_bytes()).hexdigest()
    return folder, {path.name: digest for path in (folder / "dist").iterdir()}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, runtime: tuple[Path, dict[str, str]]) -> Path:
    return export_site(tmp_path_factory.mktemp("site") / "site", runtime=runtime[0], sha256=runtime[1]).folder


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[Path], str]]:
    """Return a function that serves a folder and returns its address."""
    servers = []

    def start(folder: Path) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def context(chromium: Any) -> Iterator[Any]:
    """Open a browser without stored files; a message in its console, or a foreign request, fails the test."""
    faults: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.on("console", lambda message: faults.append(message.text))
    context.on("weberror", lambda error: faults.append(str(error.error)))
    context.on("request", lambda request: None if is_local(request) else faults.append(request.url))
    yield context
    context.close()
    assert faults == []


def is_local(request: Any) -> bool:
    return request.method == "GET" and request.url.startswith(("http://127.0.0.1:", "blob:http://127.0.0.1:"))
