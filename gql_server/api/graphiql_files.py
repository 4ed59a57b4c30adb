"""The files GraphiQL is made of, ours and the library's.

The page is ours (`graphiql_page/`); GraphiQL, React and graphql-ws come out of an installed wheel, so that nothing
is fetched from elsewhere at run time. `index.html` names the digest of each of the library's files, and the browser
refuses one that differs (docs/decisions/0004).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePath

LIBRARY = "graphene_django_graphiql_static"
LIBRARY_FILES = (
    "graphiql.min.css",
    "graphiql.min.js",
    "graphql-ws.min.js",
    "react-dom.production.min.js",
    "react.production.min.js",
)
PAGE_FILES = ("index.html", "page.css", "page.js", "query.graphql", "subscription.graphql")
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".graphql": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    # GraphiQL's editor sets styles on elements and its style sheet carries its fonts.
    "script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
    "connect-src 'self'"
)
"""What the page may do: nothing that leaves this server, and no script but its files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphiqlFile:
    """One file, as it is sent."""

    content: bytes
    media_type: str


def _sources() -> Iterator[Traversable]:
    page = files("gql_server.api") / "graphiql_page"
    library = files(LIBRARY) / "static" / LIBRARY
    yield from (page / name for name in PAGE_FILES)
    yield from (library / name for name in LIBRARY_FILES)


def read_graphiql_files() -> Mapping[str, GraphiqlFile]:
    """Read every file by its name; the page asks for them under `/graphiql/`, and is `index.html` itself."""
    return {
        source.name: GraphiqlFile(content=source.read_bytes(), media_type=MEDIA_TYPES[PurePath(source.name).suffix])
        for source in _sources()
    }
