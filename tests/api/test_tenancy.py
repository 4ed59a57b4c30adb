"""Tenancy: what is another's answers as what is not."""

import asyncio
import base64
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import pytest
from graphql import build_schema, extend_schema, parse
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.applications import Starlette
from starlette.routing import Route

from gql_server.api.ids import NODE_TYPES, GlobalId
from gql_server.api.schema import export_schema
from gql_server.domain.access import Role
from gql_server.domain.events import START
from gql_server.domain.ids import new_id
from gql_server.services.resources import Resources
from gql_server.store.database import DatabaseUrls
from gql_server.store.embedded import EmbeddedPostgres
from gql_server.store.migrations import migrate
from tests.api.conftest import AddExecution, AddJob, AddTrace, NewApp
from tests.api.id_places import fields_without_id, id_places
from tests.api.tenants import Answer, Settler, Tenant, ask, ids_in
from tests.conftest import NewActor
from tests.graphql_client import data, http, subscribe

LEAST_PROBES = 500
SCHEMA = build_schema(export_schema())
PLACES = tuple(id_places(SCHEMA))
TYPES = sorted(NODE_TYPES)
TUS = {"tus-resumable": "1.0.0", "content-type": "application/offset+octet-stream", "upload-offset": "0"}
OVERRIDES: dict[str, tuple[str, ...]] = {"POST": ("", "HEAD", "PATCH", "DELETE")}


@pytest.fixture(scope="module")
def database_urls(open_directory: Path) -> Iterator[DatabaseUrls]:
    """A database of this file's own, because it takes guards away."""
    embedded = EmbeddedPostgres(open_directory / "tenancy")
    held = embedded.start()
    urls = DatabaseUrls(app=held.app, owner=held.owner, system=held.system)
    asyncio.run(migrate(urls))
    yield urls
    embedded.close()


@pytest.fixture
def settler(  # noqa: PLR0917  # pytest passes fixtures by name
    resources: Resources,
    new_app: NewApp,
    new_actor: NewActor,
    add_job: AddJob,
    add_trace: AddTrace,
    add_execution: AddExecution,
) -> Settler:
    return Settler(
        resources=resources,
        new_app=new_app,
        new_actor=new_actor,
        add_job=add_job,
        add_trace=add_trace,
        add_execution=add_execution,
    )


@pytest.fixture
async def tenants(settler: Settler) -> tuple[Tenant, ...]:
    return tuple([await settler.settle(number) for number in range(3)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One way into a route of plain HTTP that names something by its id."""

    method: str
    override: str
    path: str
    parameter: str

    @property
    def label(self) -> str:
        return f"{self.method} {self.override} {self.path}"

    @property
    def type_name(self) -> str:
        return self.parameter.removesuffix("_id").capitalize()

    async def ask(self, app: Starlette, id_: object) -> Answer:
        path = self.path.replace(f"{{{self.parameter}}}", str(id_)).replace("{name}", "report.json")
        method = self.override or self.method
        headers = TUS | ({"x-http-method-override": self.override} if self.override else {})
        async with http(app) as client:
            content = b"12" if method == "PATCH" else b""
            response = await client.request(self.method, path, headers=headers, content=content)
        return response.status_code, dict(response.headers), response.text


def doors_of(app: Starlette) -> Iterator[Door]:
    """Yield each way into each route whose path names something."""
    for route in app.routes:
        if isinstance(route, Route):
            for parameter in sorted(set(route.param_convertors) - {"name"}):
                for method in sorted(route.methods or ()):
                    for override in OVERRIDES.get(method, ("",)):
                        yield Door(method=method, override=override, path=route.path, parameter=parameter)


def test_a_new_argument_or_input_that_takes_an_id_becomes_a_place() -> None:
    grown = extend_schema(
        SCHEMA,
        parse(
            "extend type Query { near(ids: [ID!]!, by: Nearness): Trace }"
            " input Nearness { deep: Deeper } input Deeper { jobs: [ID!] }"
            " extend input RenameTraceInput { flowId: ID }"
        ),
    )
    new = {place.label for place in id_places(grown)} - {place.label for place in PLACES}
    assert new == {"Query.near(ids)", "Query.near(by.deep.jobs)", "Mutation.renameTrace(input.flowId)"}


def test_an_id_that_no_probe_reaches_fails() -> None:
    grown = extend_schema(SCHEMA, parse("extend type Trace { sibling(id: ID!): Trace }"))
    with pytest.raises(ValueError, match=r"Trace\.sibling\(id\)"):
        list(id_places(grown))


async def leaks_of(pairs: Sequence[tuple[Tenant, Tenant]]) -> AsyncGenerator[str, None]:
    """Probe each place with each type of id for each pair of asker and owner; yield what is wrong, or nothing."""
    absent: dict[tuple[str, str, Role], Answer] = {}
    for place in PLACES:
        for type_name in TYPES:
            for number, (asker, owner) in enumerate(pairs):
                role = list(Role)[number % len(Role)]
                about = (place.label, type_name, role)
                if about not in absent:
                    absent[about] = await ask(asker.apps[role], place, GlobalId(type_name, new_id()).encode())
                    assert not {"INTERNAL", "LIMIT_EXCEEDED"} & set(re.findall("[A-Z_]{8,}", str(absent[about])))
                foreign = await ask(asker.apps[role], place, owner.newest(type_name))
                yield "" if foreign == absent[about] else f"{place.label} with the id of a foreign {type_name}"


async def test_what_is_anothers_answers_as_what_is_not(tenants: tuple[Tenant, ...], settler: Settler) -> None:
    before = [await settler.rows(tenant) for tenant in tenants]
    found = [leak async for leak in leaks_of(list(permutations(tenants, 2)))]
    assert [leak for leak in found if leak] == []
    assert len(found) >= LEAST_PROBES
    assert [await settler.rows(tenant) for tenant in tenants] == before


async def test_each_probe_finds_what_is_ones_own(settler: Settler) -> None:
    asker = await settler.settle(0)
    blind = []
    for place in PLACES:
        for type_name in TYPES:
            absent = await ask(asker.apps[Role.ADMIN], place, GlobalId(type_name, new_id()).encode())
            if await ask(asker.apps[Role.ADMIN], place, asker.newest(type_name)) != absent:
                break
        else:
            blind.append(place.label)
    assert blind == [], "a probe that finds nothing proves nothing"


async def test_the_doors_of_plain_http_answer_alike(tenants: tuple[Tenant, ...], settler: Settler) -> None:
    before = [await settler.rows(tenant) for tenant in tenants]
    doors = list(doors_of(tenants[0].apps[Role.ADMIN]))
    assert {door.parameter for door in doors} == {"execution_id", "trace_id", "upload_id"}
    for door in doors:
        for asker, owner in permutations(tenants, 2):
            for role in Role:
                absent = await door.ask(asker.apps[role], new_id())
                assert await door.ask(asker.apps[role], owner.ids[door.type_name][-1]) == absent, door.label
    assert [await settler.rows(tenant) for tenant in tenants] == before


async def test_the_doors_of_plain_http_open_to_what_is_ones_own(settler: Settler) -> None:
    asker = await settler.settle(0)
    for door in doors_of(asker.apps[Role.ADMIN]):
        for role in Role:
            absent = await door.ask(asker.apps[role], new_id())
            own = await door.ask(asker.apps[role], asker.ids[door.type_name][-1])
            is_the_same_for_all = door.method == "OPTIONS" or (door.method == "POST" and not door.override)
            assert (own == absent) is is_the_same_for_all, door.label


async def test_a_foreign_flow_in_the_metadata_of_an_upload_is_not_there(tenants: tuple[Tenant, ...]) -> None:
    asker, owner = tenants[:2]
    answers = []
    for flow in (owner.newest("Flow"), GlobalId("Flow", new_id()).encode()):
        said = {"upload-length": "5", "upload-metadata": "flow " + base64.b64encode(flow.encode()).decode()}
        async with http(asker.apps[Role.ADMIN]) as client:
            response = await client.post("/uploads", headers=TUS | said)
        answers.append((response.status_code, dict(response.headers), response.text))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


@pytest.mark.parametrize("role", list(Role))
async def test_lists_hold_all_that_is_ones_own_and_nothing_else(tenants: tuple[Tenant, ...], role: Role) -> None:
    lists = list(fields_without_id(SCHEMA, "query"))
    assert {"Query.events", "Query.executions", "Query.flows", "Query.jobs", "Query.traces"} <= {
        place.label for place in lists
    }
    for asker in tenants:
        strangers = [tenant for tenant in tenants if tenant is not asker]
        for place in lists:
            _, _, said = await ask(asker.apps[role], place, "")
            assert '"errors"' not in said
            assert ids_in(said) <= asker.everything(), place.label
            assert not [each for each in strangers if each.secret in said], place.label
            type_name = place.label.removeprefix("Query.").removesuffix("s").capitalize()
            if type_name in TYPES:
                own = asker.ids[type_name]
                assert ids_in(said) >= set(own)
                assert f'"totalCount":{len(own)}' in said


async def test_a_foreign_cursor_leads_to_nothing_foreign(tenants: tuple[Tenant, ...]) -> None:
    asker, owner = tenants[:2]
    for name in ("executions", "flows", "jobs", "traces"):
        query = f"query ($after: Cursor) {{ {name}(after: $after) {{ totalCount edges {{ cursor node {{ id }} }} }} }}"
        theirs = (await data(owner.apps[Role.ADMIN], query))[name]["edges"]
        for edge in theirs:
            page = (await data(asker.apps[Role.ADMIN], query, {"after": edge["cursor"]}))[name]
            assert ids_in(str(page)) <= asker.everything()
    events = "query ($after: EventCursor) { events(after: $after) { events { cursor jobId } } }"
    theirs = (await data(owner.apps[Role.ADMIN], events))["events"]["events"]
    page = await data(asker.apps[Role.ADMIN], events, {"after": theirs[0]["cursor"]})
    assert {event["jobId"] for event in page["events"]["events"]} <= {
        GlobalId("Job", job).encode() for job in asker.ids["Job"]
    }


async def test_a_subscription_tells_of_all_that_is_ones_own_and_of_nothing_else(tenants: tuple[Tenant, ...]) -> None:
    query = "subscription ($after: EventCursor) { jobCompleted(after: $after) { jobId job { finishedAt } } }"
    for asker in tenants:
        over = "{ jobs { edges { node { id finishedAt } } } }"
        edges = (await data(asker.apps[Role.VIEWER], over))["jobs"]["edges"]
        told = {edge["node"]["id"] for edge in edges if edge["node"]["finishedAt"]}
        heard: set[str] = set()
        async with aclosing(subscribe(asker.apps[Role.VIEWER], query, {"after": START.encode()})) as events:
            while len(heard) < len(told):
                heard.add((await anext(events))["data"]["jobCompleted"]["jobId"])
        assert heard == told


async def test_one_key_of_two_tenants_makes_two_uploads(tenants: tuple[Tenant, ...]) -> None:
    create = (
        'mutation { createUpload(input: {name: "x", lengthBytes: 1, idempotencyKey: "one"}) { upload { id }'
        " errors { code } } }"
    )
    made = [(await data(tenant.apps[Role.ANALYST], create))["createUpload"] for tenant in tenants]
    assert [each["errors"] for each in made] == [[], [], []]
    assert len({each["upload"]["id"] for each in made}) == len(tenants)


PREVIEWS = {"Query.previewDicomDeidentification(traceId)", "Query.previewTransformation(traceId)"}
"""They show originals beside what becomes of them."""


async def test_a_viewer_reads_what_others_read_but_no_preview_and_changes_nothing(settler: Settler) -> None:
    tenant = await settler.settle(0)
    before = await settler.rows(tenant)
    mutations: dict[str, set[str]] = {}
    for place in (*PLACES, *fields_without_id(SCHEMA, "mutation")):
        for type_name in TYPES:
            if place.operation == "mutation":
                said = (await ask(tenant.apps[Role.VIEWER], place, tenant.newest(type_name)))[2]
                found = {code for code in ("FORBIDDEN", "NOT_FOUND") if f'"code":"{code}"' in said}
                assert len(found) == 1, said
                mutations.setdefault(place.label.partition("(")[0], set()).update(found)
            elif place.label in PREVIEWS:
                said = (await ask(tenant.apps[Role.VIEWER], place, tenant.newest(type_name)))[2]
                assert ('"code":"FORBIDDEN"' in said) == (type_name == "Trace"), said
            else:
                answers = [
                    await ask(tenant.apps[role], place, tenant.newest(type_name)) for role in (Role.ADMIN, Role.VIEWER)
                ]
                assert answers[0] == answers[1], place.label
    assert SCHEMA.mutation_type is not None
    assert set(mutations) == {f"Mutation.{name}" for name in SCHEMA.mutation_type.fields}
    assert all("FORBIDDEN" in codes for codes in mutations.values())
    after = await settler.rows(tenant)
    assert after | {"engagement_keys": []} == before | {"engagement_keys": []}, "a preview may make the key"


@asynccontextmanager
async def unguarded(urls: DatabaseUrls, table: str) -> AsyncIterator[None]:
    engine = create_async_engine(urls.owner)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"))
        yield
    finally:
        async with engine.begin() as connection:
            await connection.execute(text(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"))
        await engine.dispose()


@pytest.mark.parametrize("table", ["engagements", "events", "executions", "flows", "jobs", "traces", "uploads"])
async def test_the_probes_notice_a_table_without_its_guard(
    tenants: tuple[Tenant, ...], database_urls: DatabaseUrls, table: str
) -> None:
    async with unguarded(database_urls, table), aclosing(leaks_of([(tenants[0], tenants[1])])) as found:
        assert await anext((leak async for leak in found if leak), None)
