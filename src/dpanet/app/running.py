"""The server from its start to its end: nothing of it stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import webbrowser
from collections.abc import Iterable, Iterator

import uvicorn

from dpanet.app.deblurring import Models
from dpanet.app.guard import AllowedHosts, is_loopback
from dpanet.app.limits import Limits
from dpanet.app.server import Server
from dpanet.app.temporary_folder import TemporaryFolder
from dpanet.errors import ConfigError, OutputError
from dpanet.formats.limits import set_max_megapixels
from dpanet.terminal.failure import print_line

_PORTS = 20
"""Ports after the first that are tried, where none is named."""


class _Uvicorn(uvicorn.Server):
    """Ends at a signal and lets the caller go on, who deletes the files."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        numbers = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run(
    models: Models, limits: Limits, *, host: str, port: int | None, names: Iterable[str] = (), browser: bool
) -> None:
    """Serve the page until a signal comes (SIGINT, SIGTERM, SIGHUP).

    Args:
        models: that may be chosen.
        limits: of what is taken.
        host: address to be bound to.
        port: to be bound to; 0 for any; None for 7860, or the next that is free.
        names: under which the server may be asked, besides its address.
        browser: whether to open the page.

    Raises:
        OutputError: if the address cannot be bound to.
        ConfigError: if there is no such port.
    """
    set_max_megapixels(limits.megapixels)
    with _bind(host, port) as bound, TemporaryFolder() as folder:
        local = is_loopback(host)
        app = Server(folder.path, models, limits, remote=not local).build(AllowedHosts(host, names))
        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            lifespan="on",
            ws="none",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
            limit_concurrency=256,
        )
        address = f"http://{_shown_host(host)}:{bound.getsockname()[1]}/"
        if not local:
            print_line(
                "warning",
                f"everyone who reaches {host} on this network can use this page, without a password and unencrypted",
            )
        print(f"{address}  (stop with Ctrl-C)", flush=True)
        if browser and _has_display():
            webbrowser.open(address)
        _Uvicorn(config).run(sockets=[bound])
        with contextlib.suppress(OSError, ValueError):
            print("stopped; all pictures are deleted here", file=sys.stderr, flush=True)


def _bind(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens. Raises: OutputError, ConfigError."""
    if port is not None and not 0 <= port <= 65535:  # of which the system would take the remainder
        raise ConfigError(f"port is {port}; it must be 0 (any that is free) to 65535")
    first = 7860 if port is None else port
    wanted = range(first, first + _PORTS) if port is None else [first]
    reason = ""
    for number in wanted:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
            bound = socket.socket(family, kind, protocol)
            try:
                if sys.platform != "win32":
                    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                bound.bind(address)
                bound.listen()  # so that who reads the address is answered
                return bound
            except OSError:
                bound.close()
                raise
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
    raise OutputError(f"{host} port {first} cannot be used ({reason}); choose another --port or --host")


def _has_display() -> bool:
    """Whether there is a screen for a browser; elsewhere one in the terminal could be opened, over the address."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _shown_host(host: str) -> str:
    if host in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host
