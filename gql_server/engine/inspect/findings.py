"""What a survey found, as arrays."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from gql_server.engine.inspect import layout

Words = npt.NDArray[np.uint64]


class MarkKind(IntEnum):
    """What lies at a marked place of the capture."""

    PACKETS = 0
    """The next packet begins here or behind a block that is none."""
    SECTION = 1
    INTERFACE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The tables of a survey; rows are in the order of first sight."""

    state: npt.NDArray[np.int64]
    rows: Words
    marks: npt.NDArray[np.int64]
    """Kind, packets before it, and offset in the capture, one row each."""

    @property
    def talkers(self) -> Words:
        """The rows of talkers, those included of which only address resolution spoke."""
        return self._table(layout.TALKER_INDEX, layout.TALKER_AT, layout.TALKER_WORDS)

    @property
    def conversations(self) -> Words:
        """The rows of conversations."""
        return self._table(layout.CONVERSATION_INDEX, layout.CONVERSATION_AT, layout.CONVERSATION_WORDS)

    @property
    def pairs(self) -> Words:
        """The rows of MAC addresses beside those in the rows of talkers."""
        return self._table(layout.PAIR_INDEX, layout.PAIR_AT, layout.PAIR_WORDS)

    @property
    def counters(self) -> npt.NDArray[np.int64]:
        """Packets and bytes of each protocol."""
        return self.state[layout.COUNTS_AT :].reshape(-1, layout.COUNT_COLUMNS)

    def total(self, place: int) -> int:
        """Return one of the totals."""
        return int(self.state[place])

    def _table(self, index: int, at: int, words: int) -> Words:
        count = int(self.state[index + layout.INDEX_COUNT])
        return self.rows[at : at + count * words].reshape(-1, words)
