"""Kernel for the packets that captures are made of, in one go.

TCP without options or with a timestamp, and UDP, right above IP right above Ethernet with up to two VLAN tags, whole
and with payload that is kept. It does what the walk does, and leaves everything else to it.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

import numpy as np

from gql_server.engine.addresses.fields import blank
from gql_server.engine.addresses.layout import (
    BYTES_KEPT,
    KEY_IPV4,
    KEY_MAC,
    NARROW_AT,
    NARROW_SHIFT,
    NARROW_WORDS,
    OPAQUE,
    PACKETS_OPAQUE,
    PACKETS_PLAIN,
    PORT_WORDS,
    READY,
    SEED_LOW,
    SEED_NARROW,
    SEED_WIDE,
    TCP_PORTS,
    UDP_PORTS,
    WIDE_AT,
    WIDE_LOW,
    WIDE_META,
    WIDE_NEW_HIGH,
    WIDE_NEW_LOW,
    WIDE_SHIFT,
    WIDE_WORDS,
)
from gql_server.engine.addresses.links import IPV4, IPV6, OLD_PROVIDER_VLAN, PROVIDER_VLAN, VLAN
from gql_server.engine.addresses.tables import find_narrow, find_wide, words_of
from gql_server.engine.addresses.transport import (
    TCP,
    TCP_HEADER,
    UDP,
    UDP_HEADER,
    is_special_datagram,
    is_special_stream,
)
from gql_server.engine.compilation import Bytes, State, U, Words, entry, kernel
from gql_server.engine.memory import (
    load8,
    load16,
    load32,
    load48,
    load64,
    pointer,
    prefetch,
    store16,
    store32,
    store48,
    store64,
)

NOT_PLAIN: Final = 0
REWRITTEN: Final = 1
NOTED: Final = 2

_ETHERNET_HEADER: Final = 14
_TAG_BYTES: Final = 4
_IPV4_HEADER: Final = 20
_IPV4_START: Final = 0x45
_FRAGMENT: Final = 0x3FFF
"""The flag that more fragments follow, and where this one begins."""
_IPV6_HEADER: Final = 40
_TIMESTAMP: Final = 0x0101080A
_TIMESTAMP_BYTES: Final = 12
_LEAST: Final = _ETHERNET_HEADER + 2 * _TAG_BYTES + _IPV4_HEADER + UDP_HEADER
_ALL_ONES: Final = 0xFFFF
_ADDRESS: Final = U(0xFFFFFFFF)
_MAC: Final = U(0xFFFFFFFFFFFF)
_WORD: Final = U(0xFFFF)


@entry
def mark_ports(state: State) -> None:
    """Write down which ports are special."""
    s = pointer(state)
    for index in range(PORT_WORDS):
        datagrams, streams = 0, 0
        for bit in range(64):
            port = index * 64 + bit
            if is_special_datagram(port):
                datagrams |= 1 << bit
            if is_special_stream(s, port):
                streams |= 1 << bit
        s[UDP_PORTS + index] = datagrams
        s[TCP_PORTS + index] = streams


@kernel
def _is_marked(s: State, ports: int, port: int) -> bool:
    word: int = s[ports + (port >> 6)]
    return (word >> (port & 63)) & 1 == 1


@kernel
def _headers(b: Bytes, s: State, at: int, end: int, protocol: int) -> int:
    """Return where the payload of a plain TCP segment or UDP datagram begins, or -1."""
    if protocol == UDP:
        if end - at < UDP_HEADER or load16(b, at + 4) != end - at:
            return -1
        payload, ports = at + UDP_HEADER, UDP_PORTS
    elif protocol == TCP:
        if end - at < TCP_HEADER:
            return -1
        header = (load8(b, at + 12) >> 4) * 4
        payload, ports = at + header, TCP_PORTS
        if header != TCP_HEADER:
            stamped = header == TCP_HEADER + _TIMESTAMP_BYTES and payload <= end
            if not stamped or load32(b, at + TCP_HEADER) != _TIMESTAMP:
                return -1
    else:
        return -1
    return -1 if _is_marked(s, ports, load16(b, at)) or _is_marked(s, ports, load16(b, at + 2)) else payload


@kernel
def _narrow_slot(s: State, key: np.uint64) -> np.uint64:
    return U(s[NARROW_AT]) + ((key * U(s[SEED_NARROW])) >> U(s[NARROW_SHIFT])) * U(NARROW_WORDS)


@kernel
def _wide_slot(s: State, high: np.uint64, low: np.uint64) -> np.uint64:
    i = ((high ^ (low * U(s[SEED_LOW]))) * U(s[SEED_WIDE])) >> U(s[WIDE_SHIFT])
    return U(s[WIDE_AT]) + i * U(WIDE_WORDS)


@kernel
def _fetch(w: Words, position: np.uint64) -> None:
    prefetch(w, np.int64(position))  # type: ignore[arg-type]  # an int to numba, and any memory


@kernel
def fetch_slots(b: Bytes, s: State, w: Words, at: int, end: int) -> None:
    """Fetch the slots of a later packet's IP addresses into the cache, if they are easily found."""
    if end - at < _LEAST:
        return
    kind, ip = load16(b, at + 12), at + _ETHERNET_HEADER
    if kind == VLAN:
        kind = load16(b, ip + 2)
        ip += _TAG_BYTES
    if kind == IPV4:
        _fetch(w, _narrow_slot(s, U(load32(b, ip + 12)) | U(KEY_IPV4)))
        _fetch(w, _narrow_slot(s, U(load32(b, ip + 16)) | U(KEY_IPV4)))
    elif kind == IPV6 and end - ip >= _IPV6_HEADER:
        _fetch(w, _wide_slot(s, load64(b, ip + 8), load64(b, ip + 16)))
        _fetch(w, _wide_slot(s, load64(b, ip + 24), load64(b, ip + 32)))


@kernel
def _narrow(s: State, w: Words, key: np.uint64) -> np.uint64:
    """Look an IPv4 or MAC key up; most lie in their first slot."""
    position = _narrow_slot(s, key)
    if w[position] == key and w[position + U(1)] != U(0):
        return U(w[position + U(1)])
    return find_narrow(s, w, key)


@kernel
def _wide(s: State, w: Words, high: np.uint64, low: np.uint64) -> int:
    """Look an IPv6 address up; most lie in their first slot."""
    position = _wide_slot(s, high, low)
    if w[position] == high and w[position + U(WIDE_LOW)] == low and w[position + U(WIDE_META)] & U(READY):
        return np.int64(position)  # type: ignore[return-value]  # an int to numba
    return find_wide(s, w, high, low)


@kernel
def _folded(x: int) -> int:
    """Fold a sum of a few words."""
    x = (x & _ALL_ONES) + (x >> 16)
    return (x & _ALL_ONES) + (x >> 16)


@kernel
def _changed(old: int, delta: int) -> int:
    """Bring a checksum up to date (RFC 1624 equation 3)."""
    return old if delta in (0, _ALL_ONES) else (~_folded(((~old) & _ALL_ONES) + delta)) & _ALL_ONES


@kernel
def _may_be_left_to_card(held: int, pseudo: int, length: int) -> bool:
    """Say whether a checksum looks like the pseudo-header's sum, with or without the length."""
    return held in (_folded(pseudo), _folded(pseudo + length))


@kernel
def _finish(
    b: Bytes, s: State, protocol: int, place: int, held: int, delta: int, payload: int, stop: int, end: int
) -> None:
    """Update the transport checksum, count the payload, zero what lies behind the packet."""
    if protocol == TCP:
        store16(b, place, _changed(held, delta))
    elif held != 0:
        new = _changed(held, delta)
        store16(b, place, new if new != 0 else _ALL_ONES)
    s[PACKETS_PLAIN] += 1
    s[BYTES_KEPT] += stop - payload
    if stop < end:
        s[OPAQUE] = 0
        blank(b, s, stop, end, OPAQUE, True)  # noqa: FBT003  # kernels take positions
        s[PACKETS_OPAQUE] += s[OPAQUE]


@kernel
def rewrite_plain(b: Bytes, s: State, w: Words, at: int, end: int) -> int:
    """Rewrite a packet, if it is plain; if an address of it is not known yet, only note its addresses."""
    if end - at < _LEAST:
        return NOT_PLAIN
    kind, ip = load16(b, at + 12), at + _ETHERNET_HEADER
    for _ in range(2):
        if kind in (VLAN, PROVIDER_VLAN, OLD_PROVIDER_VLAN):
            kind = load16(b, ip + 2)
            ip += _TAG_BYTES
    if kind == IPV4:
        return _ipv4(b, s, w, at, ip, end)
    return _ipv6(b, s, w, at, ip, end) if kind == IPV6 else NOT_PLAIN


@kernel
def _ipv4(b: Bytes, s: State, w: Words, at: int, ip: int, end: int) -> int:
    total, transport = load16(b, ip + 2), ip + _IPV4_HEADER
    stop = ip + total
    if load8(b, ip) != _IPV4_START or load16(b, ip + 6) & _FRAGMENT or stop > end:
        return NOT_PLAIN
    protocol = load8(b, ip + 9)
    payload = _headers(b, s, transport, stop, protocol)
    if payload < 0:
        return NOT_PLAIN
    source, destination = U(load32(b, ip + 12)), U(load32(b, ip + 16))
    place = transport + (16 if protocol == TCP else 6)
    held = load16(b, place)
    pseudo = words_of(source) + words_of(destination) + protocol
    if _may_be_left_to_card(held, pseudo, total - _IPV4_HEADER):
        return NOT_PLAIN
    to, by = _narrow(s, w, load48(b, at) | U(KEY_MAC)), _narrow(s, w, load48(b, at + 6) | U(KEY_MAC))
    new_source = _narrow(s, w, source | U(KEY_IPV4))
    new_destination = _narrow(s, w, destination | U(KEY_IPV4))
    if to == U(0) or by == U(0) or new_source == U(0) or new_destination == U(0):
        return NOTED
    store48(b, at, to & _MAC)
    store48(b, at + 6, by & _MAC)
    store32(b, ip + 12, np.int64(new_source & _ADDRESS))  # type: ignore[arg-type]  # an int to numba
    store32(b, ip + 16, np.int64(new_destination & _ADDRESS))  # type: ignore[arg-type]  # the same
    delta = _folded(
        np.int64((new_source >> U(32)) & _WORD) + np.int64((new_destination >> U(32)) & _WORD)  # type: ignore[arg-type]  # the same
    )
    store16(b, ip + 10, _changed(load16(b, ip + 10), delta))
    _finish(b, s, protocol, place, held, delta, payload, stop, end)
    return REWRITTEN


@kernel
def _ipv6(b: Bytes, s: State, w: Words, at: int, ip: int, end: int) -> int:
    if end - ip < _IPV6_HEADER or load8(b, ip) >> 4 != 6:  # noqa: PLR2004  # the version
        return NOT_PLAIN
    length, transport = load16(b, ip + 4), ip + _IPV6_HEADER
    stop = transport + length
    if stop > end:
        return NOT_PLAIN
    protocol = load8(b, ip + 6)
    payload = _headers(b, s, transport, stop, protocol)
    if payload < 0:
        return NOT_PLAIN
    source_high, source_low = load64(b, ip + 8), load64(b, ip + 16)
    destination_high, destination_low = load64(b, ip + 24), load64(b, ip + 32)
    place = transport + (16 if protocol == TCP else 6)
    held = load16(b, place)
    pseudo = words_of(source_high) + words_of(source_low) + words_of(destination_high) + words_of(destination_low)
    if _may_be_left_to_card(held, pseudo + protocol, length):
        return NOT_PLAIN
    to, by = _narrow(s, w, load48(b, at) | U(KEY_MAC)), _narrow(s, w, load48(b, at + 6) | U(KEY_MAC))
    source, destination = _wide(s, w, source_high, source_low), _wide(s, w, destination_high, destination_low)
    if to == U(0) or by == U(0) or source < 0 or destination < 0:
        return NOTED
    store48(b, at, to & _MAC)
    store48(b, at + 6, by & _MAC)
    j, k = U(source), U(destination)
    store64(b, ip + 8, w[j + U(WIDE_NEW_HIGH)])
    store64(b, ip + 16, w[j + U(WIDE_NEW_LOW)])
    store64(b, ip + 24, w[k + U(WIDE_NEW_HIGH)])
    store64(b, ip + 32, w[k + U(WIDE_NEW_LOW)])
    delta = _folded(np.int64(w[j + U(WIDE_META)] & _WORD) + np.int64(w[k + U(WIDE_META)] & _WORD))  # type: ignore[arg-type]  # an int to numba
    _finish(b, s, protocol, place, held, delta, payload, stop, end)
    return REWRITTEN
