"""The guard: which hosts and origins may knock.

A page of another site must not drive this server through somebody's browser: not by a form, not by a WebSocket, and
not by a name of its own that it lets point here (DNS rebinding).
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gql_server.api.replies import refusal

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY_VIOLATION = 1008


def host_of(authority: str) -> str:
    """Return the host of a Host header, without its port."""
    if authority.startswith("["):
        return authority.partition("]")[0].lower() + "]"
    return authority.partition(":")[0].lower()


class Guard:
    """Lets through what is addressed to this server and comes from its own pages, or from no page at all."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str], origins: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        headers = Headers(scope=scope)
        if host_of(headers.get("host", "")) not in self._hosts:
            reply = refusal(421, "HOST_NOT_ALLOWED", "This server does not answer to that name.")
        elif self._changes(scope) and not self._is_ours(headers):
            reply = refusal(403, "ORIGIN_NOT_ALLOWED", "Pages of that origin may not use this server.")
        else:
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            # Closed before it was accepted, the handshake ends with 403.
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": ""})
        else:
            await reply(scope, receive, send)

    def _changes(self, scope: Scope) -> bool:
        return scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS

    def _is_ours(self, headers: Headers) -> bool:
        # Browsers always send the header with what changes something; programs carry no one else's credentials.
        origin = headers.get("origin")
        if origin is None or origin.lower() in self._origins:
            return True
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
