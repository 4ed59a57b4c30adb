"""The files of a survey: fixed-size rows, little-endian.

An address takes 16 bytes, of which IPv4 uses the first four; times are nanoseconds since the epoch.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.engine.inspect import layout

SURVEY_VERSION: Final = 1
SURVEY_FILE: Final = "inspection.json"
CONVERSATIONS_FILE: Final = "conversations.rows"
TALKERS_FILE: Final = "talkers.rows"
PAIRS_FILE: Final = "ip-mac-pairs.rows"
PROTOCOLS_FILE: Final = "protocols.rows"
MARKS_FILE: Final = "marks.rows"

CONVERSATION: Final = np.dtype(
    [
        ("version", "u1"),
        ("protocol", "u1"),
        ("has_ports", "u1"),
        ("", "u1"),
        ("initiator_port", "<u2"),
        ("responder_port", "<u2"),
        ("initiator", "u1", 16),
        ("responder", "u1", 16),
        ("packets_sent", "<u8"),
        ("bytes_sent", "<u8"),
        ("packets_received", "<u8"),
        ("bytes_received", "<u8"),
        ("first_time_ns", "<i8"),
        ("last_time_ns", "<i8"),
    ]
)
TALKER: Final = np.dtype(
    [
        ("version", "u1"),
        ("", "V7"),
        ("address", "u1", 16),
        ("packets_sent", "<u8"),
        ("bytes_sent", "<u8"),
        ("packets_received", "<u8"),
        ("bytes_received", "<u8"),
    ]
)
PAIR: Final = np.dtype(
    [
        ("version", "u1"),  # 0 for the row that stands for all addresses behind a router
        ("is_router", "u1"),
        ("mac", "u1", 6),
        ("address", "u1", 16),
        ("addresses", "<u8"),
        ("packets_sent", "<u8"),
        ("packets_received", "<u8"),
        ("claims", "<u8"),
    ]
)
PROTOCOL: Final = np.dtype([("counter", "<u4"), ("", "V4"), ("packets", "<u8"), ("bytes", "<u8")])
MARK: Final = np.dtype([("kind", "<u8"), ("packets", "<u8"), ("offset", "<u8")])

_VERSION_4: Final = 4
_VERSION_6: Final = 6


def address_bytes(talkers: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return the IP version and the 16 bytes of the address of each talker's row."""
    ipv6 = (talkers[:, layout.TALKER_META] & np.uint64(layout.META_IPV6)) != 0
    words = talkers[:, [layout.TALKER_HIGH, layout.TALKER_LOW]].astype(">u8", order="C")
    out = words.view(np.uint8).reshape(-1, 16)
    out[~ipv6, :4] = out[~ipv6, 12:]
    out[~ipv6, 4:] = 0
    return np.where(ipv6, _VERSION_6, _VERSION_4).astype(np.uint8), out
