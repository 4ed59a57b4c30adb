"""Captures of the same conversations: rearranged, damaged, wrapped.

Each mutation is a pure function of a wire and a source of chance. A lossless one keeps every byte of every stream; a
degraded one loses some; nothing here invents bytes that a judge could not tell from the recorded ones.
"""

import random
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from tests.captures import Packet, vlan
from tests.dicom.wire import (
    ACK,
    RAW,
    SLL,
    SLL2,
    SYN,
    Capture,
    Ends,
    Segment,
    Wire,
    capture_of,
    ipv4_bytes,
    packet_of,
    pseudo_checksum,
)

Mutation = Callable[[Wire, random.Random], Capture]
ODD_PORT: Final = 40404
_ETHERNET: Final = 14
_IPV4: Final = 20
_TINY: Final = (1, 2, 3, 5, 7, 11, 60)


def clean(wire: Wire, _: random.Random) -> Capture:
    """As it was recorded."""
    return capture_of(wire)


def out_of_order(wire: Wire, source: random.Random) -> Capture:
    """Shuffle within groups of eight segments; openings stay in front."""
    shuffled: list[Segment] = []
    for at in range(0, len(wire.segments), 8):
        group = list(wire.segments[at : at + 8])
        source.shuffle(group)
        shuffled += sorted(group, key=lambda one: not one.flags & SYN)
    return capture_of(wire.with_segments(shuffled))


def retransmitted(wire: Wire, source: random.Random) -> Capture:
    """Repeat segments late: whole, with other boundaries, and as keep-alives with a byte of garbage."""
    out: list[Segment] = []
    late: list[tuple[int, Segment]] = []
    before: dict[tuple[int, bool], Segment] = {}
    for segment in wire.segments:
        out.append(segment)
        if len(segment.payload) > 20:
            previous = before.get((segment.connection, segment.from_client))
            late += [(len(out) + source.randint(1, 20), again) for again in _again(segment, previous, source)]
            before[segment.connection, segment.from_client] = segment
        out += [one for due, one in late if due <= len(out)]
        late = [(due, one) for due, one in late if due > len(out)]
    return capture_of(wire.with_segments([*out, *(one for _, one in late)]))


def _again(segment: Segment, before: Segment | None, source: random.Random) -> Iterator[Segment]:
    chance = source.random()
    if chance < 0.15:
        yield segment
    elif chance < 0.3 and before is not None and before.end == segment.sequence:
        head = source.randint(1, len(before.payload) - 1)
        joined = before.payload[head:] + segment.payload[: source.randint(1, len(segment.payload))]
        yield before.moved(joined, head)
    elif chance < 0.4:
        yield segment.moved(b"\0", len(segment.payload) - 1)


def conflicting(wire: Wire, source: random.Random) -> Capture:
    """Send some segments twice with other bytes in the middle of the second or the first copy."""
    out: list[Segment] = []
    for segment in wire.segments:
        copies = [segment]
        if len(segment.payload) > 200 and source.random() < 0.2:
            middle = len(segment.payload) // 2
            other = segment.payload[:middle] + bytes(b ^ 0x15 for b in segment.payload[middle : middle + 9])
            copies.append(replace(segment, payload=other + segment.payload[middle + 9 :]))
            source.shuffle(copies)
        out += copies
    return capture_of(wire.with_segments(out))


def mid_stream(wire: Wire, _: random.Random) -> Capture:
    """Begin after openings, associations and the first segments with data."""
    seen: dict[tuple[int, bool], int] = defaultdict(int)
    out: list[Segment] = []
    for segment in wire.segments:
        side = (segment.connection, segment.from_client)
        seen[side] += bool(segment.payload)
        if not segment.flags & SYN and seen[side] > 2:
            out.append(segment)
    return capture_of(wire.with_segments(out))


def no_association(wire: Wire, _: random.Random) -> Capture:
    """Begin at a PDU boundary, after the association was negotiated."""
    opening: dict[tuple[int, bool], bool] = {}
    out: list[Segment] = []
    for segment in wire.segments:
        side = (segment.connection, segment.from_client)
        if segment.payload:
            is_pdu_of_association = segment.payload[0] in (1, 2) and side not in opening
            opening[side] = is_pdu_of_association or (opening.get(side, True) and segment.payload[0] != 4)
        if side in opening and not opening[side]:
            out.append(segment)
    return capture_of(wire.with_segments(out))


def lossy(wire: Wire, source: random.Random) -> Capture:
    """Lose two packets of a hundred."""
    return capture_of(wire.with_segments([one for one in wire.segments if source.random() > 0.02]))


def one_way(wire: Wire, _: random.Random) -> Capture:
    """See only what clients send."""
    return capture_of(wire.with_segments([one for one in wire.segments if one.from_client]))


def cut_short(wire: Wire, _: random.Random) -> Capture:
    """End at two fifths."""
    return capture_of(wire.with_segments(wire.segments[: len(wire.segments) * 2 // 5]))


def wrapped(wire: Wire, _: random.Random) -> Capture:
    """Have sequence numbers pass 2^32 within the first kilobytes."""
    first: dict[tuple[int, bool], int] = {}
    for segment in wire.segments:
        first.setdefault((segment.connection, segment.from_client), segment.sequence)

    def renumber(segment: Segment) -> Segment:
        own = first[segment.connection, segment.from_client]
        other = first[segment.connection, not segment.from_client]
        begin = (1 << 32) - 3000
        acknowledgment = (segment.acknowledgment - other + begin) % (1 << 32) if segment.flags & ACK else 0
        return replace(segment, sequence=(segment.sequence - own + begin) % (1 << 32), acknowledgment=acknowledgment)

    return capture_of(wire.with_segments(renumber(one) for one in wire.segments))


def tiny(wire: Wire, source: random.Random) -> Capture:
    """Send half of the data in segments of one to sixty bytes."""
    out: list[Segment] = []
    for segment in wire.segments:
        if len(segment.payload) < 8 or source.random() < 0.5:
            out.append(segment)
            continue
        at = 0
        while at < len(segment.payload):
            size = source.choice(_TINY)
            out.append(segment.moved(segment.payload[at : at + size], at))
            at += size
    return capture_of(wire.with_segments(out))


def odd_port(wire: Wire, _: random.Random) -> Capture:
    """Serve at a port that nobody knows."""
    return capture_of(replace(wire, ends=tuple(replace(one, server_port=ODD_PORT) for one in wire.ends)))


def port_reuse(wire: Wire, _: random.Random) -> Capture:
    """Have every connection between the same two ports, one after the other."""
    return capture_of(replace(wire, ends=tuple(replace(one, client_port=50505) for one in wire.ends)))


def interleaved(wire: Wire, source: random.Random) -> Capture:
    """Have all connections at once."""
    queues: dict[int, list[Segment]] = defaultdict(list)
    for segment in wire.segments:
        queues[segment.connection].append(segment)
    waiting = [list(reversed(one)) for one in queues.values()]
    out: list[Segment] = []
    while waiting:
        queue = source.choice(waiting)
        out.append(queue.pop())
        if not queue:
            waiting.remove(queue)
    return capture_of(wire.with_segments(out))


def fragmented(wire: Wire, source: random.Random) -> Capture:
    """Send long segments as IP fragments of 512 bytes, shuffled."""
    frames: list[bytes] = []
    for number, segment in enumerate(wire.segments):
        frame = packet_of(segment, wire.ends[segment.connection], number)
        if len(segment.payload) < 600:
            frames.append(frame)
            continue
        pieces = list(_fragments(frame, wire.ends[segment.connection], number, from_client=segment.from_client))
        source.shuffle(pieces)
        frames += pieces
    return capture_of(wire).with_frames(frames)


def _fragments(frame: bytes, ends: Ends, number: int, *, from_client: bool) -> Iterator[bytes]:
    body = frame[_ETHERNET + _IPV4 :]
    source, destination = (ends.client, ends.server) if from_client else (ends.server, ends.client)
    for at in range(0, len(body), 512):
        more = 0x2000 if at + 512 < len(body) else 0
        piece = body[at : at + 512]
        yield frame[:_ETHERNET] + ipv4_bytes(piece, source, destination, number=number, fragment=more | at // 8)


def tagged(wire: Wire, _: random.Random) -> Capture:
    """Tag frames with a VLAN (IEEE 802.1Q)."""
    return _reframed(wire, lambda frame: frame[:12] + b"\x81\x00" + vlan(frame[14:], tag=100))


def double_tagged(wire: Wire, _: random.Random) -> Capture:
    """Tag frames twice (IEEE 802.1ad)."""
    return _reframed(wire, lambda frame: frame[:12] + b"\x88\xa8" + vlan(vlan(frame[14:], tag=7), tag=9, kind=0x8100))


def raw_ip(wire: Wire, _: random.Random) -> Capture:
    """Have no link layer."""
    return _reframed(wire, lambda frame: frame[_ETHERNET:], RAW)


def cooked(wire: Wire, _: random.Random) -> Capture:
    """Capture on the `any` interface of Linux (LINKTYPE_LINUX_SLL)."""
    return _reframed(wire, lambda frame: b"\0\0\0\x01\0\x06" + frame[6:12] + b"\0\0" + frame[12:], SLL)


def cooked_again(wire: Wire, _: random.Random) -> Capture:
    """Capture on the `any` interface of a newer Linux (LINKTYPE_LINUX_SLL2)."""
    head = struct.pack(">HIHBB", 0, 3, 1, 0, 6)
    return _reframed(wire, lambda frame: frame[12:14] + head + frame[6:12] + b"\0\0" + frame[14:], SLL2)


def six(wire: Wire, _: random.Random) -> Capture:
    """Speak IPv6."""
    return capture_of(wire, six=True)


def _reframed(wire: Wire, change: Callable[[bytes], bytes], link_type: int | None = None) -> Capture:
    capture = capture_of(wire)
    return capture.with_frames((change(packet.data) for packet in capture.packets), link_type)


def snapped(length: int) -> Mutation:
    """Return a mutation that keeps only so many bytes of a packet."""

    def snap(wire: Wire, _: random.Random) -> Capture:
        capture = capture_of(wire)
        packets = (
            Packet(data=one.data[:length], time_ns=one.time_ns, original_length=len(one.data))
            for one in capture.packets
        )
        return replace(capture, packets=tuple(packets))

    return snap


def without_checksums(wire: Wire, _: random.Random) -> Capture:
    """Leave TCP checksums empty, as some drivers do."""
    at = _ETHERNET + _IPV4 + 16
    return _reframed(wire, lambda frame: frame[:at] + b"\0\0" + frame[at + 2 :])


def with_partial_checksums(wire: Wire, _: random.Random) -> Capture:
    """Leave TCP checksums of what the client sends to the network card: the pseudo-header's sum stands there."""
    at = _ETHERNET + _IPV4 + 16
    capture = capture_of(wire)
    frames = []
    for segment, packet in zip(wire.segments, capture.packets, strict=True):
        ends, frame = wire.ends[segment.connection], packet.data
        partial = pseudo_checksum(ends.client, ends.server, len(frame) - _ETHERNET - _IPV4)
        frames.append(frame[:at] + struct.pack(">H", partial) + frame[at + 2 :] if segment.from_client else frame)
    return capture.with_frames(frames)


def with_wrong_checksums(wire: Wire, source: random.Random) -> Capture:
    """Break one TCP checksum in ten."""
    at = _ETHERNET + _IPV4 + 16

    def wrong(frame: bytes) -> bytes:
        if source.random() > 0.1:
            return frame
        value = (int.from_bytes(frame[at : at + 2], "big") + source.randrange(1, 0xFFFF)) % 0xFFFF
        return frame[:at] + struct.pack(">H", value) + frame[at + 2 :]

    return _reframed(wire, wrong)


def reversed_bytes(wire: Wire, _: random.Random) -> Capture:
    """Write the file's own numbers with the highest byte first."""
    return replace(capture_of(wire), order=">")


LOSSLESS: Final[dict[str, Mutation]] = {
    "out of order": out_of_order,
    "retransmitted": retransmitted,
    "wrapped": wrapped,
    "fragmented": fragmented,
    "tagged": tagged,
    "double tagged": double_tagged,
    "raw IP": raw_ip,
    "SLL": cooked,
    "SLL2": cooked_again,
    "IPv6": six,
    "tiny": tiny,
    "odd port": odd_port,
    "port reuse": port_reuse,
    "interleaved": interleaved,
    "without checksums": without_checksums,
    "partial checksums": with_partial_checksums,
    "wrong checksums": with_wrong_checksums,
    "reversed bytes": reversed_bytes,
}
"""Those that keep every byte of every stream."""

DEGRADED: Final[dict[str, Mutation]] = {
    "mid-stream": mid_stream,
    "no association": no_association,
    "snapped to 96": snapped(96),
    "snapped to 250": snapped(250),
    "snapped to 600": snapped(600),
    "lossy": lossy,
    "one way": one_way,
    "cut short": cut_short,
}
"""Those that lose some."""

CONFLICTS: Final[dict[str, Mutation]] = {"conflicting": conflicting}
"""Those in which two copies of the same bytes differ."""

MUTATIONS: Final[dict[str, Mutation]] = {"clean": clean, **LOSSLESS, **DEGRADED, **CONFLICTS}


def corrupted(data: bytes, seed: int) -> bytes:
    """Change some bytes of a file: anywhere, or in what segments carry."""
    source = random.Random(seed)
    out = bytearray(data)
    for _ in range(source.choice((1, 5, 40, 300))):
        place, chance = source.randrange(24, len(out)), source.random()
        if chance < 0.5:
            out[place] = source.randrange(256)
        elif chance < 0.8:
            out[place] ^= 1 << source.randrange(8)
        else:
            word = source.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"))[: len(out) - place]
            out[place : place + len(word)] = word
    return bytes(out)
