import numpy as np

from gql_server.engine.compilation import Bytes, Kernel, entry, kernel
from gql_server.engine.linking import LinkedLibrary
from gql_server.engine.memory import load8, pointer


@kernel
def leaf(b: Bytes, at: int) -> int:
    """Read a byte."""
    return load8(b, at)


@kernel
def left(b: Bytes, at: int) -> int:
    """Call the leaf."""
    return leaf(b, at) * 2


@kernel
def right(b: Bytes, at: int) -> int:
    """Call the leaf too."""
    return leaf(b, at + 1) if at in (0, 2) else left(b, at)


@entry
def root(memory: Bytes) -> int:
    """Reach the leaf on two ways."""
    b = pointer(memory)
    return left(b, 0) + right(b, 0) + right(b, 1)


@entry
def other_root(memory: Bytes) -> int:
    """Reach it from another entry point."""
    return right(pointer(memory), 2)


def test_what_two_ways_lead_to_is_linked_once_and_runs() -> None:
    memory = np.array([5, 7, 11, 13], np.uint8)
    assert root(memory) == 10 + 7 + 14
    assert other_root(memory) == 13


def test_kernels_have_no_machine_code_of_their_own() -> None:
    assert isinstance(leaf, Kernel)
    assert [type(one.library) for one in leaf.overloads.values()] in ([LinkedLibrary], []), (
        "none where the cache had it all"
    )
