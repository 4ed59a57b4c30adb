"""The sieve: places where an original may stand.

It holds a bit for each three bytes, and is small enough for the cache next to the core. The first two bytes choose a
word of 32 bits, the lower five bits of the third a bit of it: no multiplication, which a look-up at each second byte
would feel. Of four bytes the sieve knows the first three and the last three. One of the two stands at an even place,
so even places are asked about first, and what stands beside them only where they pass.

Four even places are a group. What the sieve says of 64 groups is gathered in one word: a list of places would be
stored where its length says, and before that is known the processor loads no further.
"""
# ruff: noqa: ARG001  # numba reads the types of a call from the parameters of its implementation

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gql_server.engine.compilation import Bytes, U, kernel
from gql_server.engine.memory import load8, load32_little, store8

SIEVE_BYTES: Final = 1 << 18
GROUP_BYTES: Final = 8
GROUPS: Final = 64
REACH: Final = 12
"""How far behind the begin of a group the sieve reads; it reads one byte before it too."""

_ONE = U(1)


def _lowest_bit(_context: Any, word: Any) -> Any:
    argument: Any = types.uint64
    result: Any = types.int64

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return result(argument), generate


lowest_bit = cast("Callable[[np.uint64], int]", intrinsic(_lowest_bit))
"""Return the number of the lowest bit that is set; there must be one."""


@kernel
def admit(v: Bytes, value: np.uint64) -> None:
    """Let four bytes through, given as a big-endian number."""
    for k in range(2):
        three: int = np.int64(value >> U(8 * (1 - k)))  # type: ignore[assignment]  # an int to numba
        place = 4 * (((three >> 16) & 0xFF) | (three & 0xFF00)) + ((three >> 3) & 3)
        store8(v, place, load8(v, place) | (1 << (three & 7)))


@kernel
def _passes(v: Bytes, b: Bytes, at: int) -> int:
    """Say in the lowest bit whether three bytes pass."""
    x = load32_little(b, at)
    return load32_little(v, 4 * (x & 0xFFFF)) >> ((x >> 16) & 31)


@kernel
def groups_that_pass(v: Bytes, b: Bytes, at: int) -> np.uint64:
    """Return a bit for each of 64 groups: whether three bytes at any of its even places pass."""
    groups = U(0)
    for i in range(GROUPS):
        p = at + GROUP_BYTES * i
        passed = _passes(v, b, p) | _passes(v, b, p + 2) | _passes(v, b, p + 4) | _passes(v, b, p + 6)
        groups |= (U(passed) & _ONE) << U(i)
    return groups


@kernel
def is_likely(v: Bytes, b: Bytes, p: int) -> bool:
    """Say whether four bytes that begin at most one byte before a group, and before its last byte, pass both ways."""
    one, two, three = _passes(v, b, p + 1), _passes(v, b, p + 3), _passes(v, b, p + 5)
    found = (_passes(v, b, p) & (_passes(v, b, p - 1) | one)) | (_passes(v, b, p + 2) & (one | two))
    found |= (_passes(v, b, p + 4) & (two | three)) | (_passes(v, b, p + 6) & (three | _passes(v, b, p + 7)))
    return bool(found & 1)
