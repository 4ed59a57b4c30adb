"""What is inside a trace, as clients see it."""

import pytest
from starlette.applications import Starlette

from gql_server.api.ids import GlobalId
from gql_server.domain.access import Actor
from gql_server.domain.traces import Trace
from gql_server.services.executions import carry_out
from gql_server.services.resources import Resources
from tests.api.conftest import AddTrace
from tests.captures import IP6_A, IP_A, IP_B, MAC_A, MAC_B, arp, ethernet, packets, pcap, tcp4, udp4, udp6
from tests.graphql_client import data, execute
from tests.services.desk import receive, traces_of

FRAMES = [
    ethernet(udp4(bytes(600))),
    ethernet(udp4(source=IP_B, destination=IP_A, ports=(2222, 1111)), source=MAC_B, destination=MAC_A),
    ethernet(tcp4()),
    ethernet(tcp4()),
    ethernet(tcp4()),
    ethernet(udp6(), kind=0x86DD),
    ethernet(arp(), kind=0x0806),
]
INSIDE = """query ($id: ID!) { trace(id: $id) {
  conversations { totalCount isComplete edges { node {
    protocol protocolNumber initiatorAddress initiatorPort responderAddress responderPort packets bytes
    packetsFromInitiator bytesFromInitiator packetsFromResponder bytesFromResponder firstPacketAt lastPacketAt } } }
  talkers { edges { node { address packetsSent bytesSent packetsReceived bytesReceived } } }
  ipMacPairs { isComplete edges { node {
    address mac vendor isRouter addresses packetsSent packetsReceived claims } } }
  subnets(prefixLength4: 8) { edges { node { prefix addresses packetsSent packetsReceived } } }
  protocols { edges { node { name basis packets bytes } } } } }"""
LISTS = ("conversations", "talkers", "ipMacPairs", "subnets", "protocols")


@pytest.fixture
async def trace(resources: Resources, actor: Actor) -> Trace:
    _, job = await receive(resources, actor, pcap(packets(*FRAMES)))
    await carry_out(resources, actor.client_id, job.id)
    (trace,) = await traces_of(resources, actor, job.id)
    return trace


def id_of(trace: Trace) -> str:
    return GlobalId("Trace", trace.id).encode()


async def inside(app: Starlette, trace: Trace) -> dict[str, list[dict[str, object]]]:
    found = (await data(app, INSIDE, {"id": id_of(trace)}))["trace"]
    return {name: [edge["node"] for edge in connection["edges"]] for name, connection in found.items()}


async def test_conversations_are_told_by_their_ends(app: Starlette, trace: Trace) -> None:
    found = (await data(app, INSIDE, {"id": id_of(trace)}))["trace"]["conversations"]
    assert (found["totalCount"], found["isComplete"]) == (3, True)
    assert found["edges"][0]["node"] == {
        "protocol": "UDP",
        "protocolNumber": 17,
        "initiatorAddress": IP_A,
        "initiatorPort": 1111,
        "responderAddress": IP_B,
        "responderPort": 2222,
        "packets": 2,
        "bytes": len(FRAMES[0]) + len(FRAMES[1]),
        "packetsFromInitiator": 1,
        "bytesFromInitiator": len(FRAMES[0]),
        "packetsFromResponder": 1,
        "bytesFromResponder": len(FRAMES[1]),
        "firstPacketAt": "2023-11-14T22:13:20.000000000Z",
        "lastPacketAt": "2023-11-14T22:13:21.000000000Z",
    }


async def test_the_other_lists_tell_of_addresses_and_protocols(app: Starlette, trace: Trace) -> None:
    found = await inside(app, trace)
    assert {row["address"]: row["packetsSent"] for row in found["talkers"]}[IP_A] == 4
    pair = {"address": IP_A, "mac": MAC_A, "vendor": "CIMSYS Inc", "isRouter": False, "addresses": 1}
    assert found["ipMacPairs"][0] == pair | {"packetsSent": 4, "packetsReceived": 1, "claims": 1}
    subnet = {"prefix": "203.0.0.0/8", "addresses": 1, "packetsSent": 4, "packetsReceived": 1}
    assert subnet in found["subnets"]
    names = {row["name"]: (row["basis"], row["packets"]) for row in found["protocols"]}
    assert names["ETHERNET"] == ("HEADER", len(FRAMES))
    assert names["HTTP"] == ("PORT", 3)
    assert names["ARP"] == ("HEADER", 1)


@pytest.mark.parametrize("name", ["conversations", "talkers", "subnets", "protocols"])
async def test_the_largest_come_first_by_what_is_asked(app: Starlette, trace: Trace, name: str) -> None:
    fields = {"protocols": "packets bytes", "conversations": "packets bytes"}.get(name)
    fields = fields or "packetsSent packetsReceived bytesSent bytesReceived"
    for order in ("BYTES", "PACKETS"):
        rows = f"{name}(orderBy: {order}) {{ edges {{ node {{ {fields} }} }} }}"
        query = f"query ($id: ID!) {{ trace(id: $id) {{ {rows} }} }}"
        edges = (await data(app, query, {"id": id_of(trace)}))["trace"][name]["edges"]
        sums = [sum(v for key, v in edge["node"].items() if key.startswith(order.lower())) for edge in edges]
        assert sums == sorted(sums, reverse=True)
        assert len(sums) >= 3


@pytest.mark.parametrize("name", LISTS)
async def test_pages_join_to_the_whole(app: Starlette, trace: Trace, name: str) -> None:
    query = f"""query ($id: ID!, $first: Int, $after: Cursor) {{ trace(id: $id) {{
      {name}(first: $first, after: $after) {{
        totalCount edges {{ cursor node {{ __typename }} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""
    whole = (await data(app, query, {"id": id_of(trace), "first": 100}))["trace"][name]
    after, cursors, more = None, [], True
    while more:
        page = (await data(app, query, {"id": id_of(trace), "first": 1, "after": after}))["trace"][name]
        cursors += [edge["cursor"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert cursors == [edge["cursor"] for edge in whole["edges"]]
    assert len(cursors) == whole["totalCount"] >= 2


async def test_a_cursor_of_another_list_is_refused(app: Starlette, trace: Trace) -> None:
    query = "query ($id: ID!) { trace(id: $id) { talkers(first: 1) { edges { cursor } } } }"
    (edge,) = (await data(app, query, {"id": id_of(trace)}))["trace"]["talkers"]["edges"]
    query = "query ($id: ID!, $after: Cursor) { trace(id: $id) { protocols(after: $after) { totalCount } } }"
    body = await execute(app, query, {"id": id_of(trace), "after": edge["cursor"]})
    assert body["data"]["trace"]["protocols"] is None
    assert body["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"


async def test_a_prefix_of_no_length_is_refused_with_a_code(app: Starlette, trace: Trace) -> None:
    query = "query ($id: ID!) { trace(id: $id) { subnets(prefixLength4: 33) { totalCount } } }"
    body = await execute(app, query, {"id": id_of(trace)})
    assert body["errors"][0]["extensions"]["code"] == "INVALID_INPUT"


async def test_ipv6_subnets_have_the_length_asked_for(app: Starlette, trace: Trace) -> None:
    query = "query ($id: ID!) { trace(id: $id) { subnets(prefixLength6: 32) { edges { node { prefix addresses } } } } }"
    edges = (await data(app, query, {"id": id_of(trace)}))["trace"]["subnets"]["edges"]
    assert {"prefix": "2001:db8::/32", "addresses": 2} in [edge["node"] for edge in edges]
    assert IP6_A.startswith("2001:db8:")


async def test_a_tombstone_and_a_trace_without_a_survey_hold_nothing(
    app: Starlette, actor: Actor, trace: Trace, add_trace: AddTrace
) -> None:
    delete = "mutation ($input: DeleteTraceInput!) { deleteTrace(input: $input) { errors { code } } }"
    await data(app, delete, {"input": {"traceId": id_of(trace)}})
    for each in (trace, await add_trace(actor, content=b"bytes")):
        found = (await data(app, INSIDE, {"id": id_of(each)}))["trace"]
        assert found == dict.fromkeys(LISTS)
