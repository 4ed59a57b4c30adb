"""The main job: a real capture in, a de-identified trace out, a listener hears of it."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.packet import Packet

from tests.journeys.doors import COMPLETED, JOB, PROGRESS, Installation, Server
from tests.journeys.material import hospital, records
from tests.journeys.packets import addresses, is_special, packets, replacements

LINEAGE = """query ($id: ID!, $direction: Direction!) { lineage(id: $id, direction: $direction) { isComplete
  nodes { __typename ... on Trace { id isDeleted } ... on Execution { id name } }
  edges { kind source { ...End } target { ...End } } } }
fragment End on LineageNode { ... on Trace { id } ... on Execution { id } }"""
PREVIEW = """query ($id: ID!, $mapping: AddressMapping!) {
  previewTransformation(traceId: $id, mapping: $mapping, first: 100) {
  pairs { kind original replacement } errors { code } } }"""


@dataclass(frozen=True)
class Story:
    """One capture, from upload to result."""

    original: str
    output: str
    job: str
    body: bytes
    result: bytes
    preview: dict[str, str]


@pytest.fixture(scope="module", params=["IPCRYPT_PFX", "CRYPTO_PAN"])
def story(server: Server, request: pytest.FixtureRequest) -> Story:
    body = hospital()
    original = server.ingest(body, "hospital.pcap")
    shown = server.ask(PREVIEW, id=original, mapping=request.param)["previewTransformation"]
    assert shown["errors"] == []
    job = server.start(original, mapping=request.param)
    event = server.completion(job)
    assert (event["state"], event["error"]) == ("COMPLETED", None)
    output = event["outputTraceId"]
    assert output == event["outputTrace"]["id"]
    preview = {pair["original"]: pair["replacement"] for pair in shown["pairs"]}
    return Story(original, output, job, body, server.download(output), preview)


def test_every_unicast_address_of_every_packet_is_another_one(story: Story) -> None:
    originals = {each for packet in packets(story.body) for each in addresses(packet) if not is_special(each)}
    assert len(originals) >= 8
    for before, after in zip(packets(story.body), packets(story.result), strict=True):
        for old, new in zip(addresses(before), addresses(after), strict=True):
            assert is_special(old) == is_special(new), (old, new)
            assert new not in originals


def test_packet_times_and_lengths_stay(story: Story) -> None:
    before, after = records(story.body), records(story.result)
    assert [header for header, _ in before] == [header for header, _ in after]
    assert story.body[:24] == story.result[:24]


def test_one_address_has_one_replacement_and_no_two_share_it(story: Story) -> None:
    seen = replacements(story.body, story.result)
    assert len(set(seen.values())) == len(seen)


def test_the_preview_is_what_was_written(story: Story) -> None:
    seen = replacements(story.body, story.result)
    assert len(seen.keys() & story.preview.keys()) >= 10
    assert {old: story.preview[old] for old in seen.keys() & story.preview.keys()} == {
        old: seen[old] for old in seen.keys() & story.preview.keys()
    }


def _checksum_states(packet: Packet) -> list[bool]:
    """Whether each checksum of a packet is what scapy would compute."""
    states = []
    for layer in (IP, TCP, UDP, ICMP):
        if layer in packet:
            fresh = packet.__class__(bytes(packet))
            del fresh[layer].chksum
            states.append(packet.__class__(bytes(fresh))[layer].chksum == packet[layer].chksum)
    return states


def test_good_checksums_stay_good_and_bad_ones_bad(story: Story) -> None:
    before = [_checksum_states(packet) for packet in packets(story.body)]
    after = [_checksum_states(packet) for packet in packets(story.result)]
    assert before == after
    flat = [state for states in before for state in states]
    # How many depends on the layers that scapy knows by now; some are wrong.
    assert 5 < flat.count(False) < 15
    assert flat.count(True) > 150


def test_the_trace_says_what_it_holds(story: Story, server: Server) -> None:
    trace = server.trace(story.output)
    assert trace["sha256"] == hashlib.sha256(story.result).hexdigest()
    assert trace["sizeBytes"] == len(story.result)
    assert (trace["packets"], trace["format"], trace["origin"]) == (159, "PCAP", "ADDRESS_ANONYMIZED")
    assert [each["number"] for each in trace["linkTypes"]] == [1]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", trace["firstPacketAt"])
    assert server.trace(story.original)["firstPacketAt"] == trace["firstPacketAt"]


def test_the_original_is_untouched(story: Story, server: Server) -> None:
    assert server.download(story.original) == story.body


def test_the_lineage_joins_both_ways(story: Story, server: Server) -> None:
    up = server.ask(LINEAGE, id=story.output, direction="ANCESTORS")["lineage"]
    down = server.ask(LINEAGE, id=story.original, direction="DESCENDANTS")["lineage"]
    execution = server.job(story.job)["executions"]["edges"][0]["node"]["id"]
    wanted = {
        ("GENERATED", execution, story.output),
        ("USED", execution, story.original),
        ("DERIVED_FROM", story.output, story.original),
    }
    for lineage in (up, down):
        edges = {(edge["kind"], edge["source"]["id"], edge["target"]["id"]) for edge in lineage["edges"]}
        assert wanted <= edges
        assert lineage["isComplete"]


def test_the_execution_is_written_down(story: Story, server: Server) -> None:
    node = server.job(story.job)["executions"]["edges"][0]["node"]
    assert re.fullmatch(r"exec_\d{8}T\d{6}Z_[0-9a-f]{8}", node["name"])
    assert [each["name"] for each in node["artifacts"]] == [
        "manifest.json",
        "report.json",
        "rules.json",
        "verification.json",
    ]
    query = "query ($id: ID!) { execution(id: $id) { artifacts { name downloadUrl sha256 } } }"
    files: dict[str, Any] = {}
    for artifact in server.ask(query, id=node["id"])["execution"]["artifacts"]:
        response = server.http.get(artifact["downloadUrl"])
        assert hashlib.sha256(response.content).hexdigest() == artifact["sha256"]
        files[artifact["name"]] = response.json()
    manifest = files["manifest.json"]
    assert manifest["outcome"] == "COMPLETED"
    assert manifest["input"]["sha256"] == hashlib.sha256(story.body).hexdigest()
    assert manifest["output"]["sha256"] == hashlib.sha256(story.result).hexdigest()
    assert manifest["keyId"]
    assert manifest["codeVersion"]
    assert manifest["rulesSha256"]
    assert files["report.json"]["packets"] == 159


def test_a_finished_execution_and_trace_cannot_be_written(
    story: Story, server: Server, installation: Installation
) -> None:
    name = server.job(story.job)["executions"]["edges"][0]["node"]["name"]
    directory = installation.directory / "executions" / name
    assert directory.stat().st_mode & 0o222 == 0
    for path in [*directory.iterdir(), *(installation.directory / "traces").glob("*/*")]:
        assert path.stat().st_mode & 0o222 == 0, path


def test_the_same_job_again_gives_the_same_bytes(story: Story, server: Server) -> None:
    mapping = "IPCRYPT_PFX"
    first = server.completion(server.start(story.original, mapping=mapping))["outputTrace"]["sha256"]
    again = server.completion(server.start(story.original, mapping=mapping))["outputTrace"]["sha256"]
    assert first == again


def test_progress_is_told_in_order_and_ends(story: Story, server: Server) -> None:
    with server.listen(PROGRESS, job=story.job) as events:
        told = [each["jobProgress"] for each in events]
    assert [each["sequence"] for each in told] == list(range(1, len(told) + 1))
    assert told[0]["kind"] == "JOB_SUBMITTED"
    assert told[-1]["kind"] == "JOB_COMPLETED"
    assert told[-1]["outputTraceId"] == story.output


def test_the_same_news_come_over_server_sent_events(story: Story, server: Server) -> None:
    query = {"query": COMPLETED, "variables": {"job": story.job}}
    headers = {"Accept": "text/event-stream"}
    with server.http.stream("POST", "/graphql", json=query, headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        text = response.read().decode()
    assert "event: next" in text
    assert story.output in text
    assert "\r" not in text


def test_the_same_fact_can_be_polled(story: Story, server: Server) -> None:
    job = server.ask(JOB, id=story.job)["job"]
    assert (job["state"], job["outputTraceId"]) == ("COMPLETED", story.output)


def test_rules_steer_the_next_job_and_its_snapshot_stays(server: Server) -> None:
    trace = server.ingest(hospital())
    set_rules = "mutation ($input: SetAddressRulesInput!) { setAddressRules(input: $input) { errors { code } } }"
    rules = [
        {"source": "10.20.0.0/16", "target": "192.0.0.0/16"},
        {"source": "10.20.1.10/32", "target": "198.18.0.1/32"},
    ]
    assert server.act(set_rules, traceId=trace, rules=rules)["errors"] == []
    job = server.start(trace)
    assert server.act(set_rules, traceId=trace, rules=[])["errors"] == []
    output = server.completion(job)["outputTraceId"]
    seen = replacements(hospital(), server.download(output))
    assert seen["10.20.1.10"] == "198.18.0.1"
    assert seen["10.20.2.20"] == "192.0.2.20"
    contradicting = [*rules, {"source": "10.30.0.0/16", "target": "192.0.0.0/16"}]
    refused = server.act(set_rules, traceId=trace, rules=contradicting)
    assert [error["code"] for error in refused["errors"]] == ["RULE_TARGETS_COLLIDE"]


def test_no_log_line_holds_an_address_or_a_name(story: Story, installation: Installation) -> None:
    log = installation.log.read_text()
    originals = {each for packet in packets(story.body) for each in addresses(packet) if not is_special(each)}
    assert [each for each in originals if each in log] == []
    for canary in ("hospital.pcap", "EXAMPLE", "PATIENT", "archive.hospital.example", "Traceback"):
        assert canary not in log
