"""The leak scan over bytes of our own, without a capture around them."""

import numpy as np

from gql_server.engine.verify import layout
from gql_server.engine.verify.hits import HIT_COLUMNS, HIT_COUNT, HIT_SHIFT, HITS_HEAD, choose_searched
from gql_server.engine.verify.pairs import carry_over
from gql_server.engine.verify.scanning import scan_window
from gql_server.engine.verify.sieve import SIEVE_BYTES
from gql_server.engine.verify.tables import Tables

_FILTER_BITS = 16
_ROOM = 1000


def hits_in(window: bytes, *originals: bytes) -> list[tuple[int, int, int, int]]:
    """Return place, length, kind and form of every hit of originals in a window; each has become zero elsewhere."""
    held = Tables()
    nothing, marks = held.words[:0], layout.IN_USE
    keys = {4: layout.KEY_IPV4, 6: layout.KEY_MAC}
    narrow = [(keys[len(one)] | int.from_bytes(one, "big"), marks) for one in originals if len(one) in keys]
    wide = [(*np.frombuffer(one, ">u8").tolist(), 0, 0, marks) for one in originals if len(one) == 16]
    carry_over(held.state, held.words, np.array(narrow, np.uint64).reshape(-1), nothing)
    carry_over(held.state, held.words, nothing, np.array(wide, np.uint64).reshape(-1))
    hits = np.zeros(HITS_HEAD + _ROOM * HIT_COLUMNS, np.int64)
    hits[HIT_SHIFT] = 64 - _FILTER_BITS
    filters = np.zeros((1 << _FILTER_BITS) // 64, np.uint64), np.zeros(SIEVE_BYTES, np.uint8)
    counts = np.zeros(3, np.int64)
    choose_searched(held.state, held.words, *filters, hits, counts)
    assert counts.sum() == len(originals)
    scan_window(np.frombuffer(window, np.uint8).copy(), held.state, held.words, *filters, hits)
    rows = hits[HITS_HEAD:].reshape(-1, HIT_COLUMNS)[: hits[HIT_COUNT]]
    return [(int(row[0]), int(row[1]), int(row[2]), int(row[3])) for row in rows]
