"""What the page asks for, and the answers."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import warnings
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from dpanet.app.capture import SIDES, Capture
from dpanet.app.deblurring import Models, check_view, write_after, write_download
from dpanet.app.guard import AllowedHosts, Guard
from dpanet.app.limits import Limits
from dpanet.app.page_files import load_page
from dpanet.app.page_words import CAMERAS, RECOGNIZE
from dpanet.app.requests import read_control, read_new_capture, read_values, refuse
from dpanet.app.temporary_folder import create_file, is_own_file
from dpanet.app.visitors import BusyError, Visitor, Visitors
from dpanet.app.worker import Worker
from dpanet.containers.raw_file import is_raw_file
from dpanet.errors import DpanetError, shown
from dpanet.terminal.streams import show_notes

DESCRIPTIONS = {
    "compact": "The better picture, and a defocus map",
    "nano": "Several times as fast; no defocus map of its own",
}
"""Of shipped models, for the page."""

_SWEEP = 60.0
"""Seconds between two searches for pages that were closed."""

_KINDS = {"picture.png": (".png", "image/png"), "picture.tiff": (".tif", "image/tiff")}
_PREVIEWS = ("before", "after", "defocus")


class Server:
    """The server of one page.

    Args:
        folder: temporary, for all files.
        models: that may be chosen, the first by default.
        limits: of what is taken.
        remote: whether others than this machine's user may ask.
    """

    def __init__(self, folder: Path, models: Models, limits: Limits, remote: bool = False) -> None:
        self.limits, self._models, self._remote = limits, models, remote
        self._worker = Worker(models, limits)
        self.visitors = Visitors(folder, self._worker, limits)
        self._page = load_page()
        self._writing = asyncio.Lock()  # one download at a time takes memory

    def build(self, hosts: AllowedHosts) -> Starlette:
        """Return the application; its worker runs as long as the application does."""
        routes = [
            Route("/capabilities", self._capabilities),
            Route("/visitors", self._visitors, methods=["POST", "GET", "DELETE"]),
            Route("/jobs", self._add, methods=["POST"]),
            Route("/jobs/{id}", self._state, methods=["GET", "DELETE"]),
            Route("/jobs/{id}/{name}", self._receive, methods=["PUT"]),
            Route("/jobs/{id}/{name}", self._picture, methods=["GET"]),
            Route("/{name:path}", self._file),
        ]
        return Starlette(
            routes=routes,
            middleware=[Middleware(Guard, hosts=hosts)],
            exception_handlers={HTTPException: _explain, BusyError: _busy, DpanetError: _unusable},
            lifespan=self._live,
        )

    @contextlib.asynccontextmanager
    async def _live(self, _: Starlette) -> AsyncIterator[None]:
        async def sweep() -> None:
            while True:
                await asyncio.sleep(_SWEEP)
                self.visitors.remove_idle()

        with warnings.catch_warnings():
            show_notes()  # those of the worker are held back for the page
            self._worker.start()
            task = asyncio.create_task(sweep())
            try:
                yield
            finally:
                task.cancel()
                await run_in_threadpool(self._worker.stop)

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"] or "index.html"
        if name not in self._page:
            raise refuse(404, "there is no such page")
        content, kind = self._page[name]
        return Response(content, headers={"Content-Type": kind})

    async def _capabilities(self, request: Request) -> Response:
        models = [{"name": name, "description": DESCRIPTIONS.get(name, "")} for name in self._models.sources]
        return JSONResponse(
            {
                "models": models,
                "cameras": [
                    {"name": name, "description": text} for name, text in {"": RECOGNIZE, **CAMERAS}.items()
                ],
                "raw": True,
                "folder": True,
                "maxPixels": self.limits.pixels,
                "maxBytes": self.limits.bytes,
                "defocusMap": True,
                "keepBackground": True,
                "refine": True,
                "where": "server",
                "privacy": "Pictures are on this page's computer until you leave."
                if self._remote
                else "Everything stays on this computer.",
            }
        )

    async def _visitors(self, request: Request) -> Response:
        if request.method == "POST":
            return JSONResponse({"visitor": self.visitors.add().token}, 201)
        visitor = self._visitor(request)
        if request.method == "DELETE":
            self.visitors.remove(visitor)
        return JSONResponse({})

    async def _add(self, request: Request) -> Response:
        visitor = self._visitor(request)
        wanted = await read_new_capture(request, self._models.sources)
        return JSONResponse({"id": self.visitors.add_capture(visitor, *wanted).id}, 201)

    async def _state(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.visitors.remove_capture(self._visitor(request), request.path_params["id"])
            return JSONResponse({})
        _, capture = self._capture(request)
        self._worker.refresh(capture)
        return JSONResponse(capture.to_json())

    async def _receive(self, request: Request) -> Response:
        visitor, capture = self._capture(request)
        side = request.path_params["name"]
        if (
            side not in SIDES
            or side not in capture.names
            or side in capture.files
            or capture.state != "sending"
        ):
            raise refuse(409, "this file is not expected; choose the pictures again")
        name = capture.names[side]
        stated = request.headers.get("content-length", "0")
        size = int(stated) if stated.isdecimal() else 0
        self._check_bytes(name, size)
        self.visitors.check_room(size)
        path = capture.upload_path[side]
        received = 0
        new = create_file(path)
        try:
            with new as file:
                async for part in request.stream():
                    received += len(part)
                    self._check_bytes(name, received)
                    file.write(part)
        except BaseException as error:
            path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise BusyError(
                    f"{shown(name)} cannot be stored ({error.strerror}); try again later"
                ) from error
            if isinstance(error, ClientDisconnect):
                self.visitors.remove_capture(visitor, capture.id)
                return JSONResponse({})
            raise
        capture.stored += received
        try:
            await run_in_threadpool(self._check_file, capture, side, path)
        except DpanetError as error:
            self.visitors.remove_capture(visitor, capture.id)
            raise refuse(422, capture.describe(str(error))) from error
        capture.files[side] = path
        if capture.files.keys() == capture.names.keys() and not capture.canceled.is_set():
            self._worker.submit(capture)
        return JSONResponse({}, 201)

    def _check_bytes(self, name: str, size: int) -> None:
        if size > self.limits.bytes:
            raise refuse(
                413,
                f"{shown(name)} is larger than {self.limits.megabytes:g} MB, and no larger file is taken; give a "
                "smaller one, or start dpanet app with a larger --max-megabytes",
            )

    def _check_file(self, capture: Capture, side: str, path: Path) -> None:
        raw = is_raw_file(path)
        if len(capture.names) == 1 and not raw:
            raise DpanetError(
                f"{shown(capture.names[side])} is only one view, and no raw file with both; give the left and the "
                "right view"
            )
        if not raw and capture.camera is None:
            check_view(path, capture.names[side], self.limits)

    async def _picture(self, request: Request) -> Response:
        _, capture = self._capture(request)
        name = request.path_params["name"]
        if capture.state != "done":
            raise refuse(404, "there is no picture yet; wait until it is done")
        control = read_control(request.query_params)
        if control.needs_defocus_map and (capture.result is None or capture.result.span is None):
            raise refuse(400, "this model has no defocus map; choose one that has, such as compact")
        if name in _KINDS:
            suffix, kind = _KINDS[name]
            values = read_values(request.query_params)
            path = await self._written(
                capture, suffix, lambda file: write_download(capture, control, values, file)
            )
            title = quote(f"{capture.title}_sharp{suffix}")
            headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{title}", "X-Dpanet-Name": title}
            return FileResponse(
                path, media_type=kind, headers=headers, background=BackgroundTask(path.unlink, True)
            )
        if name == "after" and not control.is_plain:
            path = await self._written(capture, ".png", lambda file: write_after(capture, control, file))
            return FileResponse(path, media_type="image/png", background=BackgroundTask(path.unlink, True))
        if name not in _PREVIEWS or not is_own_file(capture.preview(name)):
            raise refuse(404, "there is no such picture")
        return FileResponse(capture.preview(name), media_type="image/png")

    async def _written(self, capture: Capture, suffix: str, write: Callable[[Path], None]) -> Path:
        """Return a new file that `write` has written, to be deleted when it was sent."""
        path = capture.folder / f"{secrets.token_hex(8)}{suffix}"
        async with self._writing:
            try:
                await run_in_threadpool(write, path)
            except OSError as error:  # deleted meanwhile
                raise refuse(404, "the picture is not there any more; choose the pictures again") from error
        return path

    def _visitor(self, request: Request) -> Visitor:
        visitor = self.visitors.find(request.headers.get("x-dpanet-visitor", ""))
        if visitor is None:
            raise refuse(401, "this page is not known any more, as it was idle too long; reload it")
        return visitor

    def _capture(self, request: Request) -> tuple[Visitor, Capture]:
        visitor = self._visitor(request)
        capture = visitor.captures.get(request.path_params["id"])
        if capture is None:
            raise refuse(404, "these pictures are not there any more; choose them again")
        return visitor, capture


async def _explain(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code)


async def _busy(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 503)


async def _unusable(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 422)
