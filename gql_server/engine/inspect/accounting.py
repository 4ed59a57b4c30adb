"""Kernels that enter one packet into the tables."""
# ruff: noqa: PLR0917  # kernels take their arguments by position

import numpy as np

from gql_server.engine.compilation import State, U, Words, kernel
from gql_server.engine.inspect.layout import (
    CLAIM,
    CLAIM_HIGH,
    CLAIM_LOW,
    CLAIM_MAC,
    CLAIM_VERSION,
    CLAIMED_BY_ROUTER,
    CONVERSATION_AT,
    CONVERSATION_DOWN,
    CONVERSATION_FIRST,
    CONVERSATION_LAST,
    CONVERSATION_UP,
    CONVERSATION_WORDS,
    DESTINATION_HIGH,
    DESTINATION_LOW,
    DESTINATION_MAC,
    KEY_HAS_PORTS,
    KEY_PORTS_SHIFT,
    KEY_PROTOCOL_SHIFT,
    KEY_TURNED,
    LENGTH,
    LOST_BYTES,
    LOST_PACKETS,
    LOST_PAIRS,
    LOST_TALKERS,
    META_HAS_MAC,
    META_MAC,
    NO_CLAIM,
    NO_MAC,
    NO_PORTS,
    NO_TIME,
    OTHER_BYTES,
    OTHER_PACKETS,
    PAIR_AT,
    PAIR_CLAIMS,
    PAIR_RECEIVED,
    PAIR_ROUTER,
    PAIR_SENT,
    PAIR_WORDS,
    PORTS,
    PROTOCOL,
    SOURCE_HIGH,
    SOURCE_LOW,
    SOURCE_MAC,
    TALKER_AT,
    TALKER_MAC_RECEIVED,
    TALKER_MAC_SENT,
    TALKER_META,
    TALKER_RECEIVED,
    TALKER_SENT,
    TALKER_WORDS,
    TIME,
    VERSION,
)
from gql_server.engine.inspect.tables import find_conversation, find_pair, find_talker

_ONE = U(1)
_NONE = U(0)
_PORT = 0xFFFF


@kernel
def _mac_word(mac: int) -> np.uint64:
    return _NONE if mac == NO_MAC else U(mac) | U(META_HAS_MAC)


@kernel
def _count_mac(s: State, w: Words, x: Words, talker: int, mac: int, sent: bool) -> None:  # noqa: FBT001  # kernels take positions
    """Count a packet of a talker by the MAC address it had."""
    j = U(TALKER_AT) + U(talker) * U(TALKER_WORDS)
    wanted = _mac_word(mac)
    if w[j + U(TALKER_META)] & U(META_HAS_MAC | META_MAC) == wanted:
        w[j + U(TALKER_MAC_SENT if sent else TALKER_MAC_RECEIVED)] += _ONE
        return
    row = find_pair(s, w, x, talker, wanted)
    if row < 0:
        s[LOST_PAIRS] += 1
        return
    k = U(PAIR_AT) + U(row) * U(PAIR_WORDS)
    w[k + U(PAIR_SENT if sent else PAIR_RECEIVED)] += _ONE


@kernel
def _count_talker(
    s: State,
    w: Words,
    x: Words,
    high: int,
    low: int,
    mac: int,
    sent: bool,  # noqa: FBT001  # kernels take positions
) -> int:
    """Count a packet of an address; return its row, -1 when there is no room."""
    talker = find_talker(s, w, x, U(high), U(low), s[VERSION])
    if talker < 0:
        s[LOST_TALKERS] += 1
        return -1
    j = U(TALKER_AT) + U(talker) * U(TALKER_WORDS)
    if w[j + U(TALKER_SENT)] == _NONE and w[j + U(TALKER_RECEIVED)] == _NONE:
        meta = w[j + U(TALKER_META)]
        if not meta & U(META_HAS_MAC):
            w[j + U(TALKER_META)] = meta | _mac_word(mac)
    place = j + U(TALKER_SENT if sent else TALKER_RECEIVED)
    w[place] += _ONE
    w[place + _ONE] += U(s[LENGTH])
    _count_mac(s, w, x, talker, mac, sent)
    return talker


@kernel
def _count_conversation(s: State, w: Words, x: Words, source: int, destination: int) -> None:
    """Count the packet in its conversation, by direction."""
    key, ports = 0, s[PORTS]
    if ports != NO_PORTS:
        key = KEY_HAS_PORTS
    else:
        ports = 0
    source_port, destination_port = ports >> 16, ports & _PORT
    turned = source > destination or (source == destination and source_port > destination_port)
    lower, upper = source, destination
    if turned:
        lower, upper = destination, source
        ports = (destination_port << 16) | source_port
        key |= KEY_TURNED
    key |= (ports << KEY_PORTS_SHIFT) | (s[PROTOCOL] << KEY_PROTOCOL_SHIFT)
    row = find_conversation(s, w, x, (U(lower) << U(32)) | U(upper), U(key))
    if row < 0:
        s[LOST_PACKETS] += 1
        s[LOST_BYTES] += s[LENGTH]
        return
    j = U(CONVERSATION_AT) + U(row) * U(CONVERSATION_WORDS)
    place = j + U(CONVERSATION_DOWN if turned else CONVERSATION_UP)
    w[place] += _ONE
    w[place + _ONE] += U(s[LENGTH])
    time = s[TIME]
    if time != NO_TIME:
        first, last = np.int64(w[j + U(CONVERSATION_FIRST)]), np.int64(w[j + U(CONVERSATION_LAST)])
        if first == NO_TIME or time < first:
            w[j + U(CONVERSATION_FIRST)] = U(time)
        if time > last:  # NO_TIME is below all times
            w[j + U(CONVERSATION_LAST)] = U(time)


@kernel
def _count_claim(s: State, w: Words, x: Words) -> None:
    """Count that address resolution named a MAC address for an IP address."""
    talker = find_talker(s, w, x, U(s[CLAIM_HIGH]), U(s[CLAIM_LOW]), s[CLAIM_VERSION])
    if talker < 0:
        s[LOST_PAIRS] += 1
        return
    row = find_pair(s, w, x, talker, _mac_word(s[CLAIM_MAC]))
    if row < 0:
        s[LOST_PAIRS] += 1
        return
    k = U(PAIR_AT) + U(row) * U(PAIR_WORDS)
    w[k + U(PAIR_CLAIMS)] += _ONE
    if s[CLAIM] == CLAIMED_BY_ROUTER:
        w[k + U(PAIR_CLAIMS)] |= U(PAIR_ROUTER)


@kernel
def account(s: State, w: Words, x: Words) -> None:
    """Enter the packet that was walked."""
    if s[CLAIM] != NO_CLAIM:
        _count_claim(s, w, x)
    if s[VERSION] == 0:
        s[OTHER_PACKETS] += 1
        s[OTHER_BYTES] += s[LENGTH]
        return
    source = _count_talker(s, w, x, s[SOURCE_HIGH], s[SOURCE_LOW], s[SOURCE_MAC], True)  # noqa: FBT003  # the same
    destination = _count_talker(s, w, x, s[DESTINATION_HIGH], s[DESTINATION_LOW], s[DESTINATION_MAC], False)  # noqa: FBT003  # the same
    if source < 0 or destination < 0:
        s[LOST_PACKETS] += 1
        s[LOST_BYTES] += s[LENGTH]
    else:
        _count_conversation(s, w, x, source, destination)
