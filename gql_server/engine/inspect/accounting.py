"""Kernels that enter packets into the tables."""
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
    ENDS,
    FACTS,
    KEY,
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
    NO_KEY,
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
    QUEUE_AT,
    QUEUE_COLUMNS,
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
from gql_server.engine.inspect.tables import (
    fetch_conversation,
    fetch_conversation_slot,
    fetch_talker,
    fetch_talker_slot,
    find_conversation,
    find_pair,
    find_talker,
)

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
    q: int,
    high: int,
    low: int,
    mac: int,
    sent: bool,  # noqa: FBT001  # kernels take positions
) -> int:
    """Count a packet of an address; return its row, -1 when there is no room."""
    talker = find_talker(s, w, x, U(high), U(low), s[q + VERSION])
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
    w[place + _ONE] += U(s[q + LENGTH])
    _count_mac(s, w, x, talker, mac, sent)
    return talker


@kernel
def _name_conversation(s: State, q: int, source: int, destination: int) -> None:
    """Note the ends and the key of the packet's conversation."""
    key, ports = 0, s[q + PORTS]
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
    s[q + KEY] = key | (ports << KEY_PORTS_SHIFT) | (s[q + PROTOCOL] << KEY_PROTOCOL_SHIFT)
    s[q + ENDS] = (lower << 32) | upper


@kernel
def _count_conversation(s: State, w: Words, x: Words, q: int) -> None:
    """Count the packet in its conversation, by direction."""
    row = find_conversation(s, w, x, U(s[q + ENDS]), U(s[q + KEY]))
    if row < 0:
        s[LOST_PACKETS] += 1
        s[LOST_BYTES] += s[q + LENGTH]
        return
    j = U(CONVERSATION_AT) + U(row) * U(CONVERSATION_WORDS)
    place = j + U(CONVERSATION_DOWN if s[q + KEY] & KEY_TURNED else CONVERSATION_UP)
    w[place] += _ONE
    w[place + _ONE] += U(s[q + LENGTH])
    time = s[q + TIME]
    if time != NO_TIME:
        first, last = np.int64(w[j + U(CONVERSATION_FIRST)]), np.int64(w[j + U(CONVERSATION_LAST)])
        if first == NO_TIME or time < first:
            w[j + U(CONVERSATION_FIRST)] = U(time)
        if time > last:  # NO_TIME is below all times
            w[j + U(CONVERSATION_LAST)] = U(time)


@kernel
def _count_claim(s: State, w: Words, x: Words, q: int) -> None:
    """Count that address resolution named a MAC address for an IP address."""
    talker = find_talker(s, w, x, U(s[q + CLAIM_HIGH]), U(s[q + CLAIM_LOW]), s[q + CLAIM_VERSION])
    if talker < 0:
        s[LOST_PAIRS] += 1
        return
    row = find_pair(s, w, x, talker, _mac_word(s[q + CLAIM_MAC]))
    if row < 0:
        s[LOST_PAIRS] += 1
        return
    k = U(PAIR_AT) + U(row) * U(PAIR_WORDS)
    w[k + U(PAIR_CLAIMS)] += _ONE
    if s[q + CLAIM] == CLAIMED_BY_ROUTER:
        w[k + U(PAIR_CLAIMS)] |= U(PAIR_ROUTER)


@kernel
def _count_addresses(s: State, w: Words, x: Words, q: int) -> None:
    """Count the packet for its addresses, and name its conversation."""
    s[q + KEY] = NO_KEY
    if s[q + CLAIM] != NO_CLAIM:
        _count_claim(s, w, x, q)
    if s[q + VERSION] == 0:
        s[OTHER_PACKETS] += 1
        s[OTHER_BYTES] += s[q + LENGTH]
        return
    source = _count_talker(s, w, x, q, s[q + SOURCE_HIGH], s[q + SOURCE_LOW], s[q + SOURCE_MAC], True)  # noqa: FBT003  # the same
    destination = _count_talker(
        s,
        w,
        x,
        q,
        s[q + DESTINATION_HIGH],
        s[q + DESTINATION_LOW],
        s[q + DESTINATION_MAC],
        False,  # noqa: FBT003  # the same
    )
    if source < 0 or destination < 0:
        s[LOST_PACKETS] += 1
        s[LOST_BYTES] += s[q + LENGTH]
    else:
        _name_conversation(s, q, source, destination)
        fetch_conversation_slot(s, x, s[q + ENDS], s[q + KEY])


@kernel
def enqueue(s: State, x: Words, queued: int) -> None:
    """Put the packet that was walked into the queue, behind those that are in it."""
    q = QUEUE_AT + queued * QUEUE_COLUMNS - LENGTH
    for fact in range(LENGTH, LENGTH + FACTS):
        s[q + fact] = s[fact]
    if s[VERSION] != 0:
        fetch_talker_slot(s, x, s[SOURCE_HIGH], s[SOURCE_LOW])
        fetch_talker_slot(s, x, s[DESTINATION_HIGH], s[DESTINATION_LOW])


@kernel
def account(s: State, w: Words, x: Words, queued: int) -> None:
    """Enter the packets of the queue, in their order.

    Each look-up waits for memory; step by step through the whole queue, what a step needs is fetched by the one before.
    """
    begin, stop = QUEUE_AT - LENGTH, QUEUE_AT - LENGTH + queued * QUEUE_COLUMNS
    for q in range(begin, stop, QUEUE_COLUMNS):
        if s[q + VERSION] != 0:
            fetch_talker(s, w, x, s[q + SOURCE_HIGH], s[q + SOURCE_LOW])
            fetch_talker(s, w, x, s[q + DESTINATION_HIGH], s[q + DESTINATION_LOW])
    for q in range(begin, stop, QUEUE_COLUMNS):
        _count_addresses(s, w, x, q)
    for q in range(begin, stop, QUEUE_COLUMNS):
        if s[q + KEY] != NO_KEY:
            fetch_conversation(s, w, x, s[q + ENDS], s[q + KEY])
    for q in range(begin, stop, QUEUE_COLUMNS):
        if s[q + KEY] != NO_KEY:
            _count_conversation(s, w, x, q)
