import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gql_server.engine.compilation import Bytes, U, entry
from gql_server.engine.memory import load8, load16, load32, load32_little, load48, pointer, store48


@entry
def moved(memory: Bytes, source: int, target: int) -> int:
    """Copy a MAC address and read what is beside it."""
    b = pointer(memory)
    store48(b, target, load48(b, source))
    return load8(b, 0) + load16(b, 0) * 256 + (load32(b, 0) ^ load32_little(b, 0))


@given(st.binary(min_size=20, max_size=20))
def test_addresses_move_whole_and_alone(data: bytes) -> None:
    memory = np.frombuffer(data, np.uint8).copy()
    moved(memory, 3, 11)
    assert memory.tobytes() == data[:11] + data[3:9] + data[17:]


def test_the_wire_is_big_endian() -> None:
    memory = np.frombuffer(bytes(range(1, 21)), np.uint8).copy()
    assert moved(memory, 0, 10) == 0x01 + 0x0102 * 256 + (0x01020304 ^ 0x04030201)
    assert U(0x01) == memory[10]
