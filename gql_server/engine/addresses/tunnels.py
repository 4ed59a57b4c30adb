"""Kernels for packets inside packets.

GRE, VXLAN, Geneve and GTP-U are entered. A UDP port alone proves nothing, so the structure must fit too. Other tunnels
known by port are zeroed, and so is what routers and their collectors tell each other: it is made of addresses.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.fields import blank, cut, enter, open_level
from gql_server.engine.addresses.layout import ENTER_ETHERNET, OPAQUE, PLAIN_CHECKSUM
from gql_server.engine.addresses.links import version_type
from gql_server.engine.compilation import Bytes, State, kernel
from gql_server.engine.memory import load8, load16

GRE: Final = 47
_GRE_CHECKSUM: Final = 0x80
_GRE_ROUTING: Final = 0x40
_GRE_KEY: Final = 0x20
_GRE_SEQUENCE: Final = 0x10
_GRE_VERSION: Final = 7
_GRE_FIXED: Final = 4

_VXLAN: Final = 4789
_VXLAN_LINUX: Final = 8472
_VXLAN_VALID: Final = 0x08
_GENEVE: Final = 6081
_GTP: Final = 2152
_GTP_VERSION_1: Final = 3
_GTP_DATA: Final = 0xFF
_TUNNEL_HEADER: Final = 8

_L2TP: Final = 1701
_TEREDO: Final = 3544
_LISP: Final = 4341
_GRE_IN_UDP: Final = 4754
_VXLAN_GPE: Final = 4790
_GUE: Final = 6080
_MPLS_IN_UDP: Final = 6635
_CAPWAP_DATA: Final = 5247
_TZSP: Final = 37008

_BGP: Final = 179
_RIP: Final = 520
_RIPNG: Final = 521
_LABELS: Final = 646
_HSRP: Final = 1985
_HSRP6: Final = 2029
_GLBP: Final = 3222
_NETFLOW: Final = 2055
_IPFIX: Final = 4739
_SFLOW: Final = 6343


@kernel
def gre(b: Bytes, s: State, at: int, end: int, wet: bool) -> None:
    """A GRE header (RFC 2784, RFC 2890)."""
    if end - at < _GRE_FIXED:
        cut(b, s, at, end, wet)
        return
    flags = load8(b, at)
    if flags & _GRE_ROUTING or load8(b, at + 1) & _GRE_VERSION:
        blank(b, s, at, end, OPAQUE, wet)
        return
    length = _GRE_FIXED
    for flag in (_GRE_CHECKSUM, _GRE_KEY, _GRE_SEQUENCE):
        if flags & flag:
            length += 4
    if end - at < length:
        cut(b, s, at + _GRE_FIXED, end, wet)
        return
    if flags & _GRE_CHECKSUM:
        open_level(s, at + _GRE_FIXED, PLAIN_CHECKSUM, 0)
    enter(s, load16(b, at + 2), at + length, end)


@kernel
def is_opaque_datagram(port: int) -> bool:
    """Say whether a UDP port belongs to a tunnel that is not entered, or to a protocol made of addresses."""
    if port in (_L2TP, _TEREDO, _LISP, _GRE_IN_UDP, _VXLAN_GPE, _GUE, _MPLS_IN_UDP, _CAPWAP_DATA, _TZSP):
        return True
    if port in (_RIP, _RIPNG, _LABELS, _HSRP, _HSRP6, _GLBP):
        return True
    return port in (_NETFLOW, _IPFIX, _SFLOW)


@kernel
def is_opaque_stream(port: int) -> bool:
    """Say whether a TCP port belongs to a protocol made of addresses."""
    return port in (_BGP, _LABELS)


@kernel
def is_tunnel(port: int) -> bool:
    """Say whether a port belongs to a tunnel that is entered."""
    return port in (_VXLAN, _VXLAN_LINUX, _GENEVE, _GTP)


@kernel
def udp_tunnel(b: Bytes, s: State, port: int, at: int, end: int, wet: bool) -> bool:
    """Enter a tunnel when the datagram is one."""
    if port in (_VXLAN, _VXLAN_LINUX):
        # A frame that the snap length cut in its header is a frame all the same.
        if end - at < _TUNNEL_HEADER or not load8(b, at) & _VXLAN_VALID:
            return False
        enter(s, ENTER_ETHERNET, at + _TUNNEL_HEADER, end)
        return True
    if port == _GENEVE:
        return _geneve(b, s, at, end, wet)
    return port == _GTP and _gtp(b, s, at, end, wet)


@kernel
def _geneve(b: Bytes, s: State, at: int, end: int, wet: bool) -> bool:
    """Geneve (RFC 8926); its options are not understood."""
    if end - at < _TUNNEL_HEADER or load8(b, at) >> 6 != 0:
        return False
    inner = at + _TUNNEL_HEADER + (load8(b, at) & 0x3F) * 4
    if inner > end:
        cut(b, s, at + _TUNNEL_HEADER, end, wet)
        return True
    blank(b, s, at + _TUNNEL_HEADER, inner, OPAQUE, wet)
    enter(s, load16(b, at + 2), inner, end)
    return True


@kernel
def _gtp(b: Bytes, s: State, at: int, end: int, wet: bool) -> bool:
    """GTP-U version 1 (3GPP TS 29.281); only user data without extension headers is entered."""
    if end - at < _TUNNEL_HEADER or load8(b, at) >> 4 != _GTP_VERSION_1:
        return False
    flags = load8(b, at)
    inner = at + _TUNNEL_HEADER + (4 if flags & 7 else 0)
    if load8(b, at + 1) != _GTP_DATA or flags & 4 or inner > end:
        blank(b, s, at + _TUNNEL_HEADER, end, OPAQUE, wet)
    else:
        enter(s, version_type(b, inner, end), inner, end)
    return True
