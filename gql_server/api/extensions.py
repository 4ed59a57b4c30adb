"""Extensions: loaders of one's own, documents seen before."""

import contextlib
from collections.abc import Iterator

from graphql import GraphQLError
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache

from gql_server.api.context import Context

CACHED_DOCUMENTS = 128


class FreshLoaders(SchemaExtension):
    """Gives each operation its own loaders: a WebSocket has one context for all of its operations."""

    def on_operation(self) -> Iterator[None]:
        """Renew the context."""
        if isinstance(self.execution_context.context, Context):
            self.execution_context.context = self.execution_context.context.renewed()
        yield


class ParsedOnce(ParserCache):
    """Parses a document once."""

    def __init__(self) -> None:
        super().__init__(maxsize=CACHED_DOCUMENTS)

    def on_parse(self) -> Iterator[None]:
        """Parse. What cannot be parsed is left to strawberry: an error raised here would never reach a WebSocket."""
        context = self.execution_context
        with contextlib.suppress(GraphQLError, RecursionError):
            context.graphql_document = self.cached_parse_document(context.query, **context.parse_options)
        yield


class ValidatedOnce(ValidationCache):
    """Validates a document once, unless it was refused already."""

    def __init__(self) -> None:
        super().__init__(maxsize=CACHED_DOCUMENTS)

    def on_validate(self) -> Iterator[None]:
        """Validate."""
        if self.execution_context.pre_execution_errors:
            yield
            return
        yield from super().on_validate()
        # The list belongs to the cache; masking changes it in place.
        self.execution_context.pre_execution_errors = list(self.execution_context.pre_execution_errors or ())
