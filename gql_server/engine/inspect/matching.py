"""Kernels that find packets, by number or conversation."""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, entry, kernel
from gql_server.engine.inspect.layout import (
    BEGIN,
    DESTINATION_HIGH,
    DESTINATION_LOW,
    END,
    LENGTH,
    LINK_TYPE,
    PORTS,
    PROTOCOL,
    SOURCE_HIGH,
    SOURCE_LOW,
    TIME,
    VERSION,
)
from gql_server.engine.inspect.walk import (
    FACE_COLUMNS,
    HEADER,
    HEADER_BLOCK,
    block_kind,
    block_length,
    is_packet_block,
    read_block,
    read_record,
    walk_packet,
)
from gql_server.engine.memory import pointer

SHORT: Final = 0
"""What is left is no whole record."""
FOUND_ALL: Final = 1

# What is wanted, and how far the search has come.
WANT_VERSION: Final = 0
"""IP version of the conversation; 0 for packets by number."""
WANT_SOURCE_HIGH: Final = 1
"""The low words follow the high ones."""
WANT_DESTINATION_HIGH: Final = 3
WANT_PROTOCOL: Final = 5
WANT_PORTS: Final = 6
WANT_PORTS_BACK: Final = 7
WANT_FIRST: Final = 8
"""Of the packets that match, from 0."""
WANT_LAST: Final = 9
"""The first one that is not wanted any more."""
MATCHED: Final = 10
PASSED: Final = 11
"""Packets that went by."""
FOUND: Final = 12
WANT_COLUMNS: Final = 13

PLACE_COLUMNS: Final = 6
PLACE_NUMBER: Final = 0
PLACE_BEGIN: Final = 1
PLACE_END: Final = 2
PLACE_LENGTH: Final = 3
PLACE_TIME: Final = 4
PLACE_LINK_TYPE: Final = 5


@kernel
def _is_from(s: State, q: State, source: int, destination: int) -> bool:
    """Say whether the packet goes from one address to the other; both are named by their high words."""
    if s[SOURCE_HIGH] != q[source] or s[SOURCE_LOW] != q[source + 1]:
        return False
    return s[DESTINATION_HIGH] == q[destination] and s[DESTINATION_LOW] == q[destination + 1]  # type: ignore[no-any-return]  # a bool to numba


@kernel
def _is_wanted(s: State, q: State) -> bool:
    """Say whether the packet that was walked belongs to the conversation, either way."""
    if s[VERSION] != q[WANT_VERSION] or s[PROTOCOL] != q[WANT_PROTOCOL]:
        return False
    if _is_from(s, q, WANT_SOURCE_HIGH, WANT_DESTINATION_HIGH) and s[PORTS] == q[WANT_PORTS]:
        return True
    return _is_from(s, q, WANT_DESTINATION_HIGH, WANT_SOURCE_HIGH) and s[PORTS] == q[WANT_PORTS_BACK]


@kernel
def _note(b: Bytes, s: State, q: State, g: State, p: Bytes) -> bool:
    """Look at the packet that was read; True once all that are wanted were found."""
    q[PASSED] += 1
    if q[WANT_VERSION] != 0:
        walk_packet(b, s, p)
        if not _is_wanted(s, q):
            return False
    if q[MATCHED] >= q[WANT_FIRST]:
        i = q[FOUND] * PLACE_COLUMNS
        g[i + PLACE_NUMBER] = q[PASSED]
        g[i + PLACE_BEGIN] = s[BEGIN]
        g[i + PLACE_END] = s[END]
        g[i + PLACE_LENGTH] = s[LENGTH]
        g[i + PLACE_TIME] = s[TIME]
        g[i + PLACE_LINK_TYPE] = s[LINK_TYPE]
        q[FOUND] += 1
    q[MATCHED] += 1
    return q[MATCHED] >= q[WANT_LAST]  # type: ignore[no-any-return]  # a bool to numba


@entry
def match_records(
    window: Bytes,
    state: State,
    wanted: State,
    places: State,
    services: Bytes,
    position: int,
    end: int,
    link: int,
    fraction: int,
    little: bool,
) -> tuple[int, int]:
    """Look through pcap records; return where it stands and why it stopped."""
    b, s, q, g, p = pointer(window), pointer(state), pointer(wanted), pointer(places), pointer(services)
    while True:
        following = read_record(b, s, link, fraction, little, position, end)
        if following < 0:
            return position, SHORT
        position = following
        if _note(b, s, q, g, p):
            return position, FOUND_ALL


@entry
def match_blocks(
    window: Bytes,
    state: State,
    wanted: State,
    places: State,
    services: Bytes,
    faces: State,
    position: int,
    end: int,
    little: bool,
) -> tuple[int, int]:
    """Look through pcapng blocks up to the next header block; return where it stands and why it stopped."""
    b, s, q, g, p = pointer(window), pointer(state), pointer(wanted), pointer(places), pointer(services)
    f = pointer(faces)
    known = faces.shape[0] // FACE_COLUMNS
    while True:
        kind = block_kind(b, little, position, end)
        if kind == HEADER:
            return position, HEADER_BLOCK
        if kind < 0:
            return position, SHORT
        found = is_packet_block(kind)
        if found and not read_block(b, s, f, known, little, position):
            return position, SHORT
        position += block_length(b, little, position)
        if found and _note(b, s, q, g, p):
            return position, FOUND_ALL
