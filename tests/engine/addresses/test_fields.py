import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.engine.addresses.fields import apply_delta
from gql_server.engine.addresses.layout import PARTIAL_CHECKSUM, PLAIN_CHECKSUM, UDP_CHECKSUM
from gql_server.engine.compilation import Bytes, entry
from gql_server.engine.memory import pointer
from tests.captures import checksum


@entry
def applied(memory: Bytes, place: int, delta: int, kind: int) -> None:
    """Call the kernel."""
    apply_delta(pointer(memory), place, delta, kind)


def update(data: bytes, place: int, delta: int, kind: int = PLAIN_CHECKSUM) -> bytes:
    memory = np.frombuffer(data, np.uint8).copy()
    applied(memory, place, delta, kind)
    return memory.tobytes()


def delta_of(old: bytes, new: bytes) -> int:
    """RFC 1624: the complement of each old word, and each new word."""
    words = struct.unpack(f">{len(old) // 2}H", old), struct.unpack(f">{len(new) // 2}H", new)
    total: int = sum(0xFFFF - word for word in words[0]) + sum(words[1])
    return total


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=4, max_size=4))
def test_a_checksum_follows_what_changed(data: bytes, change: bytes) -> None:
    packet = checksum(data).to_bytes(2, "big") + data
    changed = packet[:4] + change + packet[8:]
    out = update(changed, 0, delta_of(packet[4:8], change))
    assert checksum(out) in (0, 0xFFFF)


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=4, max_size=4))
def test_at_an_odd_place_the_bytes_of_the_delta_are_turned(data: bytes, change: bytes) -> None:
    packet = checksum(data).to_bytes(2, "big") + data
    window = b"?" + packet[:4] + change + packet[8:]
    # The window's even words: each changed byte counts at its own parity.
    old, new = b"\0" + packet[4:8] + b"\0", b"\0" + change + b"\0"
    out = update(window, 1, delta_of(old, new))
    assert checksum(out[1:]) in (0, 0xFFFF)


@pytest.mark.parametrize("delta", [0, 0xFFFF, 0x1FFFE])
@pytest.mark.parametrize("field", [b"\0\0", b"\xff\xff", b"\x12\x34"])
def test_no_change_changes_nothing(delta: int, field: bytes) -> None:
    assert update(field, 0, delta) == field


def test_a_udp_checksum_of_zero_is_none() -> None:
    assert update(b"\0\0", 0, 7, UDP_CHECKSUM) == b"\0\0"
    assert update(b"\0\x07", 0, 7, UDP_CHECKSUM) == b"\xff\xff"
    assert update(b"\0\x07", 0, 7, PLAIN_CHECKSUM) == b"\0\0"


def test_a_partial_checksum_is_a_sum() -> None:
    assert update(b"\0\x07", 0, 7, PARTIAL_CHECKSUM) == b"\0\x0e"
