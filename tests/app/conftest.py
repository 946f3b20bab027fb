"""A server that all tests of this folder share, and who asks it."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from app.browser_page import Open
from app.running_app import LIMITS, RunningApp, Visitor, write_view


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """A server with small limits, which all tests share."""
    running = RunningApp(tmp_path_factory.mktemp("app") / "tmp", *LIMITS)
    yield running
    running.stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., RunningApp]]:
    """Return a function that starts a server with options."""
    running: list[RunningApp] = []

    def begin(*options: str) -> RunningApp:
        running.append(RunningApp(tmp_path / f"tmp{len(running)}", *options))
        return running[-1]

    yield begin
    for one in running:
        one.stop(signal.SIGKILL)


@pytest.fixture
def visitor(app: RunningApp) -> Iterator[Visitor]:
    one = Visitor(app)
    yield one
    one.ask("DELETE", "/visitors")


@pytest.fixture
def views(tmp_path: Path) -> tuple[Path, Path]:
    """Two views of 56 x 40 px, 16 bits."""
    return write_view(tmp_path / "IMG_left.png", 1), write_view(tmp_path / "IMG_right.png", 2)


@pytest.fixture
def large_views(tmp_path: Path) -> tuple[Path, Path]:
    return tuple(
        write_view(tmp_path / f"BIG_{side}.png", size=(400, 700), bits=8) for side in ("left", "right")
    )  # type: ignore[return-value]


@pytest.fixture
def open_page(chromium: Any, app: RunningApp) -> Iterator[Open]:
    """Return a function that opens the page; a foreign request or an error of the page fails the test."""
    faults: list[str] = []
    contexts = []

    def show(width: int = 1280, **options: Any) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on(
            "console",
            lambda message: "Failed to load resource" in message.text or faults.append(message.text),
        )
        page.on("request", lambda request: note(request.url))
        page.goto(app.url)
        page.wait_for_selector("body[data-ready]")
        return page

    def note(url: str) -> None:
        if not url.startswith("blob:") and urlsplit(url).netloc != app.address:
            faults.append(f"request: {url}")

    yield show
    for context in contexts:
        context.close()
    assert faults == []
