"""Both files, read side by side."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from gql_server.domain.verification import VerificationReason
from gql_server.engine.verify.files import CaptureReader, MalformedCapture
from gql_server.engine.verify.layout import LENGTHS, TIMES


class SideBySide:
    """One reading of original and output, packet by packet."""

    def __init__(self, original: Path, output: Path) -> None:
        self.original = CaptureReader(original)
        self.output = CaptureReader(output)
        self.packets = 0
        """Packets that were read in both."""
        self.reasons: set[VerificationReason] = set()
        """Why the reading did not come to the end of both."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.original.close()
        self.output.close()

    def __iter__(self) -> Iterator[int]:
        """Yield how many packets both windows hold from their `next` on, until the files end or go apart."""
        while count := self._fill():
            yield count
            self.packets += count
            self.original.next += count
            self.output.next += count

    def follow(self, places: npt.NDArray[np.int64]) -> None:
        """Do nothing: the original is read, and all packets are listed."""

    def is_aligned(self, state: npt.NDArray[np.int64]) -> bool:
        """Say, of a reading that is done, whether all records of both files lie at the same places."""
        one, other = self.original, self.output
        is_same = one.is_pcap and other.is_pcap and one.size == other.size and one.descriptions == other.descriptions
        return is_same and not self.reasons and not state[LENGTHS] and not state[TIMES]

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


class Repetition:
    """A second reading of aligned files, in the same windows.

    The output is read; packets are listed, and read of the original, where `follow` asks for them.
    """

    def __init__(self, first: SideBySide) -> None:
        self.original, self.output = first.original, first.output
        self.packets = 0
        """Packets of the windows before."""

    def __iter__(self) -> Iterator[int]:
        """Yield how many packets each window holds.

        Raises:
            OSError: the output cannot be read.
        """
        for window in self.output.windows:
            self.output.read_again(window)
            yield window.packets
            self.packets += window.packets

    def follow(self, places: npt.NDArray[np.int64]) -> None:
        """List the packets of the output's window, and read of the original those in which the places lie.

        Raises:
            OSError: a file cannot be read, or is not what it was.
        """
        self.output.list_again()
        self.original.mirror(self.output, places)


Reading = SideBySide | Repetition
