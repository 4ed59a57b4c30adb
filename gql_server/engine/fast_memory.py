"""Memory for the fast build: bare pointers, one instruction.

numba has no unaligned big-endian loads, so they are spelled in LLVM's words.
"""
# ruff: noqa: ARG001  # numba reads the types of a call from the parameters of its implementation

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from gql_server.engine.compilation import Bytes

_FULL = 64
_declared: Any = cgutils.get_or_insert_function


def _pointer(_context: Any, array: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    return cast("Any", types.CPointer)(array.dtype)(array), generate


def _load(bits: int, *, little: bool = False) -> Any:
    result: Any = types.uint64 if bits == _FULL else types.int64
    word = ir.IntType(bits)

    def load(_context: Any, memory: Any, offset: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            address = builder.bitcast(builder.gep(arguments[0], [arguments[1]]), word.as_pointer())
            value = builder.load(address)
            value.align = 1
            value = value if little else builder.bswap(value)
            return value if bits == _FULL else builder.zext(value, ir.IntType(_FULL))

        return result(memory, types.int64), generate

    return intrinsic(load)


def _store(bits: int) -> Any:
    argument: Any = types.uint64 if bits == _FULL else types.int64
    word = ir.IntType(bits)

    def store(_context: Any, memory: Any, offset: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            address = builder.bitcast(builder.gep(arguments[0], [arguments[1]]), word.as_pointer())
            number = arguments[2] if bits == _FULL else builder.trunc(arguments[2], word)
            builder.store(builder.bswap(number), address).align = 1
            return context.get_dummy_value()

        return cast("Any", types.void)(memory, types.int64, argument), generate

    return intrinsic(store)


def _load_byte(_context: Any, memory: Any, offset: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.zext(builder.load(builder.gep(arguments[0], [arguments[1]])), ir.IntType(_FULL))

    return cast("Any", types.int64)(memory, types.int64), generate


def _store_byte(_context: Any, memory: Any, offset: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        builder.store(builder.trunc(arguments[2], ir.IntType(8)), builder.gep(arguments[0], [arguments[1]]))
        return context.get_dummy_value()

    return cast("Any", types.void)(memory, types.int64, types.int64), generate


def _prefetch(_context: Any, memory: Any, offset: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [ir.PointerType(), number, number, number])
        function = _declared(builder.module, kind, "llvm.prefetch.p0")
        # For writing, into every cache, as data.
        builder.call(function, [builder.gep(arguments[0], [arguments[1]]), number(1), number(3), number(1)])
        return context.get_dummy_value()

    return cast("Any", types.void)(memory, types.int64), generate


pointer = cast("Callable[[Any], Any]", intrinsic(_pointer))
prefetch = cast("Callable[[Bytes, int], None]", intrinsic(_prefetch))
load8 = cast("Callable[[Bytes, int], int]", intrinsic(_load_byte))
load16 = cast("Callable[[Bytes, int], int]", _load(16))
load16_little = cast("Callable[[Bytes, int], int]", _load(16, little=True))
load32 = cast("Callable[[Bytes, int], int]", _load(32))
load32_little = cast("Callable[[Bytes, int], int]", _load(32, little=True))
load64 = cast("Callable[[Bytes, int], np.uint64]", _load(64))
store8 = cast("Callable[[Bytes, int, int], None]", intrinsic(_store_byte))
store16 = cast("Callable[[Bytes, int, int], None]", _store(16))
store32 = cast("Callable[[Bytes, int, int], None]", _store(32))
store64 = cast("Callable[[Bytes, int, np.uint64], None]", _store(64))
