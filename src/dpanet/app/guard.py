"""Who may ask: requests of foreign pages and under foreign names are refused, whatever they ask for."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""What the page may load: its own files, nothing else."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every answer."""


class AllowedHosts:
    """Names under which a server is asked, so that a foreign name that leads to this machine is refused.

    Args:
        host: that the server is bound to.
        names: more names, such as that of a proxy.
    """

    def __init__(self, host: str, names: Iterable[str] = ()) -> None:
        self._names = {"localhost", host.lower(), *(name.lower() for name in names)}
        self._any_address = not is_loopback(host)
        if self._any_address:
            self._names |= {socket.gethostname().lower(), f"{socket.gethostname().lower()}.local"}

    def __contains__(self, header: str) -> bool:
        """Whether the header Host names this server; the port may be any, since a page cannot change it."""
        try:
            name = (urlsplit(f"//{header}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return (
            self._any_address or address.is_loopback
        )  # an address is no name that somebody can turn elsewhere


def is_loopback(host: str) -> bool:
    """Whether a host is reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Passes on requests of this server's own page alone, and adds `HEADERS` to every answer."""

    def __init__(self, app: ASGIApp, hosts: AllowedHosts) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        reason = self._why_refused(Headers(scope=scope), scope["path"])
        if reason:
            await JSONResponse({"error": reason}, 403)(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _why_refused(self, headers: Headers, path: str) -> str:
        host = headers.getlist("host")
        if len(host) != 1 or host[0] not in self._hosts:
            return (
                "the server is not asked by that name; open its address, or start dpanet app with --name NAME"
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host[0].lower():
            return "another page asks; open this server's own page"
        site = headers.get("sec-fetch-site", "none")
        opened = path == "/" and headers.get("sec-fetch-mode", "navigate") == "navigate"
        if site not in ("same-origin", "none") and not opened:
            return "another page asks; open this server's own page"
        return ""
