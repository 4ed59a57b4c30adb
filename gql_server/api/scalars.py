"""Scalars: ids, cursors, counts, times and digests."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError, GraphQLScalarType
from strawberry.types.scalar import ScalarDefinition

from gql_server.api.enums import ErrorCode
from gql_server.api.ids import GlobalId
from gql_server.api.paging import decode_position, encode_position
from gql_server.domain.errors import GqlServerError
from gql_server.domain.events import Cursor
from gql_server.domain.paging import Position

SafeInt = NewType("SafeInt", int)
PacketTime = NewType("PacketTime", int)
Sha256 = NewType("Sha256", str)

LARGEST_SAFE_INTEGER = 2**53 - 1
NANOSECONDS = 1_000_000_000


def refusal(code: ErrorCode, message: str) -> GraphQLError:
    """Return the error that turns a value down before anything is executed."""
    return GraphQLError(message, extensions={"code": code.value})


def _coded(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def parse_or_refuse(value: Any) -> Any:
        try:
            return parse(value)
        except GqlServerError as error:
            raise refusal(error.code, str(error)) from error

    return parse_or_refuse


def parse_safe_int(value: Any) -> int:
    """Read a count: a whole number from 0 to 2^53 - 1."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_SAFE_INTEGER:
        raise refusal(ErrorCode.INVALID_INPUT, f"A whole number from 0 to {LARGEST_SAFE_INTEGER} is wanted.")
    return value


def _exact(value: int) -> int:
    if not 0 <= value <= LARGEST_SAFE_INTEGER:
        raise ValueError(value)
    return value


def parse_sha256(value: Any) -> str:
    """Read a digest in either case."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise refusal(ErrorCode.INVALID_INPUT, "A SHA-256 has 64 hexadecimal digits.")
    return value.lower()


def parse_time(value: Any) -> datetime:
    """Read an RFC 3339 time with its offset."""
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise refusal(ErrorCode.INVALID_INPUT, "An RFC 3339 time is wanted.") from error
    if time.tzinfo is None:
        raise refusal(ErrorCode.INVALID_INPUT, "A time carries its offset.")
    return time.astimezone(UTC)


def format_time(time: datetime) -> str:
    """Write a time in UTC with microseconds."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def format_packet_time(time_ns: int) -> str:
    """Write nanoseconds since the epoch in UTC with all nine digits."""
    seconds, nanoseconds = divmod(time_ns, NANOSECONDS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


def _refuse_input(_: Any) -> Any:
    raise refusal(ErrorCode.INVALID_INPUT, "This scalar is only ever given out.")


def _id_definition() -> ScalarDefinition:
    definition = strawberry.scalar(
        name="ID",
        description="The opaque, globally unique name of a node; it stays the same for good.",
        serialize=GlobalId.encode,
        parse_value=_coded(GlobalId.decode),
    )
    # graphql-core keeps the name for its own type, which takes any text: a bad id would get as far as a resolver.
    implementation = GraphQLScalarType(
        name="GlobalId",
        description=definition.description,
        serialize=definition.serialize,
        parse_value=definition.parse_value,
    )
    implementation.name = definition.name
    return replace(definition, implementation=implementation)


RFC_3339 = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6"

SCALARS: dict[object, ScalarDefinition] = {
    GlobalId: _id_definition(),
    Position: strawberry.scalar(
        name="Cursor",
        description="A place in a connection, to be handed back as it came. It stays good when rows come and go.",
        specified_by_url="https://relay.dev/graphql/connections.htm#sec-Cursor",
        serialize=encode_position,
        parse_value=_coded(decode_position),
    ),
    Cursor: strawberry.scalar(
        name="EventCursor",
        description="A place in the event log, to be handed back as it came: what follows it is everything after it.",
        specified_by_url="https://relay.dev/graphql/connections.htm#sec-Cursor",
        serialize=Cursor.encode,
        parse_value=_coded(lambda value: Cursor.decode(str(value))),
    ),
    SafeInt: strawberry.scalar(
        name="SafeInt",
        description=(
            "A whole number from 0 to 9007199254740991 (2^53 - 1), written as a JSON number: counts of bytes and "
            "packets outgrow 32 bits, and up to here every JavaScript client reads them exactly."
        ),
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259#section-6",
        serialize=_exact,
        parse_value=parse_safe_int,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="A time in UTC with microseconds, in RFC 3339: 2026-11-21T09:30:00.000000Z.",
        specified_by_url=RFC_3339,
        serialize=format_time,
        parse_value=parse_time,
    ),
    PacketTime: strawberry.scalar(
        name="PacketTime",
        description="The time of a packet in UTC with nanoseconds, in RFC 3339: 2026-11-21T09:30:00.000000001Z.",
        specified_by_url=RFC_3339,
        serialize=format_packet_time,
        parse_value=_refuse_input,
    ),
    Sha256: strawberry.scalar(
        name="Sha256",
        description="A SHA-256 digest in 64 hexadecimal digits; given out in lower case.",
        specified_by_url="https://csrc.nist.gov/pubs/fips/180-4/upd1/final",
        serialize=str,
        parse_value=parse_sha256,
    ),
}
"""What strawberry is told of them."""
