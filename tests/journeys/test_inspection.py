"""A look inside: what a capture holds, before and after, packet by packet."""

from collections import Counter
from typing import Any

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP

from tests.journeys.doors import Installation, Server
from tests.journeys.material import hospital, records
from tests.journeys.packets import addresses, is_special, packets

INSIDE = """query ($id: ID!) { trace(id: $id) {
  conversations(first: 100) { totalCount isComplete edges { node { key protocol packets bytes
    initiatorAddress initiatorPort responderAddress responderPort firstPacketAt } } }
  talkers(first: 100) { edges { node { address packetsSent packetsReceived } } }
  ipMacPairs(first: 100) { edges { node { address mac isRouter claims } } }
  subnets(prefixLength4: 16) { edges { node { prefix addresses } } }
  protocols(first: 100) { edges { node { name basis packets bytes } } } } }"""
PACKETS = """query ($id: ID!, $first: Int, $after: Cursor, $conversation: String) {
  packets(traceId: $id, first: $first, after: $after, conversation: $conversation) {
  totalCount pageInfo { hasNextPage endCursor }
  edges { node { number time hex summary layers { name fields { name value } } } } } }"""
COMPARE = """query ($id: ID!, $number: SafeInt!) { packetComparison(traceId: $id, number: $number) {
  comparison { before { hex } after { hex } changedRanges { offset length } changedFields { path before after } }
  errors { code } } }"""

Nodes = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def traces(server: Server) -> tuple[str, str]:
    """A trace and what was made of it."""
    original = server.ingest(hospital())
    return original, server.completion(server.start(original))["outputTraceId"]


def inside(server: Server, trace_id: str) -> Nodes:
    found = server.ask(INSIDE, id=trace_id)["trace"]
    return {name: [edge["node"] for edge in connection["edges"]] for name, connection in found.items()}


def pages(server: Server, trace_id: str, size: int, conversation: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after, more = None, True
    while more:
        page = server.ask(PACKETS, id=trace_id, first=size, after=after, conversation=conversation)["packets"]
        found += [edge["node"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return found


def test_talkers_and_protocols_are_those_that_scapy_counts(server: Server, traces: tuple[str, str]) -> None:
    found = inside(server, traces[0])
    sent: Counter[str] = Counter()
    for packet in packets(hospital()):
        header = packet.getlayer(IP) or packet.getlayer(IPv6)
        if header is not None:
            sent[header.src] += 1
    assert {row["address"]: row["packetsSent"] for row in found["talkers"] if row["packetsSent"]} == sent
    counts = {row["name"]: row["packets"] for row in found["protocols"]}
    assert counts["ETHERNET"] == len(packets(hospital()))
    assert counts["ARP"] == sum(ARP in packet for packet in packets(hospital()))
    assert sum(row["packets"] for row in found["conversations"]) == sent.total()


def test_the_output_holds_the_same_conversations_of_others(server: Server, traces: tuple[str, str]) -> None:
    before, after = (inside(server, each) for each in traces)

    def shapes(found: Nodes) -> list[str]:
        names = ("protocol", "packets", "bytes", "initiatorPort", "responderPort", "firstPacketAt")
        return sorted(repr([row[name] for name in names]) for row in found["conversations"])

    assert shapes(before) == shapes(after)
    hosts = {row["address"] for row in before["talkers"] if not is_special(row["address"])}
    assert len(hosts) > 5
    assert hosts.isdisjoint(row["address"] for row in after["talkers"])


def test_who_claimed_an_address_by_arp_stands_beside_it(server: Server, traces: tuple[str, str]) -> None:
    pairs = {(row["address"], row["mac"]) for row in inside(server, traces[0])["ipMacPairs"] if row["claims"]}
    claims = [packet[ARP] for packet in packets(hospital()) if ARP in packet]
    claimed = {(claim.psrc, claim.hwsrc) for claim in claims if not is_special(claim.psrc)}
    assert claimed
    assert claimed <= pairs


def test_every_packet_is_shown_in_order(server: Server, traces: tuple[str, str]) -> None:
    shown = pages(server, traces[0], 60)
    assert [packet["number"] for packet in shown] == list(range(1, 160))
    assert [packet["hex"] for packet in shown] == [body[:1600].hex() for _, body in records(hospital())]
    assert all(packet["summary"] and packet["layers"] for packet in shown)


def test_a_conversation_is_read_packet_by_packet(server: Server, traces: tuple[str, str]) -> None:
    for row in inside(server, traces[1])["conversations"][:4]:
        shown = pages(server, traces[1], 50, row["key"])
        assert len(shown) == row["packets"]
        ends = {row["initiatorAddress"], row["responderAddress"]}
        for packet in shown:
            fields = {each["value"] for layer in packet["layers"] for each in layer["fields"]}
            assert ends <= fields


def test_a_packet_beside_its_origin_shows_what_changed(server: Server, traces: tuple[str, str]) -> None:
    for number in (1, 40, 159):
        answer = server.ask(COMPARE, id=traces[1], number=number)["packetComparison"]
        assert answer["errors"] == []
        found = answer["comparison"]
        old, new = bytes.fromhex(found["before"]["hex"]), bytes.fromhex(found["after"]["hex"])
        assert old == records(hospital())[number - 1][1]
        changed = {n for each in found["changedRanges"] for n in range(each["offset"], each["offset"] + each["length"])}
        assert changed == {n for n in range(len(old)) if old[n] != new[n]}
        before = {change["before"] for change in found["changedFields"]}
        (packet,) = packets(hospital())[number - 1 : number]
        assert {each for each in addresses(packet)[:2] if not is_special(each)} <= before


def test_nothing_beside_an_upload(server: Server, traces: tuple[str, str]) -> None:
    answer = server.ask(COMPARE, id=traces[0], number=1)["packetComparison"]
    assert (answer["comparison"], answer["errors"]) == (None, [{"code": "TRACE_HAS_NO_ORIGIN"}])


def test_looking_inside_leaves_no_address_in_the_log(
    server: Server, traces: tuple[str, str], installation: Installation
) -> None:
    assert pages(server, traces[0], 100)
    log = installation.log.read_text()
    seen = {each for packet in packets(hospital()) for each in addresses(packet) if not is_special(each)}
    assert [each for each in seen if each in log] == []
