"""Kernels linked whole, and compiled only once.

numba optimizes each function it compiles, with all it calls linked in, and turns it into machine code; then its caller
begins with the result again. For a tree of small kernels under a few entry points that is most of the compile time,
and the machine code of all but the entry points is never run. `LinkedLibrary` leaves a kernel as it was lowered; the
entry point links the tree once and has it optimized as one.

This leans on the inside of numba (checked with 0.68): `CPUCodeLibrary` and how a codegen makes libraries.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite.binding import Linkage
from numba.core.codegen import JITCodeLibrary
from numba.core.registry import cpu_target


class _Nowhere:
    """Stands for the engine that holds machine code, of which a linked library has none."""

    def set_env(self, name: str, environment: Any) -> None:
        """Take a function's globals for nobody: compiled kernels have none."""


class LinkedLibrary(JITCodeLibrary):
    """The code of one kernel, which only ever becomes part of other code."""

    @property
    def codegen(self) -> Any:
        """What `get_executable` tells about the function."""
        return _Nowhere()

    def get_pointer_to_function(self, name: str) -> int:
        """Say that there is no machine code; numba takes 0 for it."""
        del name
        return 0

    def _optimize_functions(self, ll_module: Any) -> None:
        """Leave it to the entry point."""

    def finalize(self) -> None:
        """Keep the code as it was lowered, nothing linked in."""
        self._finalized = True

    def _get_module_for_linking(self) -> Any:
        """Return the code with all it calls, for the entry point to link."""
        whole = self._own_module().clone()
        met: set[Any] = {self}
        waiting = list(self._linking_libraries)
        while waiting:
            library = waiting.pop(0)
            if library in met:
                continue
            met.add(library)
            if isinstance(library, LinkedLibrary):
                whole.link_in(library._own_module(), preserve=True)  # noqa: SLF001  # of its own class
                waiting += library._linking_libraries  # noqa: SLF001  # the same
            else:
                whole.link_in(library._get_module_for_linking(), preserve=True)  # noqa: SLF001  # numba's own protocol
        own = {function.name for function in self._own_module().functions if not function.is_declaration}
        for function in whole.functions:
            if not function.is_declaration and function.name not in own:
                # Nobody else calls it, so what is called once is inlined. And it has no name outside: the calls of
                # other code would find it, with whatever way of being called the optimizer gave it.
                function.linkage = "private"
        return whole

    def _own_module(self) -> Any:
        """Return the code with each function marked as one that may come in several copies."""
        if self._shared_module is None:
            for function in self._final_module.functions:
                if not function.is_declaration and function.linkage == Linkage.external:
                    function.linkage = "linkonce_odr"
            self._shared_module = self._final_module
        return self._shared_module


@contextmanager
def only_linked() -> Iterator[None]:
    """Compile into linked libraries."""
    codegen: Any = cpu_target.target_context.codegen()
    before, codegen._library_class = codegen._library_class, LinkedLibrary  # noqa: SLF001  # see the top
    try:
        yield
    finally:
        codegen._library_class = before  # noqa: SLF001  # the same
