"""A server that all tests of this folder share, and who asks it."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
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
