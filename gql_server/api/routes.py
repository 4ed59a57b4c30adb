"""The routes: every door of the web application."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from gql_server.api.authentication import Authenticate, Authenticated
from gql_server.api.files import FileDoor
from gql_server.api.graphiql import graphiql_routes
from gql_server.api.graphql_http import GraphQLOverHttp
from gql_server.api.graphql_ws import GraphQLOverWebSocket
from gql_server.api.guard import Guard, host_of
from gql_server.api.masking import report
from gql_server.api.replies import GUARDED, refusal
from gql_server.api.schema import build_schema
from gql_server.api.tus import TusDoor
from gql_server.services.resources import Resources

GRAPHQL = "/graphql"

SENT_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "Tus-Resumable",
    "Upload-Checksum",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
    "X-HTTP-Method-Override",
)
SEEN_HEADERS = (
    "Location",
    "Tus-Checksum-Algorithm",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Resumable",
    "Tus-Version",
    "Upload-Expires",
    "Upload-Id",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
)
"""What pages of allowed origins may send and see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOptions:
    """What the api is told about where it stands."""

    public_url: str | None
    """Where clients find the server, without a slash at its end; None: wherever they found it."""
    allowed_hosts: tuple[str, ...]
    """Names that the server answers to."""
    allowed_origins: tuple[str, ...]
    """Origins whose pages may use it, besides its own."""
    upload_bytes: int
    """The largest upload."""
    graphiql: bool
    """Whether GraphiQL is served."""


def build_routes(resources: Resources, authenticate: Authenticate, options: ApiOptions) -> list[BaseRoute]:
    """Return every route, each behind the guard, and all but GraphiQL's files and health behind authentication."""
    schema = build_schema()
    public = _guards(options)
    private = [*public, Middleware(Authenticated, authenticate=authenticate)]
    tus = TusDoor(resources=resources, upload_bytes=options.upload_bytes, public_url=options.public_url or "")
    return [
        Route(GRAPHQL, GraphQLOverHttp(schema, resources), middleware=private),
        WebSocketRoute(GRAPHQL, GraphQLOverWebSocket(schema, resources), middleware=private),
        *tus.routes(private),
        *FileDoor(resources=resources).routes(private),
        *(graphiql_routes(public) if options.graphiql else ()),
        *health_routes(resources, public),
    ]


def _guards(options: ApiOptions) -> list[Middleware]:
    own = () if options.public_url is None else (options.public_url,)
    origins = (*options.allowed_origins, *own)
    guards = [Middleware(Guard, hosts=(*options.allowed_hosts, *map(_host_of_url, own)), origins=origins)]
    if options.allowed_origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=options.allowed_origins,
            allow_methods=("GET", "HEAD", "POST", "PATCH", "DELETE"),
            allow_headers=SENT_HEADERS,
            expose_headers=SEEN_HEADERS,
        )
        guards.append(cors)
    return guards


def _host_of_url(url: str) -> str:
    return host_of(urlsplit(url).netloc)


def health_routes(resources: Resources, middleware: Sequence[Middleware]) -> list[BaseRoute]:
    """Return `/healthz`, which says that the process answers, and `/readyz`, which says that the database does."""

    async def alive(_: Request) -> Response:
        return PlainTextResponse("ok\n", headers=GUARDED)

    async def ready(_: Request) -> Response:
        try:
            async with resources.database.read_across_tenants():
                return PlainTextResponse("ok\n", headers=GUARDED)
        except Exception as error:  # noqa: BLE001  # drivers have no common base; whatever it is, it is not ready
            facts = {"errorId": report(error, "")}
            return refusal(503, "NOT_READY", "The database does not answer.", facts=facts)

    return [
        Route("/healthz", alive, methods=["GET"], middleware=middleware),
        Route("/readyz", ready, methods=["GET"], middleware=middleware),
    ]
