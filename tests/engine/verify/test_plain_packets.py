import random
import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from gql_server.engine.verify import layout
from gql_server.engine.verify.hits import HITS_HEAD
from gql_server.engine.verify.scanning import FINDINGS_LENGTH, read_pairs
from gql_server.engine.verify.tables import Tables
from tests.captures import (
    IP6_A,
    IP6_B,
    IP_A,
    IP_B,
    IP_C,
    IP_D,
    checksum,
    dhcp_request,
    dns_answer,
    ethernet,
    ipv4,
    ipv6,
    pseudo_header,
    tcp,
    tcp4,
    udp,
    udp4,
)
from tests.engine.plain_frames import NOT_PLAIN, PLAIN, STAMP, WITHOUT_CHECKSUM
from tests.engine.verify.proving import replaced

PSEUDO = struct.pack(">H", checksum(pseudo_header(IP_A, IP_B, 6, len(tcp()))) ^ 0xFFFF)
READ_IN_ONE_GO = PLAIN | {
    "tcp6 with a timestamp": ethernet(ipv6(tcp(source=IP6_A, destination=IP6_B, options=STAMP), 6), kind=0x86DD),
    "padding": ethernet(udp4(b"x")) + bytes(17),
    "zeros": ethernet(udp4(bytes(33))),
    "wrong ip checksum": ethernet(udp4()[:8] + b"\x01" + udp4()[9:]),
}
OTHERS = NOT_PLAIN | {
    "no checksum": WITHOUT_CHECKSUM,
    "left to the card": ethernet(ipv4(tcp()[:16] + PSEUDO + tcp()[18:], 6)),
    "no length": ethernet(ipv4(udp(), 17, total=0)),
    "a shorter datagram": ethernet(ipv4(udp(b"longer"), 17, total=31)),
    "a trailer": ethernet(udp4()) + b"trailer",
    "cut": ethernet(tcp4())[:-3],
    "another protocol": ethernet(ipv4(udp(), 132)),
    "a hop by hop header": ethernet(ipv6(udp(source=IP6_A, destination=IP6_B), 0), kind=0x86DD),
    "shorter than any": ethernet(ipv4(b"", 17)),
    "the begin of a segment": ethernet(ipv4(tcp(b"")[:13], 6)) + bytes(9),
    "a segment but for two bytes": ethernet(ipv4(tcp(b"")[:18], 6)) + bytes(9),
    "a timestamp but for eight bytes": ethernet(ipv4(tcp(b"", options=STAMP)[:24], 6)) + bytes(9),
    "shorter than a header": ethernet(ipv4(struct.pack(">HHHB", 1111, 2222, 7, 9), 17)) + bytes(9),
}
CARRIED = [
    dns_answer(),
    dhcp_request(),
    b"\x08\0\0\0\0\0\x05\0" + ethernet(udp4()),
    b"\0\0\x65\x58\0\0\x05\0" + ethernet(udp4()),
    b"\x30\xff\0\x20\0\0\0\x01" + udp4(),
]
PORTS = [53, 67, 68, 1701, 2152, 3544, 4341, 4754, 4789, 4790, 5353, 5355, 6080, 6081, 6635, 8472]
BEFORE, SHIFT = 3, 2
UNTOUCHED = -1


class Read(NamedTuple):
    """What one packet left behind."""

    counters: list[int]
    words: npt.NDArray[np.uint64]
    is_plain: bool


@pytest.fixture(scope="module")
def tables() -> Tables:
    return Tables()


def read(
    tables: Tables,
    original: bytes,
    output: bytes,
    *,
    take_plain: bool = True,
    judged: int = 0,
    link: int = 1,
    cut: int = 0,
) -> Read:
    """Read one packet as the first of a capture; what was cut of it stands behind it."""
    state = tables.state.copy()
    state[layout.TAKE_PLAIN], state[layout.CURSOR], state[layout.NUMBER] = take_plain, UNTOUCHED, 0
    tables.words[:] = 0
    lists = []
    for at, data in ((BEFORE, original), (BEFORE + SHIFT, output)):
        row = np.zeros(layout.PACKET_COLUMNS, np.int64)
        row[[layout.PACKET_BEGIN, layout.PACKET_END, layout.PACKET_LINK]] = at, at + len(data) - cut, link
        row[[layout.PACKET_JUDGED_AT, layout.PACKET_JUDGED_END]] = at + len(data) - judged, at + len(data)
        lists.append((np.frombuffer(bytes(at) + data, np.uint8).copy(), row))
    (one, its), (other, theirs) = lists
    none = np.zeros(HITS_HEAD, np.int64), np.zeros(FINDINGS_LENGTH, np.int64)
    assert read_pairs(one, other, its, theirs, state, tables.words, *none, 0, 0, 1, 0) == 1
    counters = state[layout.STRUCTURAL : layout.OUTPUT_BASE].tolist()
    return Read(counters, tables.words.copy(), int(state[layout.CURSOR]) == UNTOUCHED)


def assert_read_alike(tables: Tables, original: bytes, output: bytes, cut: int = 0) -> bool:
    """Compare what both readers say of a packet; return whether it was plain."""
    in_one_go = read(tables, original, output, cut=cut)
    by_layers = read(tables, original, output, cut=cut, take_plain=False)
    assert in_one_go.counters == by_layers.counters
    assert (in_one_go.words == by_layers.words).all()
    assert not by_layers.is_plain
    return in_one_go.is_plain


@pytest.mark.parametrize("name", READ_IN_ONE_GO)
def test_plain_packets_are_read_in_one_go(name: str, tables: Tables) -> None:
    assert assert_read_alike(tables, READ_IN_ONE_GO[name], replaced(READ_IN_ONE_GO[name]))


@pytest.mark.parametrize("name", OTHERS)
def test_others_are_read_layer_by_layer(name: str, tables: Tables) -> None:
    assert not assert_read_alike(tables, OTHERS[name], replaced(OTHERS[name]))


def test_checksums_may_change_with_the_addresses(tables: Tables) -> None:
    output = replaced(ethernet(tcp4()))[:12] + ethernet(tcp4(source=IP_C, destination=IP_D))[12:]
    assert assert_read_alike(tables, ethernet(tcp4(source=IP_A, destination=IP_B)), output)


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("place", [0, 1])
def test_what_may_be_more_than_payload_is_read_layer_by_layer(port: int, place: int, tables: Tables) -> None:
    for carried in CARRIED:
        original = ethernet(udp4(carried, ports=(1111, port) if place else (port, 1111)))
        assert not assert_read_alike(tables, original, replaced(original[:42]) + original[42:])
        assert not assert_read_alike(tables, original, replaced(original))


def _changes(original: bytes, output: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield both with each bit changed: in the output, in the original, in both."""
    for at in range(len(original)):
        for bit in range(8):
            one, other = bytearray(original), bytearray(output)
            other[at] ^= 1 << bit
            yield original, bytes(other)
            one[at] ^= 1 << bit
            yield bytes(one), output
            yield bytes(one), bytes(other)


@pytest.mark.parametrize("name", READ_IN_ONE_GO)
def test_a_changed_bit_is_seen_alike(name: str, tables: Tables) -> None:
    for original, output in _changes(READ_IN_ONE_GO[name], replaced(READ_IN_ONE_GO[name])):
        assert_read_alike(tables, original, output)


@pytest.mark.parametrize(
    ("name", "checksums"),
    [("tcp", (24, 50)), ("udp", (24, 40)), ("tcp6", (70,)), ("tcp6 with a timestamp", (70,)), ("udp6", (60,))],
)
def test_a_change_that_a_checksum_follows_is_seen_alike(name: str, checksums: tuple[int, ...], tables: Tables) -> None:
    original, output = READ_IN_ONE_GO[name], replaced(READ_IN_ONE_GO[name])
    for place in checksums:
        for at in range(0, len(output) - 1, 2):
            changed = bytearray(output)
            for word, step in ((at, 1), (place, -1)):
                number = int.from_bytes(changed[word : word + 2], "big")
                changed[word : word + 2] = ((number + step) & 0xFFFF).to_bytes(2, "big")
            assert_read_alike(tables, original, bytes(changed))


@pytest.mark.parametrize("name", READ_IN_ONE_GO)
def test_addresses_that_stayed_or_became_zero_are_seen_alike(name: str, tables: Tables) -> None:
    original, output = READ_IN_ONE_GO[name], replaced(READ_IN_ONE_GO[name])
    places = [at for at in range(len(original)) if original[at] != output[at]]
    begin = 0
    for at, following in zip(places, [*places[1:], len(original)], strict=True):
        if following - at > 2:
            for field in (original[begin : at + 1], bytes(at + 1 - begin)):
                changed = output[:begin] + field + output[at + 1 :]
                assert_read_alike(tables, original, changed)
            begin = following
    for length in (4, 6, 16):
        for at in range(len(original) - length):
            for field in (original[at : at + length], bytes(length)):
                assert_read_alike(tables, original, output[:at] + field + output[at + length :])


@pytest.mark.parametrize("at", [22, 38])
def test_an_address_that_became_zero_is_seen_alike_where_the_checksum_follows(at: int, tables: Tables) -> None:
    original, output = READ_IN_ONE_GO["udp6"], bytearray(replaced(READ_IN_ONE_GO["udp6"]))
    gone = checksum(bytes(output[at : at + 16])) ^ 0xFFFF
    output[at : at + 16] = bytes(16)
    total = int.from_bytes(output[60:62], "big") + gone
    output[60:62] = ((total & 0xFFFF) + (total >> 16)).to_bytes(2, "big")
    assert not assert_read_alike(tables, original, bytes(output))
    assert read(tables, original, bytes(output)).counters[layout.SUMS_CHANGED - layout.STRUCTURAL] == 0


@pytest.mark.parametrize("name", READ_IN_ONE_GO)
def test_cut_packets_are_seen_alike(name: str, tables: Tables) -> None:
    original, output = READ_IN_ONE_GO[name], replaced(READ_IN_ONE_GO[name])
    for length in range(len(original)):
        assert_read_alike(tables, original[:length], output[:length])
        assert_read_alike(tables, original, output, cut=len(original) - length)
        assert not assert_read_alike(tables, original, output[:length])
        assert_read_alike(tables, original[:length], output)


def test_what_is_judged_elsewhere_is_not_plain(tables: Tables) -> None:
    original = READ_IN_ONE_GO["tcp"]
    assert not read(tables, original, replaced(original), judged=4).is_plain


@pytest.mark.parametrize("link", [0, 101, 105, 113, 276])
def test_frames_of_other_links_are_not_plain(link: int, tables: Tables) -> None:
    original = READ_IN_ONE_GO["tcp"]
    assert not read(tables, original, replaced(original), link=link).is_plain


def test_random_packets_are_seen_alike(tables: Tables) -> None:
    random.seed(7)
    names = list(READ_IN_ONE_GO)
    for _ in range(4000):
        original = bytearray(READ_IN_ONE_GO[random.choice(names)])
        for _ in range(random.randrange(4)):
            original[random.randrange(len(original))] = random.choice((0, 1, 4, 6, 17, 0x45, 0x81, 0xFF))
        output = bytearray(replaced(bytes(original)))
        for _ in range(random.randrange(2)):
            output[random.randrange(len(output))] ^= random.randrange(256)
        assert_read_alike(tables, bytes(original), bytes(output))
