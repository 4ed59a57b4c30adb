"""Rewrites windows, keeping the tables between them."""

import secrets
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from gql_server.domain.anonymization import AnonymizationReport, NamePolicy, PayloadPolicy
from gql_server.engine.addresses import layout
from gql_server.engine.addresses.plain_packets import mark_ports
from gql_server.engine.addresses.tables import list_new, settle, transfer
from gql_server.engine.addresses.walk import FINISH, NOTE, REWRITE, SAVED_BYTES, walk_records
from gql_server.engine.capture.shortening import close_up
from gql_server.engine.capture.windows import Window

_NARROW_SLOTS: Final = 1 << 14
_NARROW_MOST: Final = 1 << 20
_WIDE_SLOTS: Final = 1 << 12
_WIDE_MOST: Final = 1 << 18
"""16 MiB each. Half a full table holds more than the addresses of one packet, so clearing always helps."""
_GROWTH: Final = 2
_WORD_BITS: Final = 64
_PAYLOAD: Final = {
    PayloadPolicy.KEEP: layout.KEEP_PAYLOAD,
    PayloadPolicy.ZERO: layout.ZERO_PAYLOAD,
    PayloadPolicy.TRUNCATE: layout.CUT_PAYLOAD,
}


class Addresses(Protocol):
    """An injective map of many addresses at once: IPv4 and MAC as numbers, IPv6 as rows of high and low word."""

    def ipv4(self, addresses: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Map IPv4 addresses."""
        ...

    def ipv6(self, addresses: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Map IPv6 addresses."""
        ...

    def mac(self, addresses: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Map MAC addresses."""
        ...


class NewAddresses(NamedTuple):
    """Addresses met for the first time, and what they become: first those of IPv6, then of IPv4, then of MAC."""

    order: npt.NDArray[np.int64]
    """The place of each among all, as they were met."""
    six: int
    four: int
    """How many there are of IPv6 and of IPv4."""
    originals: npt.NDArray[np.uint64]
    images: npt.NDArray[np.uint64]
    """An IPv6 address takes two numbers, high and low word."""


class Rewriter:
    """Maps addresses in place; one for each capture.

    `reverse_names` has the digits of names that spell an address masked even where other names are kept.
    """

    def __init__(
        self,
        addresses: Addresses,
        *,
        payload: PayloadPolicy = PayloadPolicy.KEEP,
        names: NamePolicy = NamePolicy.KEEP,
        reverse_names: bool = True,
    ) -> None:
        self._map = addresses
        self._state = np.zeros(layout.STATE_LENGTH, np.int64)
        self._state[layout.NEW_LIMIT] = layout.NEW_ROOM
        self._state[layout.PAYLOAD] = _PAYLOAD[payload]
        self._state[layout.MASK_NAMES] = names == NamePolicy.MASK
        self._state[layout.MASK_REVERSE_NAMES] = reverse_names
        self._state[layout.TAKE_PLAIN] = 1
        mark_ports(self._state)
        seeds = np.frombuffer(secrets.token_bytes(24), np.int64)
        self._state[layout.SEED_NARROW : layout.SEED_WIDE + 1] = seeds | 1
        self._narrow, self._wide = _NARROW_SLOTS, _WIDE_SLOTS
        self._words = self._lay_out()
        self._deferred = np.empty(0, np.int64)
        self._saved = np.empty(SAVED_BYTES, np.uint8)

    def rewrite(self, window: Window) -> None:
        """Rewrite the records of a window; where packets are cut, the window ends earlier."""
        if window.count > len(self._deferred):
            self._deferred = np.empty(window.count, np.int64)
        first = 0
        while first < window.count:
            first = self._walk(window, first, window.count, REWRITE)
            if self._state[layout.NEW_COUNT]:
                self.settle_new()
                self._walk(window, 0, int(self._state[layout.DEFERRED]), FINISH)
                self._state[layout.DEFERRED] = 0
            if first < window.count:
                self._make_room()
        if self._state[layout.PAYLOAD] == layout.CUT_PAYLOAD:
            records, totals = window.records, window.totals
            window.end = close_up(window.buffer, records, totals, window.begin, window.end, window.count, window.little)

    def note(self, window: Window) -> None:
        """Only note the new addresses of a window, as far as there is room."""
        self._walk(window, 0, window.count, NOTE)

    def settle_new(self) -> NewAddresses:
        """Map the addresses noted since the last time."""
        count = int(self._state[layout.NEW_COUNT])
        order = np.empty(count, np.int64)
        originals, images = np.empty((2, 2 * count), np.uint64)
        six, four = list_new(self._state, self._words, order, originals)
        wide, narrow, end = 2 * six, 2 * six + four, six + count
        # Most windows of a long capture have few new addresses, and none of some kinds.
        if wide:
            images[:wide] = self._map.ipv6(originals[:wide].reshape(-1, 2)).reshape(-1)
        if narrow > wide:
            images[wide:narrow] = self._map.ipv4(originals[wide:narrow])
        if end > narrow:
            images[narrow:end] = self._map.mac(originals[narrow:end])
        settle(self._state, self._words, order, six, images)
        return NewAddresses(order, six, four, originals[:end], images[:end])

    def report(self, packets: int, blocks_dropped: int) -> AnonymizationReport:
        """Tell what was done; an address met again after its table was cleared counts again."""
        count = [int(value) for value in self._state[: layout.STACK]]
        return AnonymizationReport(
            packets=packets,
            addresses_ipv4=count[layout.SEEN_IPV4],
            addresses_ipv6=count[layout.SEEN_IPV6],
            addresses_mac=count[layout.SEEN_MAC],
            packets_opaque=count[layout.PACKETS_OPAQUE],
            bytes_zeroed=count[layout.BYTES_ZEROED],
            bytes_kept=count[layout.BYTES_KEPT],
            packets_cut=count[layout.PACKETS_CUT],
            blocks_dropped=blocks_dropped,
        )

    def _walk(self, window: Window, first: int, count: int, mode: int) -> int:
        state, words = self._state, self._words
        lists = (self._deferred, self._saved)
        return walk_records(window.buffer, window.records, state, words, *lists, first, count, mode)

    def _lay_out(self) -> npt.NDArray[np.uint64]:
        """Describe the tables in the state and return empty ones, the wide one first, slots on cache lines."""
        s = self._state
        wide_words = self._wide * layout.WIDE_WORDS
        words = wide_words + self._narrow * layout.NARROW_WORDS
        s[layout.WIDE_AT], s[layout.WIDE_MASK] = 0, self._wide - 1
        s[layout.WIDE_SHIFT], s[layout.WIDE_LIMIT] = _WORD_BITS - self._wide.bit_length() + 1, self._wide // 2
        s[layout.NARROW_AT], s[layout.NARROW_MASK] = wide_words, self._narrow - 1
        s[layout.NARROW_SHIFT], s[layout.NARROW_LIMIT] = _WORD_BITS - self._narrow.bit_length() + 1, self._narrow // 2
        raw = np.zeros(words + layout.WIDE_WORDS, np.uint64)
        skip = -(raw.ctypes.data // 8) % layout.WIDE_WORDS
        return raw[skip : skip + words]

    def _make_room(self) -> None:
        """Let the full table grow; at its most, forget everything: the tables are only a cache."""
        s = self._state
        narrow, wide = self._narrow, self._wide
        old_narrow, old_wide = self._words[wide * layout.WIDE_WORDS :], self._words[: wide * layout.WIDE_WORDS]
        if s[layout.NARROW_USED] >= s[layout.NARROW_LIMIT]:
            self._narrow = min(narrow * _GROWTH, _NARROW_MOST)
        if s[layout.WIDE_USED] >= s[layout.WIDE_LIMIT]:
            self._wide = min(wide * _GROWTH, _WIDE_MOST)
        if (self._narrow, self._wide) != (narrow, wide):
            self._words = self._lay_out()
            transfer(s, self._words, old_narrow, False)  # noqa: FBT003  # kernels take positions
            transfer(s, self._words, old_wide, True)  # noqa: FBT003  # the same
        elif s[layout.NARROW_USED] >= s[layout.NARROW_LIMIT] or s[layout.WIDE_USED] >= s[layout.WIDE_LIMIT]:
            self._words[:] = 0
            s[layout.NARROW_USED] = s[layout.WIDE_USED] = 0
