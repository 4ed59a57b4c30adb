"""Every place of the contract where an id may stand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)

from gql_server.domain.events import START

ROOTS = ("query", "mutation", "subscription")
DEPTH = 2
ROWS = 5
WHOLE_LIST = 100

PLAIN_VALUES: Mapping[str, object] = {
    "Boolean": True,
    "EventCursor": START.encode(),
    "Float": 1.0,
    "Int": ROWS,
    "SafeInt": 5,
    "Sha256": "0" * 64,
    "String": "192.0.2.0/24",
}
"""A value of each scalar that is no id."""

PLAIN_FIELDS: Mapping[str, object] = {
    "element": "00100010",
    "originalMac": "00:00:5e:00:53:01",
    "target": "192.0.2.0/24",
    "targetOui": "00:00:5e",
}
"""A value of each input field that takes text of its own form, sent even where it may be left out."""

Steps = tuple[str, ...]


class Hole:
    """Where the id goes."""


HOLE = Hole()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One operation with one hole for an id."""

    label: str
    operation: str
    document: str
    values: dict[str, Any]

    def filled(self, id_: str) -> dict[str, Any]:
        """Return the variables with the id in the hole."""
        return {name: fill(value, id_) for name, value in self.values.items()}


def fill(value: Any, id_: str) -> Any:
    """Return the value with the id in place of its hole."""
    match value:
        case Hole():
            return id_
        case dict():
            return {name: fill(each, id_) for name, each in value.items()}
        case list():
            return [fill(each, id_) for each in value]
        case _:
            return value


def id_places(schema: GraphQLSchema) -> Iterator[Place]:
    """Yield a place for each argument, list of arguments and input field that takes an id.

    Raises:
        ValueError: a field takes an id, and nothing here can reach it.
    """
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for name, field in type_.fields.items():
                for argument, steps in _holes(field):
                    yield _place(schema, type_, name, argument, steps)


def fields_without_id(schema: GraphQLSchema, operation: str) -> Iterator[Place]:
    """Yield an operation for each field of a root that can be asked for without an id."""
    root = _root(schema, operation)
    for name, field in root.fields.items():
        values = {argument: _value(each.type, None) for argument, each in field.args.items() if _is_given(each)}
        if not _has_hole(values):
            document = _document(schema, operation, field, name, values)
            yield Place(label=f"{root.name}.{name}", operation=operation, document=document, values=values)


def _has_hole(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_hole, value.values()))
    return value is HOLE or (isinstance(value, list) and any(map(_has_hole, value)))


def _holes(field: GraphQLField) -> Iterator[tuple[str, Steps]]:
    for name, argument in field.args.items():
        for steps in _ways_to_ids(argument.type):
            yield name, steps


def _ways_to_ids(type_: GraphQLInputType, seen: frozenset[str] = frozenset()) -> Iterator[Steps]:
    named = get_named_type(type_)
    if _is_id(type_):
        yield ()
    elif isinstance(named, GraphQLInputObjectType) and named.name not in seen:
        for name, field in named.fields.items():
            for steps in _ways_to_ids(field.type, seen | {named.name}):
                yield (name, *steps)


def _is_id(type_: GraphQLInputType) -> bool:
    return get_named_type(type_).name == "ID"


def _place(schema: GraphQLSchema, type_: GraphQLObjectType, name: str, argument: str, steps: Steps) -> Place:
    label = f"{type_.name}.{name}({'.'.join((argument, *steps))})"
    operation = next((each for each in ROOTS if schema.type_map.get(type_.name) is _root(schema, each)), None)
    field = type_.fields[name]
    values = {
        each: _value(given.type, steps if each == argument else None)
        for each, given in field.args.items()
        if each == argument or _is_given(given)
    }
    if operation is None:
        raise ValueError(f"{label} takes an id and is reached by no probe")
    return Place(
        label=label, operation=operation, document=_document(schema, operation, field, name, values), values=values
    )


def _is_given(argument: GraphQLArgument | GraphQLInputField) -> bool:
    """Say whether a value is sent for what may be left out, too: the whole log, from its beginning."""
    named = get_named_type(argument.type).name
    if isinstance(argument, GraphQLInputField):
        return is_required_input_field(argument)
    return is_required_argument(argument) or named == "EventCursor"


def _value(type_: GraphQLInputType, way: Steps | None) -> Any:
    if is_non_null_type(type_):
        return _value(type_.of_type, way)
    if is_list_type(type_):
        return [_value(type_.of_type, way)]
    named = get_named_type(type_)
    match named:
        case GraphQLInputObjectType():
            values = {
                name: _value(field.type, _rest(way, name))
                for name, field in named.fields.items()
                if _is_given(field) or _rest(way, name) is not None
            }
            return values | {name: PLAIN_FIELDS[name] for name in named.fields if name in PLAIN_FIELDS}
        case GraphQLEnumType():
            return next(iter(named.values))
        case _:
            return HOLE if named.name == "ID" and way == () else PLAIN_VALUES.get(named.name, HOLE)


def _rest(way: Steps | None, name: str) -> Steps | None:
    return way[1:] if way and way[0] == name else None


def _root(schema: GraphQLSchema, operation: str) -> GraphQLObjectType:
    roots = {"query": schema.query_type, "mutation": schema.mutation_type, "subscription": schema.subscription_type}
    root = roots[operation]
    assert root is not None
    return root


def _document(
    schema: GraphQLSchema, operation: str, field: GraphQLField, name: str, values: Mapping[str, object]
) -> str:
    declared = ", ".join(f"${each}: {field.args[each].type}" for each in values)
    passed = [f"{each}: ${each}" for each in values]
    if "first" in field.args and "first" not in values:
        passed.append(f"first: {WHOLE_LIST}")
    head = f"{operation} ({declared})" if declared else operation
    arguments = f"({', '.join(passed)})" if passed else ""
    return f"{head} {{ {name}{arguments} {selection(schema, field.type, DEPTH)} }}"


def selection(schema: GraphQLSchema, type_: GraphQLOutputType, depth: int) -> str:
    """Return a selection of all that can be seen from a type, some steps deep."""
    named = get_named_type(type_)
    if is_leaf_type(named):
        return ""
    parts = ["__typename", *_fields(schema, named, depth)]
    if isinstance(named, GraphQLInterfaceType | GraphQLUnionType):
        parts += _members(schema, named, depth)
    return f"{{ {' '.join(parts)} }}"


def _fields(schema: GraphQLSchema, named: GraphQLNamedType, depth: int) -> Iterator[str]:
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return
    for name, field in named.fields.items():
        if any(is_required_argument(each) for each in field.args.values()):
            continue
        size = f"(first: {ROWS})" if "first" in field.args else ""
        if is_leaf_type(get_named_type(field.type)):
            yield name + size
        elif depth == DEPTH or (depth > 0 and _tells_an_id(get_named_type(field.type))):
            yield f"{name}{size} {selection(schema, field.type, depth - 1)}"


def _tells_an_id(named: GraphQLNamedType, seen: frozenset[str] = frozenset()) -> bool:
    """Say whether an id can be reached from a type; of what tells none, one look at the first level is enough."""
    if named.name == "ID" or isinstance(named, GraphQLUnionType):
        return True
    if named.name in seen or not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return False
    below = (get_named_type(field.type) for field in named.fields.values())
    return any(_tells_an_id(each, seen | {named.name}) for each in below)


def _members(schema: GraphQLSchema, named: GraphQLInterfaceType | GraphQLUnionType, depth: int) -> Iterator[str]:
    """Select members one by one; what two of them call alike must be of one type, so the first one has the name."""
    types: dict[str, str] = {}
    for member in schema.get_possible_types(named):
        wanted = {
            name: field
            for name, field in member.fields.items()
            if is_leaf_type(get_named_type(field.type)) and types.setdefault(name, str(field.type)) == str(field.type)
        }
        yield f"... on {member.name} {{ __typename {' '.join(wanted)} }}"
