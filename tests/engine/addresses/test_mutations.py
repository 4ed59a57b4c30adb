"""Mutated packets by the hundred thousand, on the bounds-checked build, held against the laws of the walk.

GQL_SERVER_LONG_TESTS=1 makes it ten million. Each batch prints its seed; a failure names it.
"""

import os
import random
import time
from collections.abc import Iterator

import numpy as np
import pytest

from gql_server.domain.anonymization import NamePolicy, PayloadPolicy
from gql_server.engine.addresses.rewriter import Addresses, Rewriter
from gql_server.engine.capture.records import RECORD_COLUMNS, SIMPLE_HEADER
from gql_server.engine.capture.windows import Window
from gql_server.engine.compilation import CHECKED
from tests.engine.addresses.test_hazards import CARRIED, STUDIED
from tests.engine.addresses.test_walk import PACKETS, same_but_for_negative_zero
from tests.engine.doubles import Identity, Involution
from tests.engine.judging import MAP
from tests.engine.reading import read_packet, unchanged

LONG = "GQL_SERVER_LONG_TESTS" in os.environ
BATCH = 2_000
BATCHES = 5_000 if LONG else 50
SEEDS = range(BATCHES) if not LONG else range(time.time_ns() >> 20, (time.time_ns() >> 20) + BATCHES)
ORIGINALS = [*(hazard.packet for hazard in (STUDIED | CARRIED).values()), *PACKETS]
LINKS = [1] * 12 + [101, 113, 276, 0, 228, 105, 127, 105, 127, 147]
TELLING = [0, 255, 1, 4, 6, 17, 41, 43, 44, 47, 51, 58, 60, 129, 0x45, 0x60, 0x08, 0x88]
POLICIES = [
    (PayloadPolicy.KEEP, NamePolicy.KEEP),
    (PayloadPolicy.KEEP, NamePolicy.MASK),
    (PayloadPolicy.ZERO, NamePolicy.KEEP),
]


def mutated(source: random.Random) -> tuple[bytes, int]:
    """A packet with some bytes changed, perhaps cut, on some link."""
    packet = bytearray(source.choice(ORIGINALS))
    for _ in range(source.choice((0, 1, 1, 2, 4, 8))):
        value = source.choice(TELLING) if source.random() < 0.6 else source.randrange(256)
        packet[source.randrange(min(len(packet), 120))] = value
    if source.random() < 0.4:
        del packet[source.randrange(len(packet) + 1) :]
    return bytes(packet), source.choice(LINKS)


class Batch:
    """Packets that lie beside each other in one window."""

    def __init__(self, seed: int) -> None:
        source = random.Random(seed)
        self.packets = [mutated(source) for _ in range(BATCH)]
        sizes = [len(packet) for packet, _ in self.packets]
        self.ends = np.cumsum(sizes)
        self.begins = self.ends - sizes
        self.data = b"".join(packet for packet, _ in self.packets)

    def rewritten(
        self,
        addresses: Addresses,
        data: bytes,
        payload: PayloadPolicy = PayloadPolicy.KEEP,
        names: NamePolicy = NamePolicy.KEEP,
    ) -> tuple[bytes, int]:
        """Rewrite all of them; return them and the bytes that were zeroed."""
        records = np.zeros((BATCH, RECORD_COLUMNS), np.int64)
        records[:, 0], records[:, 1] = self.begins, self.ends
        records[:, 2], records[:, 4] = [link for _, link in self.packets], SIMPLE_HEADER
        buffer = np.frombuffer(data, np.uint8).copy()
        rewriter = Rewriter(addresses, payload=payload, names=names)
        window = Window(
            buffer=buffer, begin=0, end=len(data), records=records.reshape(-1), count=BATCH, first_packet=0, base=0
        )
        rewriter.rewrite(window)
        return buffer.tobytes(), rewriter.report(BATCH, 0).bytes_zeroed

    def cut(self, data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
        """Each packet, what became of it, and its link type."""
        for (packet, link), begin, end in zip(self.packets, self.begins.tolist(), self.ends.tolist(), strict=True):
            yield packet, data[begin:end], link


@pytest.mark.timeout(0 if LONG else 300)
def test_mutated_packets_obey_the_laws() -> None:
    assert CHECKED, "an index out of bounds must be an error"
    print(f"seeds {SEEDS.start} to {SEEDS.stop - 1}, {BATCH * BATCHES} packets")  # noqa: T201  # to find them again
    ambiguous = 0
    for seed in SEEDS:
        batch = Batch(seed)
        as_it_was, _ = batch.rewritten(Identity(), batch.data)
        once, _ = batch.rewritten(Involution(), batch.data)
        twice, _ = batch.rewritten(Involution(), once)
        by_key, _ = batch.rewritten(MAP, batch.data)
        ambiguous += hold_laws(batch, as_it_was, twice, seed)
        hold_leaks(batch, by_key, seed)
        hold_checksums(batch, as_it_was, by_key, seed)
        payload, names = POLICIES[seed % len(POLICIES)]
        by_policy, _ = batch.rewritten(MAP, batch.data, payload, names)
        hold_leaks(batch, by_policy, seed)
    assert ambiguous <= BATCH * BATCHES // 50_000


def hold_laws(batch: Batch, as_it_was: bytes, twice: bytes, seed: int) -> int:
    """The identity changes only what is zeroed, and an involution undoes itself where nothing is.

    Return how often checksums differ: one in 32,768 looks, by chance, as if it were left to the network card, and of a
    packet that was cut nobody can tell. The checksums around it follow.
    """
    ambiguous = 0
    for (packet, out, link), (_, back, _) in zip(batch.cut(as_it_was), batch.cut(twice), strict=True):
        if packet == out:
            if not same_but_for_negative_zero(back, packet):
                places = [place for place in range(len(packet)) if back[place] != packet[place]]
                assert len(places) <= 6, (seed, link, packet.hex())
                ambiguous += 1
        else:
            pairs = zip(out, packet, strict=True)
            assert any(new in b"\x000" and new != old for new, old in pairs), (seed, link, packet.hex())
    return ambiguous


def hold_leaks(batch: Batch, out: bytes, seed: int) -> None:
    """No unicast address of a header that another reader finds stays."""
    for index, (packet, after, link) in enumerate(batch.cut(out)):
        if index % 4 == seed % 4:
            assert unchanged(packet, after, link) == [], (seed, link, packet.hex())


def hold_checksums(batch: Batch, as_it_was: bytes, out: bytes, seed: int) -> None:
    """Checksums keep their states; where bytes are zeroed, the other reader may no longer follow."""
    pairs = zip(batch.cut(as_it_was), batch.cut(out), strict=True)
    for index, ((packet, same, link), (_, after, _)) in enumerate(pairs):
        if index % 4 == seed % 4 and packet == same:
            states = read_packet(after, link).checksums
            assert states == read_packet(packet, link).checksums, (seed, link, packet.hex())
