"""Kernels that claim address fields.

A field is rewritten, or holds what it held, or is zero; what its address became is noted among the pairs.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from gql_server.engine.compilation import Bytes, State, U, Words, kernel
from gql_server.engine.memory import load32, load48, load64
from gql_server.engine.verify.claims import IPV4_BYTES, IPV6_BYTES, MAC_BYTES, begin_claim, mark
from gql_server.engine.verify.classes import FIXED, class_of_ipv4, class_of_ipv6, class_of_mac
from gql_server.engine.verify.layout import (
    CHANGED,
    CLASS_ADDRESS,
    CLASS_EXACT,
    CLASS_KEPT,
    KEPT,
    KEY_IPV4,
    KEY_MAC,
    NUMBER,
    OUTPUT_BASE,
    REWRITTEN,
    SAME_IPV4,
    SAME_IPV6,
    SAME_MAC,
    SHIFT,
    STOP,
    TARGET_BEGIN,
    TARGET_CLASSES,
    TARGET_END,
    ZEROED,
)
from gql_server.engine.verify.pairs import note_narrow, note_wide


@kernel
def _settle(s: State, at: int, length: int, kind: int) -> None:
    """Count an address field: 0 rewritten, 1 as it was, 2 made zero."""
    if kind == 1:
        s[KEPT] += length
    elif kind == 0:
        s[REWRITTEN] += length
    else:
        s[ZEROED] += length
    mark(s, at, at + length, CLASS_KEPT if kind == 1 else CLASS_ADDRESS)
    if at == s[TARGET_BEGIN] and at + length == s[TARGET_END]:
        s[TARGET_CLASSES] |= CLASS_EXACT


@kernel
def _note_same(s: State, at: int, counter: int) -> None:
    if s[counter] == 0:
        s[counter + 1] = s[NUMBER]
        s[counter + 2] = s[OUTPUT_BASE] + at + s[SHIFT]
    s[counter] += 1


@kernel
def ipv4_address(a: Bytes, o: Bytes, s: State, w: Words, at: int) -> None:
    """Claim an IPv4 address; where it is cut, nobody claims it."""
    if at + IPV4_BYTES > s[STOP] or not begin_claim(a, o, s, at, at + IPV4_BYTES):
        return
    was, now = U(load32(a, at)), U(load32(o, at + s[SHIFT]))
    if was == now:
        _settle(s, at, IPV4_BYTES, 1)
        if class_of_ipv4(was) != FIXED:
            _note_same(s, at, SAME_IPV4)
    else:
        _settle(s, at, IPV4_BYTES, 2 if now == U(0) else 0)
    note_narrow(s, w, was | U(KEY_IPV4), now)


@kernel
def mac_address(a: Bytes, o: Bytes, s: State, w: Words, at: int) -> None:
    """Claim a MAC address; where it is cut, nobody claims it."""
    if at + MAC_BYTES > s[STOP] or not begin_claim(a, o, s, at, at + MAC_BYTES):
        return
    was, now = load48(a, at), load48(o, at + s[SHIFT])
    if was == now:
        _settle(s, at, MAC_BYTES, 1)
        if class_of_mac(was) != FIXED:
            _note_same(s, at, SAME_MAC)
    else:
        _settle(s, at, MAC_BYTES, 2 if now == U(0) else 0)
    note_narrow(s, w, was | U(KEY_MAC), now)


@kernel
def sender_address(a: Bytes, o: Bytes, s: State, w: Words, at: int) -> None:
    """Claim the address of an IEEE 802.11 transmitter, whose group bit may tell of something else."""
    if at + MAC_BYTES > s[STOP] or not begin_claim(a, o, s, at, at + MAC_BYTES):
        return
    group = U(1 << 40)
    was, now = load48(a, at), load48(o, at + s[SHIFT])
    if was == now:
        _settle(s, at, MAC_BYTES, 1)
        if class_of_mac(was & ~group) != FIXED:
            _note_same(s, at, SAME_MAC)
    else:
        _settle(s, at, MAC_BYTES, 2 if now == U(0) else 0)
        if now != U(0) and (was ^ now) & group != U(0):
            s[CHANGED] += 1
    note_narrow(s, w, (was & ~group) | U(KEY_MAC), now & ~group)


@kernel
def _ipv6_field(a: Bytes, o: Bytes, s: State, w: Words, at: int, tag: int) -> None:
    if at + IPV6_BYTES > s[STOP] or not begin_claim(a, o, s, at, at + IPV6_BYTES):
        return
    high, low, there = load64(a, at), load64(a, at + 8), at + s[SHIFT]
    new_high, new_low = load64(o, there), load64(o, there + 8)
    if high == new_high and low == new_low:
        _settle(s, at, IPV6_BYTES, 1)
        if class_of_ipv6(high, low) != FIXED:
            _note_same(s, at, SAME_IPV6)
    else:
        _settle(s, at, IPV6_BYTES, 2 if (new_high | new_low) == U(0) else 0)
    note_wide(s, w, high, low, tag, new_high, new_low)


@kernel
def ipv6_address(a: Bytes, o: Bytes, s: State, w: Words, at: int) -> None:
    """Claim an IPv6 address; where it is cut, nobody claims it."""
    _ipv6_field(a, o, s, w, at, 0)


@kernel
def ipv6_prefix(a: Bytes, o: Bytes, s: State, w: Words, at: int, length: int) -> None:
    """Claim a prefix in 16 bytes: without host bits it becomes a prefix again, so it is a pair of its own."""
    if at + IPV6_BYTES > s[STOP]:
        return
    free_high, free_low = ~U(0), ~U(0)
    if length > 0:
        free_high = ~(~U(0) << U(max(64 - length, 0)))
    if length > 64:  # noqa: PLR2004  # the lower half
        free_low = ~(~U(0) << U(max(128 - length, 0)))
    bare = (load64(a, at) & free_high) == U(0) and (load64(a, at + 8) & free_low) == U(0)
    _ipv6_field(a, o, s, w, at, min(length, 128) + 1 if bare else 0)
