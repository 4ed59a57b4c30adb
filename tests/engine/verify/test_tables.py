import numpy as np

from gql_server.engine.verify import layout, tables
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
    assert held.state[layout.WIDE_LIMIT] == tables._WIDE_MOST * 3 // 4
    held.make_room(1 << 30)
    held.make_room(1 << 30)
    assert held.state[layout.GROWS] == 0
    assert held.words.nbytes <= 64 << 20


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
