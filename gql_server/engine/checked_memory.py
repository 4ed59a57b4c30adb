"""Memory for the checked build: byte by byte, each checked."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numba import types
from numba.extending import intrinsic

from gql_server.engine.compilation import Bytes, U, kernel


def _pointer(_context: Any, array: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        context.nrt.incref(builder, signature.args[0], arguments[0])
        return arguments[0]

    return array(array), generate


def _prefetch(_context: Any, memory: Any, _offset: Any) -> Any:
    # Nothing is fetched ahead: a place out of bounds is none. As an intrinsic it takes words as well as bytes.
    def generate(context: Any, _builder: Any, _signature: Any, _arguments: Any) -> Any:
        return context.get_dummy_value()

    return cast("Any", types.void)(memory, types.int64), generate


pointer = cast("Callable[[Any], Any]", intrinsic(_pointer))
prefetch = cast("Callable[[Bytes, int], None]", intrinsic(_prefetch))


@kernel
def load8(b: Bytes, o: int) -> int:
    """Load a byte; a negative offset is out of bounds, not the end of the array."""
    return np.int64(b[U(o)])  # type: ignore[return-value]  # an int to numba


@kernel
def store8(b: Bytes, o: int, value: int) -> None:
    """Store the low byte of a value."""
    b[U(o)] = value & 0xFF


@kernel
def load16(b: Bytes, o: int) -> int:
    """Load two bytes, most significant first."""
    return (load8(b, o) << 8) | load8(b, o + 1)


@kernel
def load16_little(b: Bytes, o: int) -> int:
    """Load two bytes, least significant first."""
    return load8(b, o) | (load8(b, o + 1) << 8)


@kernel
def load32(b: Bytes, o: int) -> int:
    """Load four bytes, most significant first."""
    return (load16(b, o) << 16) | load16(b, o + 2)


@kernel
def load32_little(b: Bytes, o: int) -> int:
    """Load four bytes, least significant first."""
    return load16_little(b, o) | (load16_little(b, o + 2) << 16)


@kernel
def load64(b: Bytes, o: int) -> np.uint64:
    """Load eight bytes, most significant first."""
    return (U(load32(b, o)) << U(32)) | U(load32(b, o + 4))


@kernel
def store16(b: Bytes, o: int, value: int) -> None:
    """Store two bytes, most significant first."""
    store8(b, o, value >> 8)
    store8(b, o + 1, value)


@kernel
def store32(b: Bytes, o: int, value: int) -> None:
    """Store four bytes, most significant first."""
    store16(b, o, value >> 16)
    store16(b, o + 2, value)


@kernel
def store64(b: Bytes, o: int, value: np.uint64) -> None:
    """Store eight bytes, most significant first."""
    store32(b, o, np.int64(value >> U(32)))  # type: ignore[arg-type]  # an int to numba
    store32(b, o + 4, np.int64(value & U(0xFFFFFFFF)))  # type: ignore[arg-type]  # the same
