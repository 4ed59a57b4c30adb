"""Kernels: functions compiled for just what they say.

An entry point is compiled by numba for exactly the types of its annotations. There are two builds of the same
source. The fast one hands arrays around as bare pointers (arrays would be reference-counted at each call, at half
the speed). The checked one, chosen by GQL_SERVER_CHECKED_KERNELS=1, keeps arrays and checks each index; tests and
fuzzing run on it.

Offsets are int64. Indices into tables are uint64: numba turns a mix of the two into float64.
"""

import os
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit, types

from gql_server.engine.kernels import CHECKED_VARIABLE
from gql_server.engine.linking import only_linked

Bytes = npt.NDArray[np.uint8]
State = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
U = np.uint64

CHECKED = os.environ.get(CHECKED_VARIABLE) == "1"

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": CHECKED}
_NAMES: dict[Any, str] = {
    Bytes: "uint8[::1]",
    State: "int64[::1]",
    Words: "uint64[::1]",
    int: "int64",
    bool: "boolean",
    np.uint64: "uint64",
    None: "void",
    tuple[int, int]: "UniTuple(int64, 2)",
    tuple[int, int, int]: "UniTuple(int64, 3)",
}

F = TypeVar("F", bound=Callable[..., Any])


class Kernel:
    """What numba takes for a compiled function, and has compiled when it first looks.

    That is when the first entry point that needs it is compiled, and never when all of those come from the cache: an
    entry point holds the machine code of all it calls. So a process that compiles nothing has little to set up.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    @property
    def is_set_up(self) -> bool:
        """Whether numba ever looked."""
        return "_compiled" in vars(self)

    @property
    def overloads(self) -> dict[Any, Any]:
        """What it was compiled to in this process, by types."""
        return dict(self._compiled.overloads) if self.is_set_up else {}

    @property
    def _numba_type_(self) -> Any:
        return self._compiled._numba_type_

    @cached_property
    def _compiled(self) -> Any:
        options = _OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        compiled: Any = njit(**options)(self._function)
        resolve = compiled.get_call_template
        widen: Any = types.unliteral

        def resolve_for_linking(arguments: Any, keywords: Any) -> Any:
            # A constant counts as any number: numba would compile anew for each.
            with only_linked():
                return resolve([widen(argument) for argument in arguments], keywords)

        compiled.get_call_template = resolve_for_linking
        return compiled


def kernel(function: F) -> F:
    """Compile a function that only other kernels call; arrays come as pointers."""
    return cast("F", Kernel(function))


def entry(function: F) -> F:
    """Compile a function that Python calls; arrays come as arrays, for `pointer` to unwrap."""
    return cast("F", njit(signature_of(function), cache=True, **_OPTIONS)(function))


def signature_of(function: Callable[..., Any]) -> str:
    """Return an entry point's annotations as numba spells them."""
    hints = dict(function.__annotations__)
    result = _NAMES[hints.pop("return")]
    return f"{result}({', '.join(_NAMES[hint] for hint in hints.values())})"
