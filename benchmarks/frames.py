"""Packets in bulk: a row of bytes each, checksums right.

Every function builds the same kind of packet many times at once; what differs from row to row comes from `Ends`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.uint8]
"""One packet, or a part of one, in each row."""
Numbers = npt.NDArray[np.int64]

TCP: Final = 6
UDP: Final = 17
ICMP: Final = 1
ICMPV6: Final = 58
_OPTIONS: Final = 60
_HOP_BY_HOP: Final = 0
_LATER_FRAGMENT: Final = 185
"""A fragment offset, in units of eight bytes: 1480 bytes went before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Who talks to whom, packet by packet; source first."""

    macs: tuple[Rows, Rows]
    ipv4: tuple[Rows, Rows]
    ipv6: tuple[Rows, Rows]
    ports: tuple[Numbers, Numbers]

    @property
    def count(self) -> int:
        """Packets."""
        return len(self.ports[0])

    def turned(self) -> "Ends":
        """Return the way back."""
        turned = ((two, one) for one, two in (self.macs, self.ipv4, self.ipv6))
        macs, ipv4_, ipv6_ = turned
        return Ends(macs=macs, ipv4=ipv4_, ipv6=ipv6_, ports=(self.ports[1], self.ports[0]))


def in_bytes(values: Numbers, width: int) -> Rows:
    """Return numbers as big-endian bytes."""
    return values.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - width :]


def blank(count: int, width: int, start: bytes = b"") -> Rows:
    """Return rows of zeros that begin alike."""
    rows = np.zeros((count, width), np.uint8)
    rows[:, : len(start)] = np.frombuffer(start, np.uint8)
    return rows


def side_by_side(*parts: Rows) -> Rows:
    """Join parts of packets."""
    return np.concatenate(parts, axis=1)


def sum_of(rows: Rows) -> Numbers:
    """Add the 16-bit words of each row (RFC 1071)."""
    if rows.shape[1] % 2:
        rows = side_by_side(rows, blank(len(rows), 1))
    summed: Numbers = np.ascontiguousarray(rows).view(">u2").sum(axis=1, dtype=np.int64)
    return summed


def checksum_of(total: Numbers) -> Numbers:
    """Fold sums of words into checksums (RFC 1071)."""
    for _ in range(3):
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(payload: Rows, ends: Ends, protocol: int, *, fragment: int = 0x4000) -> Rows:
    """Return IPv4 packets (RFC 791); `fragment` is the field with flags and offset."""
    rows = blank(ends.count, 20, b"\x45")
    rows[:, 2:4] = in_bytes(np.full(ends.count, 20 + payload.shape[1]), 2)
    rows[:, 4:6] = in_bytes(np.arange(ends.count) & 0xFFFF, 2)
    rows[:, 6:8] = in_bytes(np.full(ends.count, fragment), 2)
    rows[:, 8:10] = (64, protocol)
    rows[:, 12:16], rows[:, 16:20] = ends.ipv4
    rows[:, 10:12] = in_bytes(checksum_of(sum_of(rows)), 2)
    return side_by_side(rows, payload)


def ipv4_fragment(payload: Rows, ends: Ends) -> Rows:
    """Return last fragments of UDP datagrams: no header of UDP is in them."""
    return ipv4(payload, ends, UDP, fragment=_LATER_FRAGMENT)


def ipv6(payload: Rows, ends: Ends, next_header: int) -> Rows:
    """Return IPv6 packets (RFC 8200)."""
    rows = blank(ends.count, 40, b"\x60")
    rows[:, 4:6] = in_bytes(np.full(ends.count, payload.shape[1]), 2)
    rows[:, 6:8] = (next_header, 64)
    rows[:, 8:24], rows[:, 24:40] = ends.ipv6
    return side_by_side(rows, payload)


def ipv6_with_options(payload: Rows, ends: Ends, next_header: int) -> Rows:
    """Return IPv6 packets with a hop-by-hop and a destination options header, both of padding."""
    padding = b"\x00\x01\x04\0\0\0\0"
    options = blank(ends.count, 16, bytes([_OPTIONS]) + padding + bytes([next_header]) + padding)
    return ipv6(side_by_side(options, payload), ends, _HOP_BY_HOP)


def tcp(payload: Rows, ends: Ends, addresses: tuple[Rows, Rows]) -> Rows:
    """Return TCP segments (RFC 9293)."""
    rows = blank(ends.count, 20)
    rows[:, 4:12] = in_bytes(np.arange(ends.count) * 2654435761, 8)
    rows[:, 12:16] = (0x50, 0x18, 0xFA, 0)
    return _with_ports(side_by_side(rows, payload), ends, addresses, TCP, at=16)


def udp(payload: Rows, ends: Ends, addresses: tuple[Rows, Rows]) -> Rows:
    """Return UDP datagrams (RFC 768)."""
    rows = blank(ends.count, 8)
    rows[:, 4:6] = in_bytes(np.full(ends.count, 8 + payload.shape[1]), 2)
    rows = _with_ports(side_by_side(rows, payload), ends, addresses, UDP, at=6)
    rows[(rows[:, 6] == 0) & (rows[:, 7] == 0), 6:8] = 0xFF
    return rows


def _with_ports(rows: Rows, ends: Ends, addresses: tuple[Rows, Rows], protocol: int, *, at: int) -> Rows:
    rows[:, 0:2], rows[:, 2:4] = (in_bytes(port, 2) for port in ends.ports)
    return _with_checksum(rows, addresses, protocol, at=at)


def _with_checksum(rows: Rows, addresses: tuple[Rows, Rows], protocol: int, *, at: int) -> Rows:
    pseudo_header = sum_of(addresses[0]) + sum_of(addresses[1]) + protocol + rows.shape[1]
    rows[:, at : at + 2] = in_bytes(checksum_of(sum_of(rows) + pseudo_header), 2)
    return rows


def icmp(kind: int, code: int, rest: Rows) -> Rows:
    """Return ICMP messages (RFC 792); `rest` follows the checksum."""
    rows = side_by_side(blank(len(rest), 4, bytes([kind, code])), rest)
    rows[:, 2:4] = in_bytes(checksum_of(sum_of(rows)), 2)
    return rows


def port_unreachable(ends: Ends) -> Rows:
    """Return ICMP errors that quote the header of a UDP datagram of the other side."""
    back = ends.turned()
    datagram = udp(blank(ends.count, 100), back, back.ipv4)
    quoted = ipv4(datagram, back, UDP)[:, :28]
    return icmp(3, 3, side_by_side(blank(ends.count, 4), quoted))


def neighbor_solicitation(ends: Ends) -> Rows:
    """Return neighbor solicitations with the source's link-layer address (RFC 4861 section 4.3)."""
    rows = side_by_side(blank(ends.count, 8, b"\x87"), ends.ipv6[1], blank(ends.count, 2, b"\x01\x01"), ends.macs[0])
    return _with_checksum(rows, ends.ipv6, ICMPV6, at=2)


def arp(ends: Ends) -> Rows:
    """Return ARP replies (RFC 826)."""
    head = blank(ends.count, 8, b"\x00\x01\x08\x00\x06\x04\x00\x02")
    return side_by_side(head, ends.macs[0], ends.ipv4[0], ends.macs[1], ends.ipv4[1])


def ethernet(payload: Rows, ends: Ends, ethertype: int, *, tags: int, width: int) -> Rows:
    """Return Ethernet frames of a width, with up to two VLAN tags; what is missing is filled up with zeros."""
    link = (b"", b"\x81\x00\x00\x2a", b"\x88\xa8\x00\x64\x81\x00\x00\x2a")[tags] + ethertype.to_bytes(2, "big")
    frame = side_by_side(ends.macs[1], ends.macs[0], blank(ends.count, len(link), link), payload)
    return side_by_side(frame, blank(ends.count, width - frame.shape[1]))
