"""Kernel for what lies above the transport layer."""
# ruff: noqa: FBT001  # kernels take their arguments by position

from gql_server.engine.addresses.fields import blank
from gql_server.engine.addresses.layout import (
    BY_POLICY,
    BYTES_KEPT,
    CUT_PAYLOAD,
    KEEP_PAYLOAD,
    PACKET_PAYLOAD,
    PACKET_STOP,
)
from gql_server.engine.compilation import Bytes, State, kernel


@kernel
def payload(b: Bytes, s: State, at: int, end: int, wet: bool) -> None:
    """Keep and count payload, zero it, or end the packet before it.

    Payload that is cut off is zeroed first, so that the checksums over it are what zeros would have.
    """
    if not wet or end < at:
        return
    if s[PACKET_PAYLOAD] == KEEP_PAYLOAD:
        s[BYTES_KEPT] += end - at
        return
    blank(b, s, at, end, BY_POLICY, wet)
    if s[PACKET_PAYLOAD] == CUT_PAYLOAD:
        s[PACKET_STOP] = at
