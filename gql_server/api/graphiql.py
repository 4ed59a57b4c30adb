"""GraphiQL: its page, from our own files."""

from collections.abc import Mapping, Sequence

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gql_server.api.graphiql_files import CONTENT_SECURITY_POLICY, GraphiqlFile, read_graphiql_files
from gql_server.api.replies import GUARDED, refusal

PAGE = "/graphiql/"


def graphiql_routes(middleware: Sequence[Middleware]) -> list[BaseRoute]:
    """Return the routes of the page and its files; the files are read once, here."""
    files = read_graphiql_files()

    async def serve(request: Request) -> Response:
        return _reply(files, request.path_params.get("name", "index.html"))

    async def redirect(_: Request) -> Response:
        return RedirectResponse(PAGE)

    return [
        Route("/", redirect, methods=["GET"], middleware=middleware),
        Route("/graphiql", redirect, methods=["GET"], middleware=middleware),
        Route(PAGE, serve, methods=["GET"], middleware=middleware),
        Route(PAGE + "{name}", serve, methods=["GET"], middleware=middleware),
    ]


def _reply(files: Mapping[str, GraphiqlFile], name: str) -> Response:
    file = files.get(name)
    if file is None:
        return refusal(404, "NOT_FOUND", "There is no such file.")
    headers = {
        **GUARDED,
        "Cache-Control": "no-cache",
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Content-Type": file.media_type,
        "X-Frame-Options": "DENY",
    }
    return Response(file.content, headers=headers)
