"""Kernel that moves records together after packets were cut.

A packet that now ends earlier leaves a gap behind it; the length of its record follows, its length on the wire stays.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.capture.framing import load_word, move_down, store_word
from gql_server.engine.capture.records import (
    PCAP_HEADER,
    RECORD_BEGIN,
    RECORD_COLUMNS,
    RECORD_END,
    RECORD_HEADER,
    SIMPLE_HEADER,
    TOTAL_CAPTURED,
    TOTAL_TRUNCATED,
)
from gql_server.engine.compilation import Bytes, State, entry, kernel
from gql_server.engine.memory import pointer, store8

_PCAP_CAPTURED: Final = 8
_BLOCK_CAPTURED: Final = 20
_BLOCK_TRAILER: Final = 4


@kernel
def _shorten(b: Bytes, at: int, header: int, kept: int, little: bool) -> int:
    """Say in a record that so many bytes of its packet are left, and return how long it is now."""
    if header == PCAP_HEADER:
        store_word(b, at + _PCAP_CAPTURED, kept, little)
        return header + kept
    store_word(b, at + _BLOCK_CAPTURED, kept, little)
    padded = (kept + 3) & ~3
    for i in range(kept, padded):
        store8(b, at + header + i, 0)
    length = header + padded + _BLOCK_TRAILER
    store_word(b, at + 4, length, little)
    store_word(b, at + length - _BLOCK_TRAILER, length, little)
    return length


@entry
def close_up(window: Bytes, records: State, totals: State, begin: int, end: int, count: int, little: bool) -> int:
    """Move the records in `begin` to `end` together, by where their packets end now; return where they end."""
    b, r, t = pointer(window), pointer(records), pointer(totals)
    position = out = begin
    for index in range(count):
        i = index * RECORD_COLUMNS
        header, kept = r[i + RECORD_HEADER], r[i + RECORD_END] - r[i + RECORD_BEGIN]
        start = r[i + RECORD_BEGIN] - header
        move_down(b, position, out, start - position)
        out += start - position
        if header == SIMPLE_HEADER:
            captured, length = kept, load_word(b, start + 4, little)
        elif header == PCAP_HEADER:
            captured = load_word(b, start + _PCAP_CAPTURED, little)
            length = header + captured
        else:
            captured, length = load_word(b, start + _BLOCK_CAPTURED, little), load_word(b, start + 4, little)
        position = start + length
        r[i + RECORD_BEGIN], r[i + RECORD_END] = out + header, out + header + kept
        if kept == captured:
            move_down(b, start, out, length)
            out += length
            continue
        # The original length follows the captured one in either format.
        original = load_word(b, start + (12 if header == PCAP_HEADER else 24), little)
        t[TOTAL_CAPTURED] -= captured - kept
        if captured >= original > kept:
            t[TOTAL_TRUNCATED] += 1
        move_down(b, start, out, header + kept)
        out += _shorten(b, out, header, kept, little)
    move_down(b, position, out, end - position)
    return out + end - position
