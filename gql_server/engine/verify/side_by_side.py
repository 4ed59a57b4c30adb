"""Both files, read side by side."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gql_server.domain.verification import VerificationReason
from gql_server.engine.verify.files import CaptureReader, MalformedCapture
from gql_server.engine.verify.layout import LENGTHS, TIMES


class SideBySide:
    """One reading of original and output, packet by packet."""

    def __init__(self, original: Path, output: Path, *, aligned: bool = False) -> None:
        """Begin; where a reading before found both `aligned`, the original is read where `follow` asks for it."""
        self.original = CaptureReader(original)
        self.output = CaptureReader(output)
        self.packets = 0
        """Packets that were read in both."""
        self.reasons: set[VerificationReason] = set()
        """Why the reading did not come to the end of both."""
        self._is_aligned = aligned

    def __iter__(self) -> Iterator[int]:
        """Yield how many packets both windows hold from their `next` on, until the files end or go apart."""
        try:
            while count := self._fill():
                yield count
                self.packets += count
                self.original.next += count
                self.output.next += count
        finally:
            self.original.close()
            self.output.close()

    def is_aligned(self, state: npt.NDArray[np.int64]) -> bool:
        """Say, of a reading that is done, whether all records of both files lie at the same places."""
        one, other = self.original, self.output
        is_same = one.is_pcap and other.is_pcap and one.size == other.size and one.descriptions == other.descriptions
        return is_same and not self.reasons and not state[LENGTHS] and not state[TIMES]

    def follow(self) -> None:
        """Have of the original what the output's window holds.

        Raises:
            OSError: the original cannot be read.
        """
        if self._is_aligned:
            self.original.mirror(self.output)

    def _fill(self) -> int:
        if self._is_aligned:
            return self.output.count if self._read(self.output, VerificationReason.OUTPUT_MALFORMED) else 0
        more = self._read(self.output, VerificationReason.OUTPUT_MALFORMED)
        known = self._read(self.original, VerificationReason.ORIGINAL_MALFORMED)
        if more != known and not self.reasons:
            self.reasons.add(VerificationReason.PACKETS_DIFFER)
        return min(self.original.count, self.output.count) if more and known else 0

    def _read(self, reader: CaptureReader, reason: VerificationReason) -> bool:
        try:
            return reader.fill()
        except MalformedCapture:
            self.reasons.add(reason)
            return False
