"""Kernels for TCP, UDP and what UDP carries.

Tunnels are entered. Other payload goes by the policy; where it is kept, the addresses of DNS and DHCP are rewritten.
Where names are masked, protocols of names that are not followed are zeroed: DNS over TCP, NetBIOS, DHCPv6.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.dhcp import dhcp
from gql_server.engine.addresses.dns import dns
from gql_server.engine.addresses.fields import blank, cut, open_level
from gql_server.engine.addresses.layout import (
    KEEP_PAYLOAD,
    MASK_NAMES,
    NEXT,
    NOTHING,
    OPAQUE,
    PACKET_PAYLOAD,
    PARTIAL_CHECKSUM,
    PAYLOAD_LENGTH,
    PLAIN_CHECKSUM,
    PSEUDO,
    PSEUDO_SUM,
    UDP_CHECKSUM,
    VERSION,
)
from gql_server.engine.addresses.payload import payload
from gql_server.engine.addresses.tables import fold
from gql_server.engine.addresses.tunnels import is_opaque_datagram, is_opaque_stream, is_tunnel, udp_tunnel
from gql_server.engine.compilation import Bytes, State, Words, kernel
from gql_server.engine.memory import load8, load16

TCP: Final = 6
UDP: Final = 17
TCP_HEADER: Final = 20
UDP_HEADER: Final = 8
_TCP_CHECKSUM: Final = 16
_UDP_CHECKSUM: Final = 6
_ALL_ONES: Final = 0xFFFF

_END: Final = 0
_NOP: Final = 1
_LAST_CLASSIC_OPTION: Final = 8
_USER_TIMEOUT: Final = 28
_MULTIPATH: Final = 30
_FAST_OPEN: Final = 34
_ADD_ADDRESS: Final = 3

_DNS: Final = 53
_MULTICAST_DNS: Final = 5353
_LINK_LOCAL_NAMES: Final = 5355
_DHCP_SERVER: Final = 67
_DHCP_CLIENT: Final = 68
_NETBIOS_NAMES: Final = 137
_NETBIOS_DATAGRAMS: Final = 138
_DHCPV6_CLIENT: Final = 546
_DHCPV6_SERVER: Final = 547
_IPV4: Final = 4


@kernel
def _is_left_to_card(b: Bytes, s: State, place: int, at: int, end: int, protocol: int) -> bool:
    """Say whether a checksum field holds only the pseudo-header sum, for the network card to finish.

    Brought up to date like a finished one, it would tell the sum of the original addresses.
    """
    pseudo = s[PSEUDO_SUM] + protocol
    held = load16(b, place)
    length = s[PAYLOAD_LENGTH]
    # With segmentation left to the card too, Linux puts no length into the sum.
    if held not in (fold(pseudo + length), fold(pseudo)):
        return False
    if end - at != length:
        return True
    # One finished checksum in 65,536 looks the same: those that are right are finished.
    total = pseudo + length
    for i in range(at, end - 1, 2):
        total += load16(b, i)
    if (end - at) & 1:
        total += load8(b, end - 1) << 8
    return fold(total) != _ALL_ONES


@kernel
def tcp(b: Bytes, s: State, at: int, end: int, wet: bool) -> None:
    """A TCP segment (RFC 9293)."""
    if end - at < _TCP_CHECKSUM + 2:
        cut(b, s, min(at + _TCP_CHECKSUM, end), end, wet)
        return
    place = at + _TCP_CHECKSUM
    partial = wet and _is_left_to_card(b, s, place, at, end, TCP)
    open_level(s, place, PARTIAL_CHECKSUM if partial else PLAIN_CHECKSUM, s[PSEUDO])
    header = (load8(b, at + 12) >> 4) * 4
    if header < TCP_HEADER:
        blank(b, s, min(at + TCP_HEADER, end), end, OPAQUE, wet)
        return
    if end < at + header:
        cut(b, s, end, end, wet)
    stop = min(end, at + header)
    _tcp_options(b, s, at + TCP_HEADER, stop, wet)
    source, destination = load16(b, at), load16(b, at + 2)
    names = s[MASK_NAMES] != 0 and s[PACKET_PAYLOAD] == KEEP_PAYLOAD and _DNS in (source, destination)
    if is_opaque_stream(source) or is_opaque_stream(destination) or names:
        blank(b, s, stop, end, OPAQUE, wet)  # a message may begin and end in other segments
    else:
        payload(b, s, stop, end, wet)


@kernel
def _tcp_options(b: Bytes, s: State, at: int, end: int, wet: bool) -> None:
    """Keep the options that hold no address, zero the rest."""
    while at < end:
        kind = load8(b, at)
        if kind == _NOP:
            at += 1
            continue
        length = load8(b, at + 1) if at + 2 <= end else 0
        if kind == _END or length < 2 or at + length > end:  # noqa: PLR2004  # kind and length
            blank(b, s, at, end, OPAQUE, wet)
            return
        known = kind <= _LAST_CLASSIC_OPTION or kind in (_USER_TIMEOUT, _FAST_OPEN)
        if kind == _MULTIPATH and length > 2:  # noqa: PLR2004  # the subtype is there
            known = load8(b, at + 2) >> 4 != _ADD_ADDRESS
        if not known:
            blank(b, s, at + 2, at + length, OPAQUE, wet)
        at += length


@kernel
def udp(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> None:
    """A UDP datagram (RFC 768); what follows its length is not covered by its checksum."""
    if end - at < UDP_HEADER:
        cut(b, s, min(at + _UDP_CHECKSUM, end), end, wet)
        return
    length = load16(b, at + 4)
    stop = min(end, at + length) if length >= UDP_HEADER else end
    blank(b, s, stop, end, OPAQUE, wet)
    place = at + _UDP_CHECKSUM
    partial = wet and load16(b, place) != 0 and _is_left_to_card(b, s, place, at, stop, UDP)
    open_level(s, place, PARTIAL_CHECKSUM if partial else UDP_CHECKSUM, s[PSEUDO])
    source, destination = load16(b, at), load16(b, at + 2)
    at += UDP_HEADER
    if udp_tunnel(b, s, destination, at, stop, wet):
        return
    if is_opaque_datagram(source) or is_opaque_datagram(destination):
        blank(b, s, at, stop, OPAQUE, wet)
        return
    if s[PACKET_PAYLOAD] != KEEP_PAYLOAD or _parsed(b, s, w, source, destination, at, stop, wet):
        payload(b, s, at, stop, wet)
    s[NEXT] = NOTHING


@kernel
def _parsed(b: Bytes, s: State, w: Words, source: int, destination: int, at: int, end: int, wet: bool) -> bool:
    """Rewrite the addresses, and mask the names, of payload that is kept; say whether it still is."""
    if _is_dns(source) or _is_dns(destination):
        dns(b, s, w, at, end, wet)
    elif s[VERSION] == _IPV4 and _is_dhcp(source) and _is_dhcp(destination):
        dhcp(b, s, w, at, end, wet)
    elif s[MASK_NAMES] != 0 and (_holds_names(source) or _holds_names(destination)):
        blank(b, s, at, end, OPAQUE, wet)
        return False
    return True


@kernel
def is_special_datagram(port: int) -> bool:
    """Say whether UDP payload from or to a port may be more than payload."""
    if _is_dns(port) or _is_dhcp(port) or _holds_names(port):
        return True
    return is_opaque_datagram(port) or is_tunnel(port)


@kernel
def is_special_stream(s: State, port: int) -> bool:
    """Say whether TCP payload from or to a port may be more than payload."""
    return (s[MASK_NAMES] != 0 and port == _DNS) or is_opaque_stream(port)


@kernel
def _is_dns(port: int) -> bool:
    return port in (_DNS, _MULTICAST_DNS, _LINK_LOCAL_NAMES)


@kernel
def _holds_names(port: int) -> bool:
    return port in (_NETBIOS_NAMES, _NETBIOS_DATAGRAMS, _DHCPV6_CLIENT, _DHCPV6_SERVER)


@kernel
def _is_dhcp(port: int) -> bool:
    return port in (_DHCP_SERVER, _DHCP_CLIENT)
