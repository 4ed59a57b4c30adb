"""The verify task: read both files twice, conclude.

The first reading settles every byte and harvests originals with their pseudonyms; the second searches the output for
every original. What is not searched for: groups and other addresses that name no host, addresses that kept their
value, those with hardly a byte that is not zero, and whatever is split over two packets, packed or enciphered.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.anonymization import NamePolicy, PayloadPolicy
from gql_server.domain.dicom import ForeignPolicy
from gql_server.domain.verification import AddressExpectation
from gql_server.engine.tasks import Progressed, Verified, VerifyTask
from gql_server.engine.verify import layout
from gql_server.engine.verify.conclusions import Expected
from gql_server.engine.verify.files import CaptureReader
from gql_server.engine.verify.hits import HIT_AT, HIT_COLUMNS, HIT_COUNT, HIT_SHIFT, HITS_HEAD, choose_searched
from gql_server.engine.verify.reports import Evidence, report
from gql_server.engine.verify.scanning import FINDINGS_LENGTH, read_pairs, scan_window
from gql_server.engine.verify.side_by_side import Reading, Repetition, SideBySide
from gql_server.engine.verify.sieve import SIEVE_BYTES
from gql_server.engine.verify.tables import Tables, Words

if TYPE_CHECKING:
    from gql_server.engine.verify.dicom_proving import DicomEvidence

_PAYLOAD: Final = {
    PayloadPolicy.KEEP: layout.PAYLOAD_KEEP,
    PayloadPolicy.ZERO: layout.PAYLOAD_ZERO,
    PayloadPolicy.TRUNCATE: layout.PAYLOAD_TRUNCATE,
}
_WORD_BITS: Final = 64
_FEWEST_BITS: Final = 16
_MOST_BITS: Final = 25
"""The filter: up to 4 MiB."""
_BITS_A_MARK: Final = 4
"""16 bits of the filter for each mark in it."""
_HITS: Final = 1 << 12
_MOST_HITS: Final = 1 << 20
"""Hits in one window beyond these are not explained."""

Progress = Callable[[Progressed], None]


def verify(task: VerifyTask, progress: Progress) -> Verified:
    """Carry out a verify task; whatever the files hold, there is an answer."""
    tables = Tables()
    dicom = _prove_dicom(task, tables, progress)
    with SideBySide(task.source, task.output) as reading:
        _harvest(task, reading, tables, progress, dicom)
        evidence = Evidence(
            reasons=reading.reasons | (dicom.reasons if dicom else set()),
            tables=tables,
            original=reading.original,
            output=reading.output,
            packets=reading.packets,
            counts=np.zeros(3, np.int64),
            findings=np.zeros(FINDINGS_LENGTH, np.int64),
        )
        if dicom is None and reading.is_aligned(tables.state):
            _search(task, Repetition(reading), evidence, progress, None)
        else:
            with SideBySide(task.source, task.output) as second:
                _search(task, second, evidence, progress, dicom)
    expected = Expected(addresses=task.addresses, macs=task.macs, rules=task.rules, mac_rules=task.mac_rules)
    return Verified(verification=report(evidence, expected, dicom))


def _prove_dicom(task: VerifyTask, tables: Tables, progress: Progress) -> "DicomEvidence | None":
    """Judge what DICOM streams hold; the readings of packets leave that to this one."""
    if task.dicom is None:
        return None

    # pydicom and its tables take most of a second to import: only a proof of DICOM pays.
    from gql_server.engine.verify.dicom_proving import prove_dicom  # noqa: PLC0415  # see above

    def tell(packets: int, done: int, total: int) -> None:
        progress(Progressed(packets=packets, bytes_done=done, bytes_total=3 * total))

    kept = task.dicom.foreign is ForeignPolicy.KEEP and task.addresses is AddressExpectation.KEPT
    tables.state[layout.FOREIGN_KEPT] = kept
    tables.state[layout.FOREIGN_ZERO] = task.dicom.foreign is ForeignPolicy.ZERO
    return prove_dicom(task.source, task.output, task.dicom, tell)


def _harvest(
    task: VerifyTask, reading: SideBySide, tables: Tables, progress: Progress, dicom: "DicomEvidence | None"
) -> None:
    """Settle every byte, collect every pair."""
    s = tables.state
    s[layout.PAYLOAD] = _PAYLOAD[task.payload]
    s[layout.TAKE_PLAIN] = task.payload is PayloadPolicy.KEEP
    s[layout.MASKED] = task.names is NamePolicy.MASK
    nothing = _new_hits(0), np.zeros(FINDINGS_LENGTH, np.int64)
    for count in reading:
        original, output = reading.original, reading.output
        s[layout.OUTPUT_BASE] = output.base
        if dicom:
            dicom.mark(reading, count)
        done = 0
        while done < count:
            first, other = original.next + done, output.next + done
            lists = (original.packets, output.packets, s, tables.words, *nothing)
            read = read_pairs(original.buffer, output.buffer, *lists, first, other, count - done, 0)
            done += read
            if done < count:
                tables.make_room(_size_of(original, original.next + done) // 4 + 4)
        _tell(progress, reading, 0, dicom)


def _size_of(reader: CaptureReader, index: int) -> int:
    row = reader.packets[index * layout.PACKET_COLUMNS :]
    return int(row[layout.PACKET_END] - row[layout.PACKET_BEGIN])


def _tell(progress: Progress, reading: Reading, before: int, dicom: "DicomEvidence | None") -> None:
    size = reading.output.size
    done = before + reading.output.base + len(reading.output.window) + (size if dicom else 0)
    progress(Progressed(packets=reading.packets, bytes_done=done, bytes_total=(3 if dicom else 2) * size))


def _search(
    task: VerifyTask,
    reading: Reading,
    evidence: Evidence,
    progress: Progress,
    dicom: "DicomEvidence | None",
) -> None:
    """Search every window of the output for every original, and explain what is found."""
    tables, output = evidence.tables, reading.output
    scratch, hits = tables.state.copy(), _new_hits(_HITS)
    filters = _filters(evidence, hits)
    follows = task.addresses is AddressExpectation.KEPT
    base = -1
    for count in reading:
        if output.base != base or output.next == 0:
            base = output.base
            hits = _scan(output, evidence, filters, hits)
            evidence.scanned += len(output.window)
        if hits[HIT_COUNT]:
            reading.follow(_places_of(hits))
            if dicom:
                dicom.mark(reading, count)
            scratch[layout.NUMBER], scratch[layout.OUTPUT_BASE] = reading.packets, base
            read_pairs(
                reading.original.buffer,
                output.buffer,
                reading.original.packets,
                output.packets,
                scratch,
                tables.words,
                hits,
                evidence.findings,
                reading.original.next,
                output.next,
                count,
                int(follows),
            )
        _tell(progress, reading, output.size, dicom)


def _new_hits(room: int) -> npt.NDArray[np.int64]:
    return np.zeros(HITS_HEAD + room * HIT_COLUMNS, np.int64)


def _places_of(hits: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return where the hits of a list lie in the output's window."""
    rows = hits[HITS_HEAD:].reshape(-1, HIT_COLUMNS)
    return rows[: int(hits[HIT_COUNT]), HIT_AT]


def _filters(evidence: Evidence, hits: npt.NDArray[np.int64]) -> tuple[Words, npt.NDArray[np.uint8]]:
    """Return the filter and the sieve of what is searched for, and mark that in the tables."""
    s = evidence.tables.state
    marks = 2 * (3 * int(s[layout.NARROW_USED]) + 2 * int(s[layout.WIDE_USED]))
    size = min(max(marks.bit_length() + _BITS_A_MARK, _FEWEST_BITS), _MOST_BITS)
    hits[HIT_SHIFT] = _WORD_BITS - size
    bits = np.zeros((1 << size) // _WORD_BITS, np.uint64)
    sieve = np.zeros(SIEVE_BYTES, np.uint8)
    choose_searched(s, evidence.tables.words, bits, sieve, hits, evidence.counts)
    return bits, sieve


def _scan(
    output: CaptureReader,
    evidence: Evidence,
    filters: tuple[Words, npt.NDArray[np.uint8]],
    hits: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """List the hits of a window, in a longer list when they are many."""
    s, words = evidence.tables.state, evidence.tables.words
    while True:
        hits[HIT_COUNT] = 0
        scan_window(output.window, s, words, *filters, hits)
        room = (len(hits) - HITS_HEAD) // HIT_COLUMNS
        if hits[HIT_COUNT] <= room:
            return hits
        if room >= _MOST_HITS:
            evidence.is_searched = False
            return hits
        longer = _new_hits(min(int(hits[HIT_COUNT]), _MOST_HITS))
        longer[:HITS_HEAD] = hits[:HITS_HEAD]
        hits = longer
