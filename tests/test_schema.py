"""The schema: kept, described, of one convention."""

import re
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    build_schema,
    get_named_type,
    is_specified_scalar_type,
)

from gql_server.api.schema import export_schema

KEPT = Path(__file__).parent.parent / "schema.graphql"
SCHEMA = build_schema(export_schema())
TYPES = [
    type_
    for name, type_ in SCHEMA.type_map.items()
    if not name.startswith("__") and not is_specified_scalar_type(type_)
]
OBJECTS = [type_ for type_ in TYPES if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)]
CONNECTIONS = [type_ for type_ in OBJECTS if type_.name.endswith("Connection")]
MUTATIONS = {} if SCHEMA.mutation_type is None else SCHEMA.mutation_type.fields


def test_the_file_is_what_the_code_says() -> None:
    # gql-server export-schema > schema.graphql
    assert KEPT.read_text() == export_schema()


@pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.name)
def test_every_name_is_described_in_a_sentence(type_: GraphQLNamedType) -> None:
    described = {type_.name: type_.description}
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in type_.fields.items():
            described[name] = field.description
            described |= {f"{name}.{argument}": given.description for argument, given in field.args.items()}
    elif isinstance(type_, GraphQLInputObjectType):
        described |= {name: field.description for name, field in type_.fields.items()}
    elif isinstance(type_, GraphQLEnumType):
        described |= {name: value.description for name, value in type_.values.items()}
    assert [name for name, text in described.items() if not (text or "").rstrip().endswith(".")] == []


def test_names_are_spelled_as_graphql_spells_them() -> None:
    for type_ in TYPES:
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", type_.name)
        if isinstance(type_, GraphQLEnumType):
            assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*", name) for name in type_.values)
        elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            assert all(re.fullmatch(r"[a-z][A-Za-z0-9]*", name) for name in type_.fields)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_takes_one_input_and_answers_with_its_own_payload(name: str) -> None:
    field = MUTATIONS[name]
    title = name[0].upper() + name[1:]
    assert {argument: str(given.type) for argument, given in field.args.items()} == {"input": f"{title}Input!"}
    assert str(field.type) == f"{title}Payload!"
    payload = get_named_type(field.type)
    assert isinstance(payload, GraphQLObjectType)
    assert str(payload.fields["errors"].type) == "[UserError!]!"
    outcome = {
        field_name: field.type for field_name, field in payload.fields.items() if field_name not in ("errors", "rules")
    }
    assert outcome
    assert not any(isinstance(type_, GraphQLNonNull) for type_ in outcome.values())


@pytest.mark.parametrize("name", [name for name in MUTATIONS if name.startswith(("create", "finish", "start"))])
def test_what_creates_or_starts_takes_an_idempotency_key(name: str) -> None:
    input_type = get_named_type(MUTATIONS[name].args["input"].type)
    assert isinstance(input_type, GraphQLInputObjectType)
    assert "idempotencyKey" in input_type.fields


@pytest.mark.parametrize("type_", CONNECTIONS, ids=lambda type_: type_.name)
def test_a_connection_has_what_relay_asks_for(type_: GraphQLObjectType) -> None:
    node = type_.name.removesuffix("Connection")
    fields = {name: str(field.type) for name, field in type_.fields.items()}
    assert fields.pop("isComplete", "Boolean!") == "Boolean!"
    assert fields == {
        "edges": f"[{node}Edge!]!",
        "pageInfo": "PageInfo!",
        "totalCount": "Int!",
    }
    edge = SCHEMA.get_type(f"{node}Edge")
    assert isinstance(edge, GraphQLObjectType)
    assert {name: str(field.type) for name, field in edge.fields.items()} == {"cursor": "Cursor!", "node": f"{node}!"}


def test_every_connection_is_paged_by_the_same_arguments() -> None:
    paged = 0
    for type_ in OBJECTS:
        for field in type_.fields.values():
            if get_named_type(field.type) in CONNECTIONS:
                paged += 1
                expected = {"first": "Int", "after": "Cursor", "last": "Int", "before": "Cursor"}
                assert expected.items() <= {name: str(given.type) for name, given in field.args.items()}.items()
    assert paged > len(CONNECTIONS)


def test_items_of_lists_are_never_null_but_for_nodes() -> None:
    nullable = [
        f"{type_.name}.{name}"
        for type_ in OBJECTS
        for name, field in type_.fields.items()
        if "[" in str(field.type) and "!]" not in str(field.type)
    ]
    assert nullable == ["Query.nodes"]


def test_own_scalars_say_where_they_are_specified() -> None:
    scalars = [type_ for type_ in TYPES if isinstance(type_, GraphQLScalarType)]
    assert {type_.name for type_ in scalars} == {"Cursor", "DateTime", "EventCursor", "PacketTime", "SafeInt", "Sha256"}
    assert all((type_.specified_by_url or "").startswith("https://") for type_ in scalars)


def test_bytes_and_packets_outgrow_32_bits() -> None:
    for type_ in OBJECTS:
        for name, field in type_.fields.items():
            if get_named_type(field.type) in CONNECTIONS:
                continue
            if name.endswith("Bytes") or name in ("bytes", "packets", "bytesDone", "bytesTotal"):
                assert get_named_type(field.type).name == "SafeInt", f"{type_.name}.{name}"


def test_subscriptions_resume_and_their_events_carry_a_cursor() -> None:
    assert SCHEMA.subscription_type is not None
    for field in SCHEMA.subscription_type.fields.values():
        assert str(field.args["after"].type) == "EventCursor"
        event = get_named_type(field.type)
        assert isinstance(event, GraphQLObjectType)
        assert str(event.fields["cursor"].type) == "EventCursor!"
