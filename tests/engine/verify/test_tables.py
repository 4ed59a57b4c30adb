from collections.abc import Callable
from ipaddress import IPv6Address

import numpy as np
import pytest

from gql_server.engine.verify import layout, pairs, tables
from gql_server.engine.verify.tables import Tables
from tests.captures import Packet, ethernet, ip_bytes, ipv4, ipv6, pcap
from tests.engine.verify.proving import Reason, Status, prove


def sources(count: int, first: int = 0x0B000001) -> bytes:
    return pcap(
        [
            Packet(data=ethernet(ipv4(b"", 59, source=f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}")))
            for n in range(first, first + count)
        ]
    )


def sources6(count: int, net: str = "2001:db8::") -> bytes:
    addresses = [str(IPv6Address(net) + n) for n in range(1, 2 * count + 1)]
    frames = [
        ethernet(ipv6(b"", 59, source=one, destination=other), kind=0x86DD)
        for one, other in zip(addresses[::2], addresses[1::2], strict=True)
    ]
    return pcap([Packet(data=frame) for frame in frames])


def test_tables_grow_and_forget_nothing() -> None:
    before, after = sources(20_000), sources(20_000, 0x5B000001)
    destination = ip_bytes("198.51.100.88")
    output = after.replace(destination, ip_bytes("100.88.198.51"))
    output = output.replace(bytes.fromhex("001122334455"), bytes.fromhex("001144552233"))
    output = output.replace(bytes.fromhex("001122334466"), bytes.fromhex("001144662233"))
    verification = prove(before, output)
    # The header checksums are those of other addresses, so they are right in both.
    assert verification.reasons == ()
    assert verification.scan.addresses_ipv4 == 20_001


def test_room_is_made_up_to_a_bound() -> None:
    held = Tables()
    assert held.state[layout.GROWS] == 1
    held.make_room(1 << 20)
    assert held.state[layout.NARROW_LIMIT] >= 1 << 20
    held.make_room(1 << 30)
    held.make_room(1 << 30)
    assert held.state[layout.GROWS] == 0
    assert held.state[layout.NARROW_LIMIT] == tables._NARROW_MOST * 3 // 4
    assert held.state[layout.WIDE_LIMIT] == tables._WIDE_MOST // 4 * 3 // 4
    assert held.words.nbytes <= tables._MOST_BYTES


def test_ipv6_addresses_have_the_room_that_others_do_not_need() -> None:
    held = Tables()
    held.state[layout.NARROW_USED] = -(1 << 30)  # as if there were none
    held.make_room(1 << 20)
    assert held.state[layout.WIDE_LIMIT] == tables._WIDE_MOST * 3 // 4
    assert held.words.nbytes <= tables._MOST_BYTES


def test_all_pairs_are_carried_over_and_given_out_piece_by_piece() -> None:
    held = Tables()
    originals = range(1, 12_001)
    slots = [(layout.KEY_IPV4 | key, layout.IN_USE | layout.MAPPED | (key + 7)) for key in originals]
    pairs.carry_over(held.state, held.words, np.array(slots, np.uint64).reshape(-1), held.words[:0])
    wide = [(1, key, 2, key, layout.IN_USE | layout.MAPPED) for key in originals[:3000]]
    pairs.carry_over(held.state, held.words, held.words[:0], np.array(wide, np.uint64).reshape(-1))
    held.state[layout.NARROW_USED], held.state[layout.WIDE_USED] = len(slots), len(wide)
    for size in (1 << 14, 1 << 17):
        held.make_room(size)
        pieces = list(held.narrow_pairs(layout.KEY_IPV4))
        found = {
            int(low): int(new)
            for piece in pieces
            for low, new in zip(piece.low.tolist(), piece.new_low.tolist(), strict=True)
        }
        assert found == {key: key + 7 for key in originals}
        assert sorted(int(low) for piece in held.wide_pairs() for low in piece.low) == list(originals[:3000])
    assert len(pieces) > 1


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables for six addresses of either width, which may not grow."""
    for name in ("_NARROW_SLOTS", "_NARROW_MOST", "_WIDE_SLOTS", "_WIDE_MOST"):
        monkeypatch.setattr(tables, name, 8)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("captured", [sources, sources6])
@pytest.mark.parametrize(("count", "fits"), [(3, True), (4, False), (20, False)])
def test_more_addresses_than_there_is_room_for_are_no_proof(
    captured: Callable[[int], bytes], count: int, *, fits: bool
) -> None:
    # Beside the sources stand one destination and two MAC addresses; of IPv6 there are two sources a packet.
    verification = prove(captured(count), captured(count))
    assert (Reason.TOO_MANY_ADDRESSES not in verification.reasons) == fits
    assert verification.status in {Status.UNVERIFIABLE, Status.FAILED}


def test_prefixes_of_every_length_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_WIDE_SLOTS", 256)
    held = Tables()
    slots = [(1, 0, 2, tag, layout.IN_USE | layout.MAPPED | tag) for tag in range(130)]
    pairs.carry_over(held.state, held.words, held.words[:0], np.array(slots, np.uint64).reshape(-1))
    found = [number for piece in held.wide_pairs() for number in piece.prefix.tolist()]
    assert sorted(found) == list(range(-1, 129))
    other = Tables()
    slots = [(high, 7, 2, high, layout.IN_USE | layout.MAPPED) for high in range(1, 131)]
    pairs.carry_over(other.state, other.words, other.words[:0], np.array(slots, np.uint64).reshape(-1))
    assert sorted(number for piece in other.wide_pairs() for number in piece.high.tolist()) == list(range(1, 131))


def test_small_tables_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_NARROW_SLOTS", "_WIDE_SLOTS"):
        monkeypatch.setattr(tables, name, 64)
    for captured in (sources, sources6):
        assert Reason.TOO_MANY_ADDRESSES not in prove(captured(200), captured(200)).reasons


def test_tables_grow_for_ipv6_as_well() -> None:
    before, after = sources6(3000), sources6(3000, "2001:db9::")
    verification = prove(before, after)
    assert Reason.TOO_MANY_ADDRESSES not in verification.reasons
    assert verification.scan.addresses_ipv6 == 6000


def test_seeds_are_odd_and_differ_from_run_to_run() -> None:
    seeds = [Tables().state[[layout.SEED_NARROW, layout.SEED_LOW, layout.SEED_WIDE]] for _ in range(2)]
    assert all((one & 1).all() for one in seeds)
    assert not np.array_equal(seeds[0], seeds[1])
