"""Scalars."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from gql_server.api.scalars import (
    LARGEST_SAFE_INTEGER,
    SCALARS,
    SafeInt,
    format_packet_time,
    format_time,
    parse_safe_int,
    parse_sha256,
    parse_time,
)
from gql_server.api.schema import build_schema


def test_every_scalar_says_where_it_is_specified() -> None:
    for definition in SCALARS.values():
        assert definition.description
        assert definition.name == "ID" or (definition.specified_by_url or "").startswith("https://")


@pytest.mark.parametrize("value", [0, 2**31, LARGEST_SAFE_INTEGER])
def test_a_count_may_outgrow_32_bits(value: int) -> None:
    assert parse_safe_int(value) == value


@pytest.mark.parametrize("value", [-1, LARGEST_SAFE_INTEGER + 1, True, 1.5, "1", None])
def test_what_is_no_count_is_refused_with_a_code(value: object) -> None:
    with pytest.raises(GraphQLError) as caught:
        parse_safe_int(value)
    assert caught.value.extensions == {"code": "INVALID_INPUT"}


def test_a_count_that_no_client_could_read_exactly_is_never_given_out() -> None:
    serialize = SCALARS[SafeInt].serialize
    assert serialize is not None
    with pytest.raises(ValueError, match=str(2**53)):
        serialize(2**53)


def test_a_digest_is_read_in_either_case() -> None:
    assert parse_sha256("AB" * 32) == "ab" * 32


@pytest.mark.parametrize("value", ["", "ab" * 31, "xy" * 32, 5])
def test_what_is_no_digest_is_refused(value: object) -> None:
    with pytest.raises(GraphQLError):
        parse_sha256(value)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_comes_back_as_it_was(time: datetime) -> None:
    assert parse_time(format_time(time)) == time


def test_a_time_is_given_out_in_utc() -> None:
    assert format_time(datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == "2026-01-01T00:00:00.000000Z"


@pytest.mark.parametrize("value", ["2026-01-01T00:00:00", "yesterday", 5, None])
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(GraphQLError):
        parse_time(value)


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
    ],
)
def test_a_packets_time_has_all_its_nanoseconds(time_ns: int, text: str) -> None:
    assert format_packet_time(time_ns) == text


def test_the_id_type_is_the_one_that_clients_know() -> None:
    schema = build_schema()
    assert "scalar ID" not in schema.as_str()
    assert [each["name"] for each in schema.introspect()["__schema"]["types"]].count("ID") == 1
