"""Laws between outputs: what a rearrangement and a loss may change.

A lossless rearrangement gives the same streams; a degraded capture never shows a byte that the clean run hides;
checksums stay as right, as wrong, or as absent as they were.
"""

import hashlib
import struct
from collections.abc import Iterator

from tests.captures import TCP, pseudo_header
from tests.dicom.reading import Record, connections_in, pieces_of, records_of

_MASK = 0xFFFF
_BLANKS = (0x00, 0x20)


def streams(data: bytes) -> list[tuple[int, str]]:
    """Return length and digest of each stream of a capture, whatever their order and ends."""
    return sorted(
        (len(one.data), hashlib.sha256(one.data).hexdigest())
        for pair in connections_in(data)
        for one in pair
        if one.data
    )


def disclosed(clean: tuple[bytes, bytes], degraded: tuple[bytes, bytes]) -> list[str]:
    """Return runs of original bytes that a degraded capture's output shows and the clean one's hides.

    Both pairs are of an original and its output; they have the same ends and sequence numbers.
    """
    hidden, runs = _hidden(*clean), []
    pieces = [list(pieces_of(records_of(data))) for data in degraded]
    if [(one.flow, one.sequence) for one in pieces[0]] != [(one.flow, one.sequence) for one in pieces[1]]:
        return ["segments differ in ends or sequence"]
    for old, new in zip(*pieces, strict=True):
        run = bytearray()
        for at, (before, after) in enumerate(zip(old.payload, new.payload, strict=True)):
            place = (old.flow, (old.sequence + at) % (1 << 32))
            if before == after and before not in _BLANKS and hidden.get(place) == before:
                run.append(before)
            elif run:
                runs.append(bytes(run))
                run = bytearray()
        runs += [bytes(run)] if run else []
    return [f"{len(run)} bytes show" for run in runs]


def _hidden(original: bytes, output: bytes) -> dict[tuple[tuple[bytes, int, bytes, int], int], int]:
    """Return the original byte at each place of the wire where the output has another."""
    found = {}
    pairs = zip(pieces_of(records_of(original)), pieces_of(records_of(output)), strict=True)
    for old, new in pairs:
        for at, (before, after) in enumerate(zip(old.payload, new.payload, strict=True)):
            if before != after:
                found[old.flow, (old.sequence + at) % (1 << 32)] = before
    return found


def checksums(original: bytes, output: bytes) -> list[str]:
    """Return TCP checksums that became right, wrong, or otherwise wrong.

    What is compared is how far a checksum is from that of the captured bytes; 0 and 0xFFFF are the same number. One
    left to the network card must stay as it is.
    """
    found = []
    if len(records_of(original)) != len(records_of(output)):
        return ["the number of packets is another"]
    for number, (old, new) in enumerate(zip(records_of(original), records_of(output), strict=True), start=1):
        before, after = (list(_sums(one)) for one in (old, new))
        if len(before) != len(after):
            found.append(f"packet {number} is in one of both no TCP segment")
            continue
        for (was, off, is_partial), (now, then, _) in zip(before, after, strict=True):
            if (is_partial and was != now) or (not is_partial and off != then):
                found.append(f"the checksum of packet {number} is off by {then}, was by {off}")
    return found


def _sums(record: Record) -> Iterator[tuple[int, int, bool]]:
    """Yield a TCP checksum, how far off it is, and whether it is wrong since it is 0 or a pseudo-header's alone."""
    data = record.data
    at = {1: 14, 101: 0, 113: 16, 276: 20}[record.link_type]
    if len(data) < at + 40 or data[at] >> 4 != 4 or data[at + 9] != TCP or data[at + 6] & 0x3F or data[at + 7]:
        return
    total = int.from_bytes(data[at + 2 : at + 4], "big")
    body = data[at + 20 : at + total]
    stored = int.from_bytes(body[16:18], "big")
    addresses = [".".join(map(str, data[place : place + 4])) for place in (at + 12, at + 16)]
    pseudo = _sum(pseudo_header(addresses[0], addresses[1], TCP, total - 20))
    rest = _sum(body[:16] + b"\0\0" + body[18:])
    off = (stored + pseudo + rest) % _MASK
    yield stored, off, off != 0 and stored in (0, pseudo)


def _sum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & _MASK) + (total >> 16)
    return total
