"""Kernels for IEEE 802.11 frames, bare or behind radiotap.

The addresses of a frame and the LLC payload of an unprotected data frame are rewritten. The rest is zeroed: elements
of management frames, which name networks and people's devices, protected frames, aggregates, later fragments, the
frame check sequence. Of a management frame its fixed fields stay.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.fields import blank, cut, enter, rewrite_mac
from gql_server.engine.addresses.layout import ENTER_LLC, KEY_MAC, OPAQUE
from gql_server.engine.addresses.links import MAC_BYTES, is_snap
from gql_server.engine.addresses.tables import find_narrow
from gql_server.engine.compilation import Bytes, State, U, Words, kernel
from gql_server.engine.memory import load8, load48, store48

_VERSION: Final = 3
_MANAGEMENT: Final = 0
_CONTROL: Final = 1
_DATA: Final = 2

_TO_AND_FROM: Final = 3
_FROM: Final = 2
_PROTECTED: Final = 0x40
_ORDER: Final = 0x80
_FRAGMENT_NUMBER: Final = 0x0F

_ADDRESS_1: Final = 4
_ADDRESS_2: Final = 10
_ADDRESS_3: Final = 16
_SEQUENCE: Final = 22
_HEADER: Final = 24
_ONE_ADDRESS: Final = 10
_TWO_ADDRESSES: Final = 16
_HT_CONTROL: Final = 4
_CHECK_SEQUENCE: Final = 4
_GROUP: Final = U(1 << 40)

_NO_DATA: Final = 4
_QOS: Final = 8
_QOS_BYTES: Final = 2
_AGGREGATE: Final = 0x80
_MESH: Final = 0x01
_MESH_FIXED: Final = 6
_MESH_ADDRESSES: Final = 3

_ASSOCIATION: Final = 0
_ASSOCIATED: Final = 1
_REASSOCIATION: Final = 2
_REASSOCIATED: Final = 3
_PROBED: Final = 5
_BEACON: Final = 8
_DISASSOCIATION: Final = 10
_AUTHENTICATION: Final = 11
_DEAUTHENTICATION: Final = 12

_WRAPPER: Final = 7
_CLEAR_TO_SEND: Final = 12
_ACK: Final = 13
_FIRST_WITH_TWO: Final = 4
"""From here on subtypes of control frames have two addresses, but for those above."""

HAS_CHECK_SEQUENCE: Final = 0x10
"""A flag of radiotap: the frame ends with its check sequence."""
IS_PADDED: Final = 0x20
"""A flag of radiotap: the payload of a data frame begins at a multiple of four bytes."""


@kernel
def _rewrite_sender(b: Bytes, s: State, w: Words, o: int, wet: bool) -> None:
    """Rewrite a transmitter's address; its group bit may tell of a bandwidth (IEEE 802.11-2016 section 9.3.1.2)."""
    old = load48(b, o)
    slot = find_narrow(s, w, (old & ~_GROUP) | U(KEY_MAC))
    if wet:
        store48(b, o, (slot & U(0xFFFFFFFFFFFF)) | (old & _GROUP))


@kernel
def wireless(b: Bytes, s: State, w: Words, at: int, end: int, flags: int, wet: bool) -> None:
    """An IEEE 802.11 frame (IEEE 802.11-2016 section 9.2.3); flags as in radiotap."""
    if flags & HAS_CHECK_SEQUENCE:
        stop = max(at, end - _CHECK_SEQUENCE)
        blank(b, s, stop, end, OPAQUE, wet)
        end = stop
    if end > at and load8(b, at) & _VERSION:
        blank(b, s, at, end, OPAQUE, wet)
        return
    if end - at < _ONE_ADDRESS:
        cut(b, s, min(at + _ADDRESS_1, end), end, wet)
        return
    kind, subtype = (load8(b, at) >> 2) & 3, load8(b, at) >> 4
    if kind == _DATA:
        _data(b, s, w, subtype, at, end, flags, wet)
    elif kind == _MANAGEMENT:
        _management(b, s, w, subtype, at, end, wet)
    elif kind == _CONTROL:
        _control(b, s, w, subtype, at, end, wet)
    else:
        blank(b, s, at + 2, end, OPAQUE, wet)


@kernel
def _control(b: Bytes, s: State, w: Words, subtype: int, at: int, end: int, wet: bool) -> None:
    """A control frame: its one or two addresses, and nothing else."""
    if subtype in (_CLEAR_TO_SEND, _ACK, _WRAPPER):
        stop = at + _ONE_ADDRESS
    elif subtype >= _FIRST_WITH_TWO:
        stop = at + _TWO_ADDRESSES
    else:
        stop = at + _ADDRESS_1
    if stop > end:
        cut(b, s, at + _ADDRESS_1, end, wet)
        return
    if stop > at + _ADDRESS_1:
        rewrite_mac(b, s, w, at + _ADDRESS_1, wet)
    if stop > at + _ADDRESS_2:
        _rewrite_sender(b, s, w, at + _ADDRESS_2, wet)
    blank(b, s, stop, end, OPAQUE, wet)


@kernel
def _three_addresses(b: Bytes, s: State, w: Words, at: int, wet: bool) -> None:
    rewrite_mac(b, s, w, at + _ADDRESS_1, wet)
    _rewrite_sender(b, s, w, at + _ADDRESS_2, wet)
    rewrite_mac(b, s, w, at + _ADDRESS_3, wet)


@kernel
def _fixed_fields(subtype: int) -> int:
    """Return how many bytes of fixed fields a management frame begins with (section 9.3.3)."""
    if subtype in (_PROBED, _BEACON):
        return 12
    if subtype in (_ASSOCIATED, _REASSOCIATED, _AUTHENTICATION):
        return 6
    if subtype in (_ASSOCIATION, _REASSOCIATION):
        return 4
    return 2 if subtype in (_DISASSOCIATION, _DEAUTHENTICATION) else 0


@kernel
def _management(b: Bytes, s: State, w: Words, subtype: int, at: int, end: int, wet: bool) -> None:
    control = load8(b, at + 1)
    body = at + _HEADER + (_HT_CONTROL if control & _ORDER else 0)
    if body > end:
        cut(b, s, at + _ADDRESS_1, end, wet)
        return
    _three_addresses(b, s, w, at, wet)
    if not control & _PROTECTED and not load8(b, at + _SEQUENCE) & _FRAGMENT_NUMBER:
        body = min(body + _fixed_fields(subtype), end)
        if subtype == _REASSOCIATION and end - body >= MAC_BYTES:  # the access point it comes from
            rewrite_mac(b, s, w, body, wet)
            body += MAC_BYTES
    blank(b, s, body, end, OPAQUE, wet)


@kernel
def _data(b: Bytes, s: State, w: Words, subtype: int, at: int, end: int, flags: int, wet: bool) -> None:
    control = load8(b, at + 1)
    header = _HEADER + (MAC_BYTES if control & _TO_AND_FROM == _TO_AND_FROM else 0)
    qos = at + header
    if subtype & _QOS:
        header += _QOS_BYTES + (_HT_CONTROL if control & _ORDER else 0)
    body = at + ((header + 3) & ~3 if flags & IS_PADDED else header)
    if body > end:
        cut(b, s, at + _ADDRESS_1, end, wet)
        return
    _three_addresses(b, s, w, at, wet)
    if control & _TO_AND_FROM == _TO_AND_FROM:
        rewrite_mac(b, s, w, at + _HEADER, wet)
    blank(b, s, at + header, body, OPAQUE, wet)
    known = not subtype & _NO_DATA and not control & _PROTECTED and not load8(b, at + _SEQUENCE) & _FRAGMENT_NUMBER
    if subtype & _QOS:
        known = known and not load8(b, qos) & _AGGREGATE
        if known and load8(b, qos + 1) & _MESH and control & _FROM:
            body = _mesh(b, s, w, body, end, wet)
    if known:
        enter(s, ENTER_LLC, body, end)
    else:
        blank(b, s, body, end, OPAQUE, wet)


@kernel
def _mesh(b: Bytes, s: State, w: Words, at: int, end: int, wet: bool) -> int:
    """Rewrite the addresses of a mesh control field (section 9.2.4.7.3), if it is one; return where it ends.

    The same bit tells of a buffer elsewhere, so there has to be SNAP behind the field, and none in its place.
    """
    if end - at < _MESH_FIXED or is_snap(b, at, end):
        return at
    count = load8(b, at) & _MESH_ADDRESSES
    stop = at + _MESH_FIXED + count * MAC_BYTES
    if count == _MESH_ADDRESSES or not is_snap(b, stop, end):
        return at
    for i in range(count):
        rewrite_mac(b, s, w, at + _MESH_FIXED + i * MAC_BYTES, wet)
    return stop
