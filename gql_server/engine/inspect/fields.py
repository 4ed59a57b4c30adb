"""Kernels that note what a layer says."""
# ruff: noqa: PLR0917  # kernels take their arguments by position

import numpy as np

from gql_server.engine.compilation import Bytes, State, kernel
from gql_server.engine.inspect.layout import (
    CLAIM,
    CLAIM_HIGH,
    CLAIM_LOW,
    CLAIM_MAC,
    CLAIM_VERSION,
    COUNT_COLUMNS,
    COUNTS_AT,
    LENGTH,
    MALFORMED,
    NEXT,
    NEXT_AT,
    NEXT_END,
    NO_MAC,
    SEEN,
)
from gql_server.engine.memory import load8, load48

_GROUP = 1


@kernel
def enter(s: State, kind: int, at: int, end: int) -> None:
    """Say what the walk enters next."""
    s[NEXT] = kind
    s[NEXT_AT] = at
    s[NEXT_END] = end


@kernel
def count(s: State, counter: int) -> None:
    """Count the packet under a protocol."""
    i = COUNTS_AT + counter * COUNT_COLUMNS
    s[i] += 1
    s[i + 1] += s[LENGTH]


@kernel
def count_layer(s: State, layer: int) -> None:
    """Count the packet under a layer, once however often it comes."""
    bit = 1 << layer
    if not s[SEEN] & bit:
        s[SEEN] |= bit
        count(s, layer)


@kernel
def malformed(s: State) -> None:
    """Count a header that cannot be read; the walk ends."""
    count_layer(s, MALFORMED)


@kernel
def device_mac(b: Bytes, at: int) -> int:
    """Return a MAC address if it can be one device's: neither group nor zero."""
    mac = np.int64(load48(b, at))
    return NO_MAC if load8(b, at) & _GROUP or mac == 0 else mac  # type: ignore[return-value]  # an int to numba


@kernel
def claim(s: State, kind: int, version: int, high: int, low: int, mac: int) -> None:
    """Note that an IP address was said to be at a MAC address."""
    if mac != NO_MAC:
        s[CLAIM] = kind
        s[CLAIM_VERSION] = version
        s[CLAIM_HIGH] = high
        s[CLAIM_LOW] = low
        s[CLAIM_MAC] = mac
