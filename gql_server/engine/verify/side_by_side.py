"""Both files, read side by side."""

from collections.abc import Iterator
from pathlib import Path

from gql_server.domain.verification import VerificationReason
from gql_server.engine.verify.files import CaptureReader, MalformedCapture


class SideBySide:
    """One reading of original and output, packet by packet."""

    def __init__(self, original: Path, output: Path) -> None:
        self.original = CaptureReader(original)
        self.output = CaptureReader(output)
        self.packets = 0
        """Packets that were read in both."""
        self.reasons: set[VerificationReason] = set()
        """Why the reading did not come to the end of both."""

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

    def _fill(self) -> int:
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
