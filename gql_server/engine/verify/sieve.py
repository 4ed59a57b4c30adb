"""The sieve: places where an original may stand.

It holds a bit for each three bytes, and is small enough for the cache next to the core. The first two bytes choose a
word of 32 bits, the lower five bits of the third a bit of it: no multiplication, which a look-up at each second byte
would feel. Of four bytes the sieve knows the first three and the last three. One of the two stands at an even place,
so even places are asked about first, and what stands beside them only where they pass.

Four even places are a group. What the sieve says of 64 groups is gathered in one word: a list of places would be
stored where its length says, and before that is known the processor loads no further. It is gathered one by one, the
first highest: what is independent LLVM puts into vectors, filled number by number, which takes longer.
"""
# ruff: noqa: ARG001  # numba reads the types of a call from the parameters of its implementation

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gql_server.engine.compilation import Bytes, U, kernel
from gql_server.engine.memory import load8, load16_little, load32_little, store8

SIEVE_BYTES: Final = 1 << 18
GROUP_BYTES: Final = 8
GROUPS: Final = 64
REACH: Final = 12
"""How far behind the begin of a group the sieve reads; it reads one byte before it too."""
HIGHEST = U(1 << 63)

_HALF = ir.IntType(32)
_FULL = ir.IntType(64)


def _zeros(*, leading: bool) -> Any:
    argument: Any = types.uint64
    result: Any = types.int64

    def count(_context: Any, word: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            operation = builder.ctlz if leading else builder.cttz
            return operation(arguments[0], ir.Constant(ir.IntType(1), 1))

        return result(argument), generate

    return intrinsic(count)


def _shifted(_context: Any, word: Any, count: Any) -> Any:
    number: Any = types.int64

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        # As numbers of 64 bits, numba's own, the count would be masked by an instruction more.
        word, count = (builder.trunc(argument, _HALF) for argument in arguments)
        return builder.zext(builder.lshr(word, builder.and_(count, ir.Constant(_HALF, 31))), _FULL)

    return number(number, number), generate


leading_zeros = cast("Callable[[np.uint64], int]", _zeros(leading=True))
"""Return how many bits stand before the highest that is set; there must be one."""
trailing_zeros = cast("Callable[[np.uint64], int]", _zeros(leading=False))
"""Return how many bits stand behind the lowest that is set; there must be one."""
_shift = cast("Callable[[int, int], int]", intrinsic(_shifted))
"""Shift a word of 32 bits to the right by the five lowest bits of a number."""


@kernel
def admit(v: Bytes, value: np.uint64) -> None:
    """Let four bytes through, given as a big-endian number."""
    for k in range(2):
        three: int = np.int64(value >> U(8 * (1 - k)))  # type: ignore[assignment]  # an int to numba
        place = 4 * (((three >> 16) & 0xFF) | (three & 0xFF00)) + ((three >> 3) & 3)
        store8(v, place, load8(v, place) | (1 << (three & 7)))


@kernel
def _passes(v: Bytes, two: int, third: int) -> int:
    """Say in the lowest bit whether three bytes pass: two as a little-endian number, the third lowest in another."""
    return _shift(load32_little(v, 4 * two), third)


@kernel
def groups_that_pass(v: Bytes, b: Bytes, at: int) -> np.uint64:
    """Return a bit for each of 64 groups, the first highest: whether three bytes at any of its even places pass."""
    groups = U(0)
    one = load16_little(b, at)
    for i in range(GROUPS):
        p = at + GROUP_BYTES * i
        two, three, four = load16_little(b, p + 2), load16_little(b, p + 4), load16_little(b, p + 6)
        five = load16_little(b, p + 8)
        passed = (_passes(v, one, two) | _passes(v, two, three)) | (_passes(v, three, four) | _passes(v, four, five))
        one = five
        groups = groups + groups + U(passed & 1)
    return groups


@kernel
def places_that_pass(v: Bytes, b: Bytes, p: int) -> np.uint64:
    """Return a bit for each of eight places, the first highest: whether four bytes from there on pass both ways.

    The first place is the one before a group.
    """
    passed = U(0)
    for at in range(p - 1, p + GROUP_BYTES):
        passed = passed + passed + U(_passes(v, load16_little(b, at), load8(b, at + 2)) & 1)
    return (passed & (passed << U(1))) << U(63 - GROUP_BYTES)
