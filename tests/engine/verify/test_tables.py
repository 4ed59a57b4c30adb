import numpy as np

from gql_server.engine.verify import layout, pairs, tables
from gql_server.engine.verify.tables import Tables
from tests.captures import Packet, ethernet, ip_bytes, ipv4, pcap
from tests.engine.verify.proving import Reason, Status, prove


def sources(count: int, first: int = 0x0B000001) -> bytes:
    return pcap(
        [
            Packet(data=ethernet(ipv4(b"", 59, source=f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}")))
            for n in range(first, first + count)
        ]
    )


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


def test_more_addresses_than_there_is_room_for_are_no_proof(monkeypatch: object) -> None:
    small = {"_NARROW_SLOTS": 8, "_NARROW_MOST": 8, "_WIDE_SLOTS": 8, "_WIDE_MOST": 8}
    kept = {name: getattr(tables, name) for name in small}
    try:
        for name, value in small.items():
            setattr(tables, name, value)
        verification = prove(sources(20), sources(20))
    finally:
        for name, value in kept.items():
            setattr(tables, name, value)
    assert Reason.TOO_MANY_ADDRESSES in verification.reasons
    assert verification.status in {Status.UNVERIFIABLE, Status.FAILED}


def test_seeds_are_odd_and_differ_from_run_to_run() -> None:
    seeds = [Tables().state[[layout.SEED_NARROW, layout.SEED_LOW, layout.SEED_WIDE]] for _ in range(2)]
    assert all((one & 1).all() for one in seeds)
    assert not np.array_equal(seeds[0], seeds[1])
