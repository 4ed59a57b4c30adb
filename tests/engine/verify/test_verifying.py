import contextlib
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.domain.anonymization import NamePolicy, PayloadPolicy
from gql_server.domain.errors import CaptureError
from gql_server.domain.verification import AddressExpectation, MacExpectation
from gql_server.engine.tasks import Progressed, VerifyTask
from gql_server.engine.verify import files, layout, verifying
from gql_server.engine.verify.files import CaptureReader
from gql_server.engine.verify.hits import HITS_HEAD
from gql_server.engine.verify.reports import Evidence
from gql_server.engine.verify.tables import Tables
from tests.captures import IP_A, Face, Packet, SectionOf, ethernet, ip_bytes, option, packets, pcap, pcapng, udp4
from tests.engine.addresses.test_walk import PACKETS
from tests.engine.corpora import corpora
from tests.engine.doubles import anonymize_file, inspect_file
from tests.engine.verify.proving import Reason, Status, assert_sound, prove, prove_packet, replaced
from tests.engine.verify.samples import ALL, ETHERNET

MUTATIONS = 1_000_000 if "GQL_SERVER_LONG_TESTS" in os.environ else 100_000
AT_ONCE = 500


def rewritten(capture: bytes, folder: Path, rules: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Anonymize a capture with the product's own rewriter."""
    (folder / "in").write_bytes(capture)
    summary = anonymize_file(folder / "in", folder / "out", rules).summary
    output = folder / "out" / summary.format.file_name
    data = output.read_bytes()
    shutil.rmtree(output.parent)
    return data


def test_what_the_rewriter_writes_is_sound(tmp_path: Path) -> None:
    capture = pcap(packets(*PACKETS, *ETHERNET.values()))
    assert_sound(prove(capture, rewritten(capture, tmp_path)))
    ng = pcapng(
        SectionOf(contents=packets(*PACKETS), options=option(1, b"who"), extra=b""),
        SectionOf(
            contents=packets(*PACKETS), little=False, faces=[Face(options=option(2, b"eth0", ">"))], packet_kind=2
        ),
        SectionOf(contents=packets(*PACKETS), packet_kind=3),
    )
    assert_sound(prove(ng, rewritten(ng, tmp_path)))


def test_rules_that_the_rewriter_follows_are_met(tmp_path: Path) -> None:
    rules = (("203.0.113.0/24", "10.20.30.0/24"), ("2001:db8:aaaa::/48", "2001:db8:bbbb::/48"))
    capture = pcap(packets(*PACKETS))
    verification = prove(capture, rewritten(capture, tmp_path, rules), rules=rules)
    assert Reason.RULE_BROKEN not in verification.reasons
    other = (("203.0.113.0/24", "10.20.31.0/24"),)
    assert Reason.RULE_BROKEN in prove(capture, rewritten(capture, tmp_path, rules), rules=other).reasons


def test_a_copy_is_no_output() -> None:
    capture = pcap(packets(*PACKETS))
    verification = prove(capture, capture)
    assert verification.status is Status.FAILED
    assert Reason.ADDRESS_LEAKED in verification.reasons


def test_progress_goes_twice_through_the_output(tmp_path: Path) -> None:
    capture = pcap(packets(*[ethernet(udp4(b"p" * 1400))] * 2000))
    (tmp_path / "in").write_bytes(capture)
    told: list[Progressed] = []
    task = VerifyTask(
        source=tmp_path / "in",
        output=tmp_path / "in",
        addresses=AddressExpectation.KEPT,
        macs=MacExpectation.NAMED,
        memory_bytes=1,
    )
    verifying.verify(task, told.append)
    done = [one.bytes_done for one in told]
    assert done == sorted(done)
    assert done[-1] == told[-1].bytes_total == 2 * len(capture)
    assert len(told) > 4


@pytest.mark.parametrize(("hits", "told"), [(8, True), (9, False)])
def test_more_hits_than_are_explained_are_no_proof(hits: int, monkeypatch: pytest.MonkeyPatch, *, told: bool) -> None:
    monkeypatch.setattr(verifying, "_HITS", 4)
    monkeypatch.setattr(verifying, "_MOST_HITS", 8)
    packet = ethernet(udp4(ip_bytes(IP_A) * hits))
    verification = prove_packet(packet, replaced(packet[:42]) + packet[42:])
    assert (Reason.TOO_MANY_ADDRESSES not in verification.reasons) == told
    assert sum(one.hits for one in verification.scan.findings) == 8


def test_the_filter_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(pcap([]))
    with contextlib.closing(CaptureReader(tmp_path / "in")) as reader:
        evidence = Evidence(
            reasons=set(),
            tables=Tables(),
            original=reader,
            output=reader,
            packets=0,
            counts=np.zeros(3, np.int64),
            findings=np.zeros(1, np.int64),
        )
        for used, size in ((0, 1 << 13), (1 << 13, 1 << 17), (1 << 30, 4 << 20)):
            evidence.tables.state[layout.NARROW_USED] = used
            assert verifying._filters(evidence, np.zeros(HITS_HEAD, np.int64))[0].nbytes == size


@given(st.binary(max_size=200), st.binary(max_size=200))
@settings(deadline=None)
def test_any_two_files_have_an_answer(one: bytes, two: bytes) -> None:
    """The ledger sums to the size whatever the files hold: `prove` checks it."""
    capture = pcap(packets(ethernet(udp4())))
    prove(capture, one)
    prove(one, two)
    prove(capture[:24] + one, capture[:24] + two)


@given(
    st.sampled_from(sorted(ALL)),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=6),
    st.sampled_from(PayloadPolicy),
    st.sampled_from(NamePolicy),
)
@settings(deadline=None)
def test_any_damage_to_a_capture_has_an_answer(
    name: str, damage: list[tuple[int, int]], payload: PayloadPolicy, names: NamePolicy
) -> None:
    link_type, packet = ALL[name]
    before = pcap(packets(packet, packet), link_type=link_type)
    after = bytearray(pcap(packets(replaced(packet), replaced(packet)), link_type=link_type))
    for at, value in damage:
        after[at % len(after)] = value
    prove(before, bytes(after), payload=payload, names=names)
    prove(bytes(after), before, payload=payload, names=names)


def mutated(random_: random.Random, packet: bytes) -> bytes:
    data = bytearray(packet)
    for _ in range(random_.randrange(5)):
        data[random_.randrange(len(data))] = random_.randrange(256)
    return bytes(data[: random_.randrange(1, len(data) + 1)] if random_.random() < 0.3 else data)


def test_mutated_packets_are_read_within_their_bounds() -> None:
    """The kernels of this process check every index."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201  # shown when the test fails
    random_ = random.Random(seed)
    links = [link for link, _ in ALL.values()]
    samples = [packet for _, packet in ALL.values()]
    for _ in range(MUTATIONS // AT_ONCE):
        originals = [mutated(random_, random_.choice(samples)) for _ in range(AT_ONCE)]
        outputs = [mutated(random_, one) if random_.random() < 0.5 else one for one in originals]
        link_type = random_.choice(links)
        prove(
            pcap([Packet(data=one) for one in originals], link_type=link_type),
            pcap([Packet(data=one) for one in outputs], link_type=link_type),
            payload=random_.choice(list(PayloadPolicy)),
            names=random_.choice(list(NamePolicy)),
        )


@pytest.mark.parametrize("payload", PayloadPolicy)
def test_a_packet_at_the_end_of_memory_is_read_within_its_bounds(
    payload: PayloadPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window ends where the packet does: a byte read beyond it is out of bounds."""
    random_ = random.Random(1)
    for link_type, packet in ALL.values():
        for length in range(1 + random_.randrange(4), len(packet), 4):
            data = mutated(random_, packet[:length])
            capture = pcap([Packet(data=data)], link_type=link_type)
            monkeypatch.setattr(files, "WINDOW_BYTES", len(capture))
            prove(capture, capture, payload=payload, names=random_.choice(list(NamePolicy)))


def test_every_capture_of_the_corpora_is_proven(tmp_path: Path) -> None:
    wrong = []
    for number, source in enumerate(sorted(path for path in corpora("captures").rglob("*") if path.is_file())):
        try:
            summary = inspect_file(source, tmp_path / f"{number}.in").summary
            stored = tmp_path / f"{number}.in" / summary.format.file_name
            anonymize_file(stored, tmp_path / f"{number}.out")
        except CaptureError:
            continue
        output = tmp_path / f"{number}.out" / summary.format.file_name
        verification = prove(stored.read_bytes(), output.read_bytes())
        if verification.status not in {Status.VERIFIED, Status.PARTIAL} or verification.ledger.unknown:
            wrong.append((source.name, verification.reasons))
    assert wrong == []
