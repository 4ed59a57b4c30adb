"""Packets, taken apart, as clients see them."""

import pytest
from starlette.applications import Starlette

from gql_server.api.ids import GlobalId
from gql_server.domain.access import Actor
from gql_server.domain.ids import new_id
from gql_server.domain.traces import Trace
from gql_server.services.executions import carry_out
from gql_server.services.resources import Resources
from gql_server.services.traces import delete_trace
from tests.captures import IP_A, IP_B, MAC_A, MAC_B, dns_answer, ethernet, packets, pcap, tcp4, udp4
from tests.conftest import NewActor
from tests.graphql_client import data, execute
from tests.services.desk import receive, start, traces_of

FRAMES = [ethernet(udp4(dns_answer(), ports=(53, 1111)))] + [ethernet(tcp4(b"x" * n)) for n in range(6)]
PACKETS = """query ($id: ID!, $first: Int, $after: Cursor, $last: Int, $conversation: String) {
  packets(traceId: $id, first: $first, after: $after, last: $last, conversation: $conversation) {
    totalCount isComplete pageInfo { hasNextPage hasPreviousPage endCursor }
    edges { node { number time linkType capturedLength originalLength summary hex
      layers { name offset length isCut fields { name value meaning } } } } } }"""
COMPARE = """query ($id: ID!, $number: SafeInt!) { packetComparison(traceId: $id, number: $number) {
  comparison { before { number hex } after { number hex } isComplete
    changedFields { path before after } changedRanges { offset length } }
  errors { __typename code path } } }"""


async def ingested(resources: Resources, actor: Actor) -> Trace:
    _, job = await receive(resources, actor, pcap(packets(*FRAMES)))
    await carry_out(resources, actor.client_id, job.id)
    (trace,) = await traces_of(resources, actor, job.id)
    return trace


@pytest.fixture
async def trace(resources: Resources, actor: Actor) -> Trace:
    return await ingested(resources, actor)


@pytest.fixture
async def output(resources: Resources, actor: Actor, trace: Trace) -> Trace:
    job = await start(resources, actor, trace)
    await carry_out(resources, actor.client_id, job.id)
    (output,) = await traces_of(resources, actor, job.id)
    return output


def id_of(trace: Trace) -> str:
    return GlobalId("Trace", trace.id).encode()


async def test_a_packet_is_shown_by_layers_fields_and_bytes(app: Starlette, trace: Trace) -> None:
    page = (await data(app, PACKETS, {"id": id_of(trace), "first": 1}))["packets"]
    assert (page["totalCount"], page["isComplete"]) == (len(FRAMES), True)
    (edge,) = page["edges"]
    packet = edge["node"]
    assert packet["hex"] == FRAMES[0].hex()
    assert (packet["number"], packet["linkType"], packet["time"]) == (1, 1, "2023-11-14T22:13:20.000000000Z")
    assert packet["capturedLength"] == packet["originalLength"] == len(FRAMES[0])
    assert [layer["name"] for layer in packet["layers"]] == ["Ethernet", "IP", "UDP", "DNS"]
    assert [(layer["offset"], layer["length"]) for layer in packet["layers"]][:3] == [(0, 14), (14, 20), (34, 8)]
    fields = {f"{layer['name']}.{each['name']}": each for layer in packet["layers"] for each in layer["fields"]}
    assert fields["Ethernet.src"]["value"] == MAC_A
    assert fields["IP.dst"]["value"] == IP_B
    assert fields["IP.proto"] == {"name": "proto", "value": "17", "meaning": "UDP"}
    assert fields["UDP.sport"] == {"name": "sport", "value": "53", "meaning": None}
    assert fields["DNS.an[0].rdata"]["value"] == "192.0.2.99"


async def test_pages_run_both_ways(app: Starlette, trace: Trace) -> None:
    async def numbers(**arguments: object) -> tuple[list[int], str, bool]:
        page = (await data(app, PACKETS, {"id": id_of(trace), **arguments}))["packets"]
        info = page["pageInfo"]
        return [edge["node"]["number"] for edge in page["edges"]], info["endCursor"], info["hasNextPage"]

    first, cursor, more = await numbers(first=3)
    second, _, _ = await numbers(first=3, after=cursor)
    last, _, rest = await numbers(last=2)
    assert (first, second, last, more, rest) == ([1, 2, 3], [4, 5, 6], [6, 7], True, False)


async def test_the_packets_of_one_conversation_are_asked_for_by_its_key(app: Starlette, trace: Trace) -> None:
    keys = "query ($id: ID!) { trace(id: $id) { conversations { edges { node { key protocol packets } } } } }"
    edges = (await data(app, keys, {"id": id_of(trace)}))["trace"]["conversations"]["edges"]
    for edge in edges:
        given = {"id": id_of(trace), "conversation": edge["node"]["key"]}
        page = (await data(app, PACKETS, given))["packets"]
        assert page["totalCount"] == edge["node"]["packets"] == len(page["edges"])
        assert all(each["node"]["layers"][2]["name"] == edge["node"]["protocol"] for each in page["edges"])
    assert {edge["node"]["packets"] for edge in edges} == {1, 6}


async def test_a_conversation_that_is_not_there_has_no_packets(app: Starlette, trace: Trace) -> None:
    given = {"id": id_of(trace), "conversation": "17 192.0.2.1 1 192.0.2.2 2"}
    page = (await data(app, PACKETS, given))["packets"]
    assert (page["totalCount"], page["edges"]) == (0, [])


async def test_a_key_that_is_none_is_refused_with_a_code(app: Starlette, trace: Trace) -> None:
    body = await execute(app, PACKETS, {"id": id_of(trace), "conversation": "TCP"})
    assert body["errors"][0]["extensions"]["code"] == "INVALID_INPUT"


async def test_absent_foreign_and_wrong_ids_are_answered_alike(
    app: Starlette, resources: Resources, new_actor: NewActor, trace: Trace
) -> None:
    foreign = await ingested(resources, await new_actor())
    ids = [GlobalId("Trace", new_id()), GlobalId("Trace", foreign.id), GlobalId("Job", trace.job_id)]
    for id_ in ids:
        assert await execute(app, PACKETS, {"id": id_.encode()}) == {"data": {"packets": None}}


async def test_a_tombstone_is_said_to_be_one(app: Starlette, resources: Resources, actor: Actor, trace: Trace) -> None:
    await delete_trace(resources, actor, trace_id=trace.id)
    body = await execute(app, PACKETS, {"id": id_of(trace)})
    assert body["data"] == {"packets": None}
    assert body["errors"][0]["extensions"]["code"] == "TRACE_DELETED"


async def test_a_packet_stands_beside_the_one_it_came_from(app: Starlette, output: Trace) -> None:
    answer = (await data(app, COMPARE, {"id": id_of(output), "number": 2}))["packetComparison"]
    assert answer["errors"] == []
    found = answer["comparison"]
    assert found["before"] == {"number": 2, "hex": FRAMES[1].hex()}
    assert found["isComplete"] is True
    before, after = bytes.fromhex(found["before"]["hex"]), bytes.fromhex(found["after"]["hex"])
    changed = {
        place for each in found["changedRanges"] for place in range(each["offset"], each["offset"] + each["length"])
    }
    assert changed == {place for place in range(len(before)) if before[place] != after[place]}
    fields = {each["path"]: each for each in found["changedFields"]}
    assert set(fields) <= {
        "0.Ethernet.dst",
        "0.Ethernet.src",
        "1.IP.chksum",
        "1.IP.src",
        "1.IP.dst",
        "2.TCP.chksum",
    }
    assert fields["1.IP.src"]["before"] == IP_A
    assert fields["0.Ethernet.dst"]["before"] == MAC_B


async def test_what_has_nothing_beside_it_is_an_expected_failure(
    app: Starlette, resources: Resources, actor: Actor, trace: Trace, output: Trace
) -> None:
    async def errors(id_: str, number: int = 1) -> list[dict[str, object]]:
        answer = (await data(app, COMPARE, {"id": id_, "number": number}))["packetComparison"]
        assert answer["comparison"] is None
        found: list[dict[str, object]] = answer["errors"]
        return found

    codes = [[each["code"] for each in await errors(id_of(trace))]]
    codes += [[each["code"] for each in await errors(id_of(output), number)] for number in (0, len(FRAMES) + 1)]
    assert codes == [["TRACE_HAS_NO_ORIGIN"], ["INVALID_INPUT"], ["INVALID_INPUT"]]
    await delete_trace(resources, actor, trace_id=trace.id)
    assert [each["code"] for each in await errors(id_of(output))] == ["ORIGIN_DELETED"]
    await delete_trace(resources, actor, trace_id=output.id)
    assert [each["code"] for each in await errors(id_of(output))] == ["TRACE_DELETED"]
    absent = GlobalId("Trace", new_id()).encode()
    assert await errors(absent) == [{"__typename": "GenericError", "code": "NOT_FOUND", "path": ["input", "traceId"]}]
