"""Kernels for TCP, UDP and ICMP: what is payload, and whose.

TCP payload becomes rows of the segment table. What nobody will claim is foreign: all that UDP and ICMP carry, and TCP
options that are not understood.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, kernel
from gql_server.engine.dicom.layout import (
    ACKNOWLEDGED,
    BEGIN,
    BYTES_FOREIGN,
    KEPT_ALIVE,
    LENGTH,
    PACKET,
    PAYLOAD,
    PORTS,
    PSEUDO,
    ROWS,
    SEQUENCE,
    SHIFT,
    TCP_FLAGS,
    ZERO,
)
from gql_server.engine.dicom.segments import (
    KEEP_ALIVE,
    LEFT_TO_CARD,
    MARK_CHANGED,
    MARK_LEFT,
    ODD,
    OUTSIDE,
    PLACE_AND_STREAM,
    SEGMENT_COLUMNS,
    UDP_CHECKSUM,
    add_up,
    adjust,
    clear,
    is_left_to_card,
    note,
    put,
)
from gql_server.engine.dicom.tracking import RST, count_row, track
from gql_server.engine.memory import load8, load16, load32

ICMP: Final = 1
TCP: Final = 6
UDP: Final = 17
ICMPV6: Final = 58
TCP_HEADER: Final = 20
SHORT_HEADER: Final = 8
"""Of UDP, and what is structure in an ICMP message."""
TCP_CHECKSUM: Final = 16
UDP_SUM: Final = 6
ICMP_SUM: Final = 2

_END: Final = 0
_NOP: Final = 1
_SACK: Final = 5
_FAST_OPEN: Final = 34


@kernel
def forgo(b: Bytes, s: State, m: Bytes, begin: int, end: int) -> bool:
    """Count bytes as foreign, and zero them if that is asked; say whether that changed one."""
    if end <= begin:
        return False
    s[BYTES_FOREIGN] += end - begin
    if s[ZERO] == 0 or not clear(b, begin, end - begin):
        return False
    note(m, s[PACKET], MARK_CHANGED)
    return True


@kernel
def forgo_under(b: Bytes, s: State, m: Bytes, begin: int, end: int, place: int, flags: int) -> None:
    """Do so with bytes that the checksum at `place` covers; an odd `begin - place` is an odd place in it."""
    before = add_up(b, begin, end - begin) if end > begin else 0
    if forgo(b, s, m, begin, end):
        if flags & LEFT_TO_CARD:
            note(m, s[PACKET], MARK_LEFT)
        else:
            adjust(b, place, before, 0, flags | (ODD if (begin - place) & 1 else 0))


@kernel
def is_cut(b: Bytes, s: State, m: Bytes, at: int, stop: int, header: int) -> bool:
    """Say whether a header is not there as a whole; what was sent so short is no header."""
    if stop - at >= header:
        return False
    if s[LENGTH] < header:
        forgo(b, s, m, at, stop)
    return True


@kernel
def _is_known_option(kind: int, length: int) -> bool:
    """Say whether an option has the form its standard gives it (RFC 9293, 7323, 2018, 5482, 7413)."""
    if kind in (2, 4, 28):
        return length == (2 if kind == 4 else 4)  # noqa: PLR2004  # kinds and lengths of options
    if kind in (3, 8):
        return length == (3 if kind == 3 else 10)  # noqa: PLR2004  # the same
    if kind == _SACK:
        return length in (10, 18, 26, 34)
    return kind == _FAST_OPEN and 2 <= length <= 18 and length & 1 == 0  # noqa: PLR2004  # the same


@kernel
def _options(b: Bytes, s: State, m: Bytes, at: int, end: int, place: int, flags: int) -> None:
    """Keep the options that are understood: the others may hold a digest of the payload, or anything."""
    while at < end:
        kind = load8(b, at)
        if kind == _NOP:
            at += 1
            continue
        length = load8(b, at + 1) if at + 2 <= end else 0
        if kind == _END or length < 2 or at + length > end:  # noqa: PLR2004  # kind and length
            forgo_under(b, s, m, at + 1 if kind == _END else at, end, place, flags)
            return
        if not _is_known_option(kind, length):
            forgo_under(b, s, m, at + 2, at + length, place, flags)
        at += length


@kernel
def read_header(b: Bytes, s: State, at: int) -> int:
    """Take what a TCP header says; return its length."""
    s[PORTS] = load32(b, at)
    s[SEQUENCE] = load32(b, at + 4)
    s[ACKNOWLEDGED] = load32(b, at + 8)
    s[TCP_FLAGS] = load8(b, at + 13)
    return (load8(b, at + 12) >> 4) * 4


@kernel
def finish_header(b: Bytes, s: State, m: Bytes, at: int, header: int, stop: int, flags: int) -> None:
    """Zero what is not understood in a TCP header."""
    place = at + TCP_CHECKSUM
    if header < TCP_HEADER:
        forgo_under(b, s, m, at + TCP_HEADER, stop, place, flags)
    else:
        _options(b, s, m, at + TCP_HEADER, min(stop, at + header), place, flags)


@kernel
def add_row(
    s: State, c: State, t: State, n: int, at: int, length: int, cut: int, place: int, flags: int, total: int
) -> None:
    """Write down payload of connection `n`, the segment under way; places are those of the image."""
    if s[TCP_FLAGS] & RST:
        flags |= OUTSIDE
    if s[KEPT_ALIVE]:
        flags |= KEEP_ALIVE
    stream = count_row(s, c, n, 1 if length > 0 else 0, cut)
    if length > 0:
        row = s[ROWS]
        s[ROWS] += 1
        put(t, row, s[BEGIN], length, s[PACKET], at, place, flags, total)
        t[row * SEGMENT_COLUMNS + PLACE_AND_STREAM] |= stream


@kernel
def tcp(b: Bytes, s: State, m: Bytes, c: State, h: State, t: State, at: int, stop: int) -> None:
    """A TCP segment (RFC 9293); its urgent pointer says nothing of where bytes are."""
    if is_cut(b, s, m, at, stop, TCP_HEADER):
        return
    header, length = read_header(b, s, at), s[LENGTH]
    data = min(stop, at + header)
    total = add_up(b, data, stop - data) if header >= TCP_HEADER else 0
    place = at + TCP_CHECKSUM
    whole = add_up(b, at, data - at) + total if header >= TCP_HEADER else add_up(b, at, stop - at)
    left = is_left_to_card(b, place, s[PSEUDO] + TCP, length, stop - at, whole)
    flags = LEFT_TO_CARD if left else 0
    finish_header(b, s, m, at, header, stop, flags)
    if header < TCP_HEADER:
        return
    s[PAYLOAD] = max(length - header, 0)
    n = track(s, c, h)
    if n >= 0 and s[PAYLOAD] > 0:
        cut = 1 if stop - data < s[PAYLOAD] else 0
        add_row(s, c, t, n, data + s[SHIFT], stop - data, cut, place + s[SHIFT], flags, total)
    else:
        forgo_under(b, s, m, data, stop, place, flags)


@kernel
def udp(b: Bytes, s: State, m: Bytes, at: int, stop: int) -> None:
    """A UDP datagram (RFC 768)."""
    if is_cut(b, s, m, at, stop, SHORT_HEADER):
        return
    length = load16(b, at + 4)
    end = min(stop, at + length) if length >= SHORT_HEADER else stop
    forgo(b, s, m, end, stop)
    place = at + UDP_SUM
    flags = UDP_CHECKSUM
    whole = add_up(b, at, end - at)
    if load16(b, place) != 0 and is_left_to_card(b, place, s[PSEUDO] + UDP, s[LENGTH], end - at, whole):
        flags |= LEFT_TO_CARD
    forgo_under(b, s, m, at + SHORT_HEADER, end, place, flags)


@kernel
def transport(b: Bytes, s: State, m: Bytes, c: State, h: State, t: State, protocol: int, at: int, stop: int) -> None:
    """What an IP packet carries; tunnels and whatever is not named here are foreign."""
    if protocol == TCP:
        tcp(b, s, m, c, h, t, at, stop)
    elif protocol == UDP:
        udp(b, s, m, at, stop)
    elif protocol in (ICMP, ICMPV6) and not is_cut(b, s, m, at, stop, SHORT_HEADER):
        forgo_under(b, s, m, at + SHORT_HEADER, stop, at + ICMP_SUM, 0)
    elif protocol not in (ICMP, ICMPV6):
        forgo(b, s, m, at, stop)
