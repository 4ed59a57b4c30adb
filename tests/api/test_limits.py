"""Limits of a document, found in linear time."""

import time

import pytest
from graphql import GraphQLError, parse
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from gql_server.api.limits import LISTS, Measure, Ruler, check_document
from gql_server.api.schema import build_schema
from tests.graphql_client import data, execute


def fragment_chain(length: int) -> str:
    """Two spreads a level: what it stands for doubles with each."""
    chain = "".join(f" fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(length))
    return f"{{ ...f0 }}{chain} fragment f{length} on Query {{ viewer {{ role }} }}"


HOSTILE = {
    "levels": "{ a " + "{ a " * 12 + "}" * 13,
    "fields": "{ " + " ".join("a { " + "b " * 90 + "}" for _ in range(5)) + "}",
    "selections in one place": "{" + "a " * 101 + "}",
    "aliases": "{ viewer {" + " ".join(f"a{n}: role" for n in range(31)) + "} }",
    "directives in one place": "{ a @a @a @a @a @a }",
    "directives": "{ a { " + "b @a @a @a @a " * 13 + "} }",
    "fragments": "{ a }" + "".join(f" fragment f{n} on Query {{ a }}" for n in range(31)),
    "fields at the root": "{" + " ".join(f"a{n}: viewer {{ role }}" for n in range(21)) + "}",
    "rows": "{ flows(first: 100) { edges { node { traces(first: 100) { totalCount } } } } }",
}


@pytest.mark.parametrize("limit", HOSTILE)
def test_each_limit_refuses_what_goes_beyond_it(limit: str) -> None:
    with pytest.raises(GraphQLError) as caught:
        check_document(parse(HOSTILE[limit]), {})
    extensions = caught.value.extensions or {}
    assert (extensions["code"], extensions["limit"]) == ("LIMIT_EXCEEDED", limit)


def test_six_mutations_at_once_are_refused() -> None:
    document = parse("mutation {" + " ".join(f"a{n}: renameTrace {{ errors {{ code }} }}" for n in range(6)) + "}")
    with pytest.raises(GraphQLError, match="at most 5 fields at the root"):
        check_document(document, {})


def test_a_chain_of_fragments_is_measured_once_each() -> None:
    ruler = Ruler(parse(fragment_chain(29)), {})
    with pytest.raises(GraphQLError, match="at most 400 fields"):
        check_document(parse(fragment_chain(29)), {})
    assert ruler.measure(ruler.operations[0].selection_set).fields == 10**6


def test_a_page_size_is_read_from_variables_and_their_defaults() -> None:
    query = "query ($n: Int = 200) { traces(first: $n) { totalCount } }"
    with pytest.raises(GraphQLError, match="ask for 1 to 100"):
        check_document(parse(query), {})
    with pytest.raises(GraphQLError, match="ask for 1 to 100"):
        check_document(parse(query), {"n": 0})
    check_document(parse(query), {"n": 100})


def test_rows_multiply_along_nested_lists() -> None:
    ruler = Ruler(
        parse("{ flows(first: 3) { edges { node { traces(last: 4) { totalCount } jobs { totalCount } } } } }"), {}
    )
    assert ruler.measure(ruler.operations[0].selection_set).rows == 3 * (1 + 4 + 50)


def test_the_introspection_of_clients_is_let_through() -> None:
    assert build_schema().introspect()["__schema"]["queryType"]["name"] == "Query"


def test_every_field_that_answers_with_a_chosen_number_is_known() -> None:
    schema = build_schema().introspect()["__schema"]
    sized = {
        field["name"]
        for type_ in schema["types"]
        for field in type_["fields"] or ()
        if {"first", "last", "ids"} & {argument["name"] for argument in field["args"]}
    }
    assert sized == LISTS


def spread(selection: str, fragments: dict[str, str]) -> str:
    """Write a selection with its fragments in place, the slow way."""
    while "..." in selection:
        for name, content in fragments.items():
            selection = selection.replace(f"...{name} ", content)
    return selection


@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4), min_size=1, max_size=4))
def test_a_document_with_fragments_measures_like_the_same_without(levels: list[list[str]]) -> None:
    fragments: dict[str, str] = {}
    for number, letters in enumerate(levels):
        inner = f"...f{number - 1} " if number else "x "
        fragments[f"f{number}"] = " ".join(f"k{n}: {letter} {{ {inner}}} " for n, letter in enumerate(letters))
    top = f"...f{len(levels) - 1} "
    written = f"{{ {top}}}" + "".join(f" fragment {name} on Query {{ {body}}}" for name, body in fragments.items())
    whole = f"{{ {spread(top, fragments)} }}"
    assert measured(written) == measured(whole)


def measured(text: str) -> Measure:
    ruler = Ruler(parse(text), {})
    return ruler.measure(ruler.operations[0].selection_set)


async def test_a_hostile_chain_is_refused_without_being_followed(app: Starlette) -> None:
    # Followed, it would take the age of the universe; the bound only tells that apart from work that is linear.
    started = time.process_time()
    body = await execute(app, fragment_chain(29))
    assert body["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "query",
    [
        "{" + " viewer { role }" * 1100 + "}",
        "{ viewer { role } }" + " " * 15_000,
        "{ a" * 330 + " }" * 330,
        "{ trace(id: " + "[" * 480 + "]" * 480 + ") { name } }",
    ],
    ids=["tokens", "characters", "nested selections", "nested values"],
)
async def test_too_long_or_too_deep_a_text_is_a_request_error(app: Starlette, query: str) -> None:
    body = await execute(app, query)
    assert "data" not in body
    assert body["errors"][0]["extensions"]["code"] in ("LIMIT_EXCEEDED", "PARSE_FAILED")


async def test_a_cycle_of_fragments_is_left_to_validation(app: Starlette) -> None:
    cycle = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }"
    body = await execute(app, cycle)
    assert body["errors"][0]["extensions"]["code"] == "VALIDATION_FAILED"


async def test_what_was_refused_once_is_refused_again_and_the_rest_still_answered(app: Starlette) -> None:
    query = "{ traces(first: 101) { totalCount } }"
    assert [(await execute(app, query))["errors"][0]["extensions"]["code"] for _ in range(2)] == ["INVALID_INPUT"] * 2
    assert (await data(app, "{ traces(first: 100) { totalCount } }"))["traces"] == {"totalCount": 0}


@pytest.mark.parametrize(("event", "rows"), [("cursor", 100), ("job { executions { totalCount } }", 100 * (1 + 50))])
def test_a_page_of_events_and_its_list_of_events_count_once(event: str, rows: int) -> None:
    ruler = Ruler(
        parse(f"{{ events(first: 100) {{ ...page }} }} fragment page on EventPage {{ events {{ {event} }} }}"), {}
    )
    assert ruler.measure(ruler.operations[0].selection_set).rows == rows
