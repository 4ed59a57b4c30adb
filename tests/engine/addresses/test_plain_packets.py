import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.domain.anonymization import AnonymizationReport, NamePolicy, PayloadPolicy
from gql_server.engine.addresses import layout
from gql_server.engine.addresses.rewriter import Addresses, Rewriter
from gql_server.engine.capture.windows import CaptureWindows
from tests.captures import (
    MAC_A,
    dns_answer,
    ethernet,
    ipv4,
    mac_bytes,
    packets,
    pcap,
    tcp,
    tcp4,
    udp,
    udp4,
)
from tests.engine.addresses.test_hazards import CARRIED, STUDIED
from tests.engine.doubles import BytesSource, Identity
from tests.engine.judging import MAP
from tests.engine.plain_frames import NOT_PLAIN, PLAIN, WITHOUT_CHECKSUM

TO_THE_REWRITER = PLAIN | {
    "padding": ethernet(udp4(b"x")) + b"trailer and" + mac_bytes(MAC_A),
    "no checksum": WITHOUT_CHECKSUM,
    "dns over tcp": ethernet(tcp4(b"\0\x20" + dns_answer()).replace(b"\x9c\x40\0\x50", b"\x9c\x40\0\x35")),
}
TO_BE_WALKED = NOT_PLAIN | {
    "an extension": STUDIED["ipv6 hop by hop"].packet,
    "cut": ethernet(udp4())[:-1],
    "a short datagram": ethernet(ipv4(udp()[:4] + b"\0\x0a" + udp()[6:], 17)),
    "a length of none": ethernet(ipv4(tcp(), 6, total=0)),
    "dns": ethernet(udp4(dns_answer(), ports=(53, 9))),
    "a tunnel": STUDIED["vxlan with checksum"].packet,
    "rip": CARRIED["rip"].packet,
    "bgp": CARRIED["bgp"].packet,
    "arp": STUDIED["arp"].packet,
}


def rewritten(
    frames: list[bytes],
    addresses: Addresses,
    *,
    plain: bool,
    names: NamePolicy = NamePolicy.KEEP,
    window: int = 1 << 20,
) -> tuple[bytes, AnonymizationReport, int]:
    rewriter = Rewriter(addresses, names=names)
    rewriter._state[layout.TAKE_PLAIN] = plain
    out = b""
    for part in CaptureWindows(BytesSource(pcap(packets(*frames))), strip=True, window_bytes=window):
        rewriter.rewrite(part)
        out += bytes(part.data)
    return out, rewriter.report(len(frames), 0), int(rewriter._state[layout.PACKETS_PLAIN])


@pytest.mark.parametrize("name", TO_THE_REWRITER)
def test_plain_packets_take_the_short_way_to_the_same_place(name: str) -> None:
    *walked, none = rewritten([TO_THE_REWRITER[name]] * 2, MAP, plain=False)
    *short, both = rewritten([TO_THE_REWRITER[name]] * 2, MAP, plain=True)
    assert short == walked
    assert (none, both) == (0, 2)


@pytest.mark.parametrize("name", TO_BE_WALKED)
def test_others_are_walked(name: str) -> None:
    *walked, _ = rewritten([TO_BE_WALKED[name]] * 2, MAP, plain=False)
    *short, taken = rewritten([TO_BE_WALKED[name]] * 2, MAP, plain=True)
    assert short == walked
    assert taken == 0


def test_a_checksum_left_to_the_card_is_walked() -> None:
    packet = bytearray(TO_THE_REWRITER["tcp"])
    pseudo = packet[26:34] + b"\0\x06" + len(packet[34:]).to_bytes(2, "big")
    total = int(np.frombuffer(pseudo, ">u2").astype(np.int64).sum())
    packet[50:52] = ((total & 0xFFFF) + (total >> 16)).to_bytes(2, "big")
    *walked, _ = rewritten([bytes(packet)], MAP, plain=False)
    *short, taken = rewritten([bytes(packet)], MAP, plain=True)
    assert short == walked
    assert taken == 0


def test_where_names_are_masked_dns_over_tcp_is_walked() -> None:
    *_, taken = rewritten(
        [TO_THE_REWRITER["dns over tcp"], TO_THE_REWRITER["tcp"]], MAP, plain=True, names=NamePolicy.MASK
    )
    assert taken == 1


@pytest.mark.parametrize("policy", [PayloadPolicy.ZERO, PayloadPolicy.TRUNCATE])
def test_payload_that_is_not_kept_is_walked(policy: PayloadPolicy) -> None:
    rewriter = Rewriter(MAP, payload=policy)
    for part in CaptureWindows(BytesSource(pcap(packets(*TO_THE_REWRITER.values()))), strip=True):
        rewriter.rewrite(part)
    assert rewriter._state[layout.PACKETS_PLAIN] == 0


def mixture(seed: int, count: int) -> list[bytes]:
    """Conversations of a few hosts, most plain, some damaged."""
    source = random.Random(seed)
    kinds = [*TO_THE_REWRITER.values()] * 4 + [*TO_BE_WALKED.values(), *(hazard.packet for hazard in STUDIED.values())]
    frames = []
    for _ in range(count):
        frame = bytearray(source.choice(kinds))
        for _ in range(source.choice((0, 0, 0, 1, 2, 3))):
            frame[source.randrange(len(frame))] = source.randrange(256)
        if source.random() < 0.05:
            del frame[source.randrange(len(frame)) :]
        frames.append(bytes(frame))
    return frames


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32), st.sampled_from([512, 4096, 1 << 20]), st.sampled_from([MAP, Identity()]))
def test_the_short_way_and_the_walk_give_the_same(seed: int, window: int, addresses: Addresses) -> None:
    frames = mixture(seed, 120)
    *walked, _ = rewritten(frames, addresses, plain=False)
    *short, taken = rewritten(frames, addresses, plain=True, window=window)
    assert short == walked
    assert taken > 20
