"""GraphQL over WebSocket: graphql-transport-ws alone."""

import json
from datetime import timedelta

import orjson
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import Message

from gql_server.api.authentication import actor_of
from gql_server.api.context import Context
from gql_server.api.masking import MaskedSchema, report
from gql_server.services.resources import Resources

INIT_WAIT = timedelta(seconds=5)
MAX_SUBSCRIPTIONS = 20


class Handler(BaseGraphQLTransportWSHandler[Context, None]):
    """The protocol, with what is malformed answered instead of crashing."""

    async def handle_message(self, message: Message) -> None:
        """Handle one message."""
        if not _is_well_formed(message):
            await self.handle_invalid_message("Malformed message")
            return
        await super().handle_message(message)

    async def handle_task_exception(self, error: Exception) -> None:
        """Log what ended an operation; strawberry's own way would log messages and documents."""
        report(error, "")

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:  # noqa: ARG004  # strawberry's signature
        # Strawberry closes the socket, with the message as the reason: other subscriptions would end with it, and a
        # long message is no valid reason.
        return None


def _is_well_formed(message: object) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    if message["type"] in ("subscribe", "complete") and not isinstance(message.get("id"), str):
        return False
    if message["type"] != "subscribe":
        return True
    payload = message.get("payload")
    return (
        isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )


class GraphQLOverWebSocket(GraphQL[Context, None]):
    """The endpoint for WebSockets."""

    graphql_transport_ws_handler_class = Handler

    def __init__(self, schema: MaskedSchema, resources: Resources) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=INIT_WAIT,
            max_subscriptions_per_connection=MAX_SUBSCRIPTIONS,
            # The guard has looked at the origin already.
            allowed_origins=("*",),
        )
        self._resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak with one client."""
        await self.run(WebSocket(scope, receive=receive, send=send))

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:  # noqa: ARG002  # strawberry's signature
        """Return the context of the connection; each operation renews it."""
        return Context.of(self._resources, actor_of(request))

    def decode_json(self, data: str | bytes) -> object:
        """Read a message; orjson bounds its nesting."""
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        """Write a message as text; bytes would become a binary frame."""
        return json.dumps(data, separators=(",", ":"))
