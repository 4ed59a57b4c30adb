"""Kernels that put pieces of a stream together."""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from gql_server.engine.compilation import Bytes, State, entry
from gql_server.engine.memory import load8, load64, pointer, store8, store64

_COLUMNS = 4


@entry
def copy_pieces(
    window: Bytes, base: int, pieces: State, column: int, first: int, out: Bytes, filled: int
) -> tuple[int, int]:
    """Copy pieces from `first` on as long as the window, which begins at `base` in its file, holds them whole.

    Return which piece is next, and how many bytes are there now.
    """
    b, p, to = pointer(window), pointer(pieces), pointer(out)
    count = pieces.shape[0] // _COLUMNS
    while first < count:
        row = first * _COLUMNS
        at, length = p[row + column] - base, p[row + 1] - p[row]
        if at < 0 or at + length > window.shape[0]:
            return first, filled
        k = 0
        while length - k >= 8:  # noqa: PLR2004  # a word
            store64(to, filled + k, load64(b, at + k))
            k += 8
        while k < length:
            store8(to, filled + k, load8(b, at + k))
            k += 1
        filled += length
        first += 1
    return first, filled
