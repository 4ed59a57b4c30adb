"""A second reader of packets, to judge the engine by.

It knows nothing of the engine: plain Python over bytes, one function a layer, and it stops at what it does not know.
"""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from tests.captures import ICMP, ICMPV6, TCP, UDP, checksum

_EXTENSIONS = {0, 43, 60}
_FRAGMENT = 44
_ROUTE = 43
_GRE, _IGMP = 47, 2
_VXLAN = 4789


@dataclass
class Reading:
    """What was found in one packet."""

    macs: list[tuple[int, bytes]] = field(default_factory=list)
    """Place and bytes of each."""
    ips: list[tuple[int, bytes]] = field(default_factory=list)
    checksums: list[tuple[str, bool]] = field(default_factory=list)
    """Name of each that could be verified, and whether it is right."""

    def wrong(self) -> list[str]:
        return [name for name, right in self.checksums if not right]


def read_packet(packet: bytes, link_type: int = 1) -> Reading:
    """Read the headers of a packet."""
    found = Reading()
    match link_type:
        case 1:
            _ethernet(found, packet, 0, len(packet))
        case 12 | 14 | 101 | 228 | 229:
            _ip(found, packet, 0, len(packet))
        case 0 | 108:
            _ip(found, packet, 4, len(packet))
        case 113 if len(packet) >= 16:
            _kind(found, packet, 16, len(packet), int.from_bytes(packet[14:16], "big"))
        case 276 if len(packet) >= 20:
            _kind(found, packet, 20, len(packet), int.from_bytes(packet[0:2], "big"))
        case _:
            pass
    return found


def _ethernet(found: Reading, packet: bytes, at: int, end: int) -> None:
    if end - at < 14:
        return
    found.macs += [(at, packet[at : at + 6]), (at + 6, packet[at + 6 : at + 12])]
    _kind(found, packet, at + 14, end, int.from_bytes(packet[at + 12 : at + 14], "big"))


def _kind(found: Reading, packet: bytes, at: int, end: int, kind: int) -> None:
    while kind in (0x8100, 0x88A8, 0x9100) and end - at >= 4:
        kind, at = int.from_bytes(packet[at + 2 : at + 4], "big"), at + 4
    while kind == 0x8847 and end - at >= 4:
        kind, at = (0x0800 if packet[at + 2] & 1 else 0x8847), at + 4
    if kind == 0x8864 and end - at >= 8:
        kind, at = {0x21: 0x0800, 0x57: 0x86DD}.get(int.from_bytes(packet[at + 6 : at + 8], "big"), 0), at + 8
    if kind < 0x600 and packet[at : at + 6] == b"\xaa\xaa\x03\0\0\0":
        kind, at = int.from_bytes(packet[at + 6 : at + 8], "big"), at + 8
    if kind == 0x6558:
        _ethernet(found, packet, at, end)
    elif kind in (0x0800, 0x86DD):
        _ip(found, packet, at, end)
    elif kind == 0x0806 and end - at >= 28 and packet[at + 2 : at + 6] == b"\x08\x00\x06\x04":
        found.macs += [(at + 8, packet[at + 8 : at + 14]), (at + 18, packet[at + 18 : at + 24])]
        found.ips += [(at + 14, packet[at + 14 : at + 18]), (at + 24, packet[at + 24 : at + 28])]


def _ip(found: Reading, packet: bytes, at: int, end: int) -> None:
    if end - at >= 20 and packet[at] >> 4 == 4:
        _ipv4(found, packet, at, end)
    elif end - at >= 40 and packet[at] >> 4 == 6:
        _ipv6(found, packet, at, end)


def _ipv4(found: Reading, packet: bytes, at: int, end: int) -> None:
    header = (packet[at] & 15) * 4
    total = int.from_bytes(packet[at + 2 : at + 4], "big")
    if header < 20 or (total and total < header):
        return
    found.ips += [(at + 12, packet[at + 12 : at + 16]), (at + 16, packet[at + 16 : at + 20])]
    if at + header > end:
        return
    found.checksums.append(("ipv4", checksum(packet[at : at + header]) == 0))
    flags = int.from_bytes(packet[at + 6 : at + 8], "big")
    whole = total and at + total <= end and not flags & 0x3FFF
    pseudo = packet[at + 12 : at + 20] + bytes([0, packet[at + 9]])
    if not flags & 0x1FFF:
        length = total - header if whole else None
        stop = min(end, at + total) if total else end
        # A source route changes the address that counts; this reader does not follow it.
        routed = _is_routed(packet[at + 20 : at + header])
        _transport(found, packet, at + header, stop, packet[at + 9], None if routed else length, pseudo)


def _is_routed(options: bytes) -> bool:
    """Say whether IPv4 options hold a source route."""
    while options and options[0]:
        if options[0] in (131, 137):
            return True
        size = 1 if options[0] == 1 else options[1] if len(options) > 1 else 0
        if size == 0:
            break
        options = options[size:]
    return False


def _ipv6(found: Reading, packet: bytes, at: int, end: int) -> None:
    found.ips += [(at + 8, packet[at + 8 : at + 24]), (at + 24, packet[at + 24 : at + 40])]
    length = int.from_bytes(packet[at + 4 : at + 6], "big")
    kind, place = packet[at + 6], at + 40
    stop = min(end, place + length) if length else end
    routed = False
    destination = packet[at + 24 : at + 40]
    while kind in _EXTENSIONS and stop - place >= 8:
        segments = min(packet[place + 4] + 1, packet[place + 1] // 2)
        if kind == _ROUTE and packet[place + 2] == 4 and packet[place + 3] and place + 8 + 16 * segments <= stop:
            destination = packet[place + 8 : place + 24] if segments else destination
            found.ips += [(place + 8 + 16 * n, packet[place + 8 + 16 * n :][:16]) for n in range(segments)]
        else:
            routed = routed or kind != 0
        kind, place = packet[place], place + 8 + packet[place + 1] * 8
    if kind == _FRAGMENT or place > stop:
        return
    whole = length and at + 40 + length <= end and not routed
    pseudo = packet[at + 8 : at + 24] + destination + bytes([0, kind])
    _transport(found, packet, place, stop, kind, at + 40 + length - place if whole else None, pseudo)


def _transport(  # noqa: C901, PLR0912, PLR0917  # one arm a protocol
    found: Reading, packet: bytes, at: int, end: int, protocol: int, length: int | None, pseudo: bytes
) -> None:
    data = packet[at:end]
    is_v6 = len(pseudo) > 20
    if protocol == UDP and length is not None and len(data) >= 8:
        length = int.from_bytes(data[4:6], "big")
        if 8 <= length <= len(data) and data[6:8] != b"\0\0":
            right = checksum(pseudo + length.to_bytes(2, "big") + data[:length]) == 0
            found.checksums.append(("udp", right))
        if int.from_bytes(data[2:4], "big") == _VXLAN and len(data) >= 22 and data[8] & 8:
            _ethernet(found, packet, at + 16, end)
    elif protocol == _IGMP and length == len(data):
        found.checksums.append(("igmp", checksum(data) == 0))
    elif protocol == _GRE and len(data) >= 4 and not (data[0] & 0x40 or data[1] & 7):
        begin = 4 + 4 * sum(bool(data[0] & flag) for flag in (0x80, 0x20, 0x10))
        if data[0] & 0x80:
            found.checksums.append(("gre", checksum(data) == 0))
        _kind(found, packet, at + begin, end, int.from_bytes(data[2:4], "big"))
    elif protocol == TCP and length is not None and len(data) == length >= 20:
        found.checksums.append(("tcp", checksum(pseudo + length.to_bytes(2, "big") + data) == 0))
    elif protocol == ICMP and not is_v6 and len(data) >= 8:
        if length == len(data):
            found.checksums.append(("icmp", checksum(data) == 0))
        if data[0] in (3, 4, 5, 11, 12):
            _ip(found, packet, at + 8, end)
    elif protocol == ICMPV6 and is_v6 and len(data) >= 8:
        if length == len(data):
            found.checksums.append(("icmpv6", checksum(pseudo + length.to_bytes(2, "big") + data) == 0))
        if 1 <= data[0] <= 4:
            _ip(found, packet, at + 8, end)
    elif protocol in (4, 41):
        _ip(found, packet, at, end)


def is_kept_ip(packed: bytes) -> bool:
    """Say whether an address may stay: it names no host outside its class."""
    if len(packed) == 4:
        address = IPv4Address(packed)
        special = packed[0] in (0, 127) or packed == b"\xff" * 4
        return special or address.is_multicast
    return IPv6Address(packed).is_multicast or int.from_bytes(packed, "big") <= 1


def is_kept_mac(packed: bytes) -> bool:
    """Say whether a MAC address may stay."""
    return bool(packed[0] & 1) or packed == bytes(6)


def unchanged(before: bytes, after: bytes, link_type: int = 1) -> list[int]:
    """Return the places of unicast addresses that are as they were."""
    old = read_packet(before, link_type)
    stayed = [place for place, mac in old.macs if after[place : place + 6] == mac and not is_kept_mac(mac)]
    stayed += [place for place, ip in old.ips if after[place : place + len(ip)] == ip and not is_kept_ip(ip)]
    return stayed
