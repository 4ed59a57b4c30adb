"""Writes what a survey found, the largest rows first.

Rows with as many bytes stay in the order of first sight, so the same capture gives the same files to the byte.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.inspection import FileDigest
from gql_server.engine.inspect import layout
from gql_server.engine.inspect.findings import Findings
from gql_server.engine.inspect.pairs import list_pairs
from gql_server.engine.inspect.rows import (
    CONVERSATION,
    CONVERSATIONS_FILE,
    MARK,
    MARKS_FILE,
    PAIRS_FILE,
    PROTOCOL,
    PROTOCOLS_FILE,
    SURVEY_FILE,
    SURVEY_VERSION,
    TALKER,
    TALKERS_FILE,
    address_bytes,
)

_PIECE_ROWS: Final = 1 << 14
_PORT = np.uint64(0xFFFF)
_TALKER_BITS = np.uint64(32)
_U = np.uint64


def write_survey(directory: Path, findings: Findings) -> tuple[FileDigest, ...]:
    """Write the files of a survey; they reach the disk when the trace is published."""
    files = (
        _write(directory / CONVERSATIONS_FILE, _conversations(findings)),
        _write(directory / TALKERS_FILE, _talkers(findings)),
        _write(directory / PAIRS_FILE, [list_pairs(findings)]),
        _write(directory / PROTOCOLS_FILE, [_protocols(findings)]),
        _write(directory / MARKS_FILE, [_marks(findings)]),
    )
    body = json.dumps(_summary(findings, files), indent=2, sort_keys=True).encode() + b"\n"
    return (*files, _write(directory / SURVEY_FILE, [np.frombuffer(body, np.uint8)]))


def _summary(findings: Findings, files: tuple[FileDigest, ...]) -> dict[str, Any]:
    lost_packets = findings.total(layout.LOST_PACKETS)
    return {
        "version": SURVEY_VERSION,
        "packets": findings.total(layout.PACKETS),
        "bytes": findings.total(layout.BYTES),
        "packetsWithoutIp": findings.total(layout.OTHER_PACKETS),
        "bytesWithoutIp": findings.total(layout.OTHER_BYTES),
        "packetsWithoutRow": lost_packets,
        "bytesWithoutRow": findings.total(layout.LOST_BYTES),
        "isComplete": {
            CONVERSATIONS_FILE: lost_packets == 0,
            TALKERS_FILE: findings.total(layout.LOST_TALKERS) == 0,
            PAIRS_FILE: findings.total(layout.LOST_PAIRS) == findings.total(layout.LOST_TALKERS) == 0,
            PROTOCOLS_FILE: True,
        },
        "files": {file.name: {"sizeBytes": file.size_bytes, "sha256": file.sha256} for file in files},
    }


def _write(path: Path, pieces: Iterable[npt.NDArray[Any]]) -> FileDigest:
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as out:
        for piece in pieces:
            data = piece.tobytes()
            digest.update(data)
            size += out.write(data)
    return FileDigest(name=path.name, size_bytes=size, sha256=digest.hexdigest())


def _largest_first(total: npt.NDArray[np.uint64]) -> Iterator[npt.NDArray[np.int64]]:
    """Give out row numbers by their bytes, a piece at a time."""
    order = np.argsort(~total, kind="stable")
    for start in range(0, len(order), _PIECE_ROWS):
        yield order[start : start + _PIECE_ROWS]


def _conversations(findings: Findings) -> Iterator[npt.NDArray[np.void]]:
    table = findings.conversations
    total = table[:, layout.CONVERSATION_UP_BYTES] + table[:, layout.CONVERSATION_DOWN_BYTES]
    for piece in _largest_first(total):
        yield _conversation_rows(findings, table[piece])


def _conversation_rows(findings: Findings, table: npt.NDArray[np.uint64]) -> npt.NDArray[np.void]:
    out = np.zeros(len(table), CONVERSATION)
    ends, key = table[:, layout.CONVERSATION_ENDS], table[:, layout.CONVERSATION_KEY]
    turned = (key & _U(layout.KEY_TURNED)) != 0
    lower, upper = (ends >> _TALKER_BITS).astype(np.int64), (ends & _U(0xFFFFFFFF)).astype(np.int64)
    out["version"], out["initiator"] = address_bytes(findings.talkers[np.where(turned, upper, lower)])
    _, out["responder"] = address_bytes(findings.talkers[np.where(turned, lower, upper)])
    out["protocol"] = (key >> _U(layout.KEY_PROTOCOL_SHIFT)) & _U(0xFF)
    out["has_ports"] = (key & _U(layout.KEY_HAS_PORTS)) != 0
    low, high = (key >> _U(layout.KEY_PORTS_SHIFT + 16)) & _PORT, (key >> _U(layout.KEY_PORTS_SHIFT)) & _PORT
    out["initiator_port"], out["responder_port"] = np.where(turned, (high, low), (low, high))
    up, down = layout.CONVERSATION_UP, layout.CONVERSATION_DOWN
    for name, forth, back in (("packets", up, down), ("bytes", up + 1, down + 1)):
        out[f"{name}_sent"] = np.where(turned, table[:, back], table[:, forth])
        out[f"{name}_received"] = np.where(turned, table[:, forth], table[:, back])
    out["first_time_ns"] = table[:, layout.CONVERSATION_FIRST].view(np.int64)
    out["last_time_ns"] = table[:, layout.CONVERSATION_LAST].view(np.int64)
    return out


def _talkers(findings: Findings) -> Iterator[npt.NDArray[np.void]]:
    table = findings.talkers
    # An address of which only address resolution spoke sent and received nothing.
    table = table[(table[:, layout.TALKER_SENT] | table[:, layout.TALKER_RECEIVED]) != 0]
    for piece in _largest_first(table[:, layout.TALKER_SENT_BYTES] + table[:, layout.TALKER_RECEIVED_BYTES]):
        out = np.zeros(len(piece), TALKER)
        out["version"], out["address"] = address_bytes(table[piece])
        out["packets_sent"] = table[piece, layout.TALKER_SENT]
        out["bytes_sent"] = table[piece, layout.TALKER_SENT_BYTES]
        out["packets_received"] = table[piece, layout.TALKER_RECEIVED]
        out["bytes_received"] = table[piece, layout.TALKER_RECEIVED_BYTES]
        yield out


def _protocols(findings: Findings) -> npt.NDArray[np.void]:
    counters = findings.counters
    met = np.flatnonzero(counters[:, 0])
    out = np.zeros(len(met), PROTOCOL)
    out["counter"] = met
    out["packets"], out["bytes"] = counters[met].T
    return out[np.argsort(~out["bytes"], kind="stable")]


def _marks(findings: Findings) -> npt.NDArray[np.void]:
    out = np.zeros(len(findings.marks), MARK)
    out["kind"], out["packets"], out["offset"] = findings.marks.T
    return out
