"""Captures to measure with, made from a seed.

    imix     sizes 60, 590 and 1514 at 7:4:1, TCP and UDP in both IP versions, fragments, ICMP, ARP, VLAN
    large    packets of 1400 bytes
    unique   TCP openings, each from a source of its own: the worst for tables

60,000 conversations, drawn by Zipf's law, packet by packet: harder on a cache than the trains of real traffic.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks import frames
from benchmarks.frames import ICMP, ICMPV6, TCP, UDP, Ends, Numbers, Rows

_IPV4: Final = 0x0800
_IPV6: Final = 0x86DD
_ARP: Final = 0x0806
_CONVERSATIONS: Final = 60_000
_ZIPF_EXPONENT: Final = 0.9
_IPV4_HOSTS: Final = 12_500
_IPV6_HOSTS: Final = 8_000
_MACS: Final = 400
_PAYLOAD_BYTES: Final = 1 << 20
_ROWS_AT_ONCE: Final = 20_000
_LEAST_FRAME: Final = 60
_SHARE_WITHOUT_CHECKSUM: Final = 0.05
"""Of UDP in IPv4."""
_MEAN_GAP_MICROSECONDS: Final = 20
_BEGIN_SECONDS: Final = 1_700_000_000


class Mix(StrEnum):
    """What a capture is made of."""

    IMIX = "imix"
    LARGE = "large"
    UNIQUE = "unique"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draw:
    """The random part of many packets of one kind."""

    random: np.random.Generator
    ends: Ends
    payload_pool: Rows

    def payload(self, width: int) -> Rows:
        """Return bytes, half of them text, half noise."""
        starts = self.random.integers(0, len(self.payload_pool) - width, self.ends.count)
        return np.lib.stride_tricks.sliding_window_view(self.payload_pool, max(width, 1))[starts][:, :width]


class _Kind(NamedTuple):
    ethertype: int
    share: float
    least: int
    """Bytes above the link layer that it takes."""
    build: Callable[[_Draw, int], Rows]
    """Given the draw and the bytes above the link layer."""
    grows: bool = True
    """Whether it fills the size that is drawn."""


def _tcp4(draw: _Draw, room: int) -> Rows:
    return frames.ipv4(frames.tcp(draw.payload(room - 40), draw.ends, draw.ends.ipv4), draw.ends, TCP)


def _udp4(draw: _Draw, room: int) -> Rows:
    rows = frames.udp(draw.payload(room - 28), draw.ends, draw.ends.ipv4)
    rows[draw.random.random(draw.ends.count) < _SHARE_WITHOUT_CHECKSUM, 6:8] = 0
    return frames.ipv4(rows, draw.ends, UDP)


def _tcp6(draw: _Draw, room: int) -> Rows:
    return frames.ipv6(frames.tcp(draw.payload(room - 60), draw.ends, draw.ends.ipv6), draw.ends, TCP)


def _udp6(draw: _Draw, room: int) -> Rows:
    return frames.ipv6(frames.udp(draw.payload(room - 48), draw.ends, draw.ends.ipv6), draw.ends, UDP)


def _udp6_with_options(draw: _Draw, room: int) -> Rows:
    datagram = frames.udp(draw.payload(room - 64), draw.ends, draw.ends.ipv6)
    return frames.ipv6_with_options(datagram, draw.ends, UDP)


def _fragment(draw: _Draw, room: int) -> Rows:
    return frames.ipv4_fragment(draw.payload(room - 20), draw.ends)


def _echo(draw: _Draw, room: int) -> Rows:
    return frames.ipv4(frames.icmp(8, 0, draw.payload(room - 24)), draw.ends, ICMP)


def _icmp_error(draw: _Draw, _: int) -> Rows:
    return frames.ipv4(frames.port_unreachable(draw.ends), draw.ends, ICMP)


def _solicitation(draw: _Draw, _: int) -> Rows:
    return frames.ipv6(frames.neighbor_solicitation(draw.ends), draw.ends, ICMPV6)


def _arp(draw: _Draw, _: int) -> Rows:
    return frames.arp(draw.ends)


_KINDS: dict[Mix, tuple[_Kind, ...]] = {
    Mix.IMIX: (
        _Kind(_IPV4, 0.58, 40, _tcp4),
        _Kind(_IPV4, 0.20, 28, _udp4),
        _Kind(_IPV6, 0.105, 60, _tcp6),
        _Kind(_IPV6, 0.05, 48, _udp6),
        _Kind(_IPV6, 0.005, 64, _udp6_with_options),
        _Kind(_IPV4, 0.02, 28, _fragment),
        _Kind(_IPV4, 0.015, 28, _echo),
        _Kind(_IPV4, 0.01, 56, _icmp_error, grows=False),
        _Kind(_IPV6, 0.005, 72, _solicitation, grows=False),
        _Kind(_ARP, 0.01, 28, _arp, grows=False),
    ),
    Mix.LARGE: (
        _Kind(_IPV4, 0.70, 40, _tcp4),
        _Kind(_IPV4, 0.10, 28, _udp4),
        _Kind(_IPV6, 0.15, 60, _tcp6),
        _Kind(_IPV6, 0.05, 48, _udp6),
    ),
    Mix.UNIQUE: (_Kind(_IPV4, 1.0, 40, _tcp4, grows=False),),
}
_SIZES: dict[Mix, dict[int, float]] = {
    Mix.IMIX: {60: 7 / 12, 590: 4 / 12, 1514: 1 / 12},
    Mix.LARGE: {1400: 1.0},
    Mix.UNIQUE: {60: 1.0},
}
_TAGS: dict[Mix, dict[int, float]] = {
    Mix.IMIX: {0: 0.85, 1: 0.13, 2: 0.02},
    Mix.LARGE: {0: 0.85, 1: 0.13, 2: 0.02},
    Mix.UNIQUE: {0: 1.0},
}


class _Group(NamedTuple):
    """Packets of one kind and one length."""

    kind: _Kind
    tags: int
    width: int
    """Of the frame."""
    share: float

    @property
    def room(self) -> int:
        return self.width - _link_bytes(self.tags)


def _link_bytes(tags: int) -> int:
    return 14 + 4 * tags


def _groups(mix: Mix) -> Iterator[_Group]:
    for kind in _KINDS[mix]:
        for tags, tags_share in _TAGS[mix].items():
            for size, size_share in _SIZES[mix].items():
                width = max(size if kind.grows else 0, _LEAST_FRAME, _link_bytes(tags) + kind.least)
                yield _Group(kind, tags, width, kind.share * tags_share * size_share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Many frames of one length, and their places among all packets."""

    places: Numbers
    rows: Rows


class Traffic:
    """The packets of one mix; the same seed and number give the same bytes."""

    def __init__(self, mix: Mix, *, packets: int, seed: int = 1) -> None:
        self._mix = mix
        self._seed = seed
        self._groups = list(_groups(mix))
        random = np.random.default_rng([seed, 0])
        shares = np.array([group.share for group in self._groups])
        self._group_of = random.choice(len(self._groups), packets, p=shares / shares.sum())
        self.lengths: Numbers = np.array([group.width for group in self._groups])[self._group_of]
        gaps = random.exponential(_MEAN_GAP_MICROSECONDS, packets)
        self.times: Numbers = _BEGIN_SECONDS * 1_000_000 + np.cumsum(gaps).astype(np.int64)
        """Microseconds since the epoch."""

    def runs(self) -> Iterator[Run]:
        """Yield all frames, those of one length together."""
        random = np.random.default_rng([self._seed, 1])
        population = _Population(random)
        for number, group in enumerate(self._groups):
            places = np.flatnonzero(self._group_of == number)
            for first in range(0, len(places), _ROWS_AT_ONCE):
                some = places[first : first + _ROWS_AT_ONCE]
                ends = population.draw(random, len(some))
                if self._mix is Mix.UNIQUE:
                    ends = _each_alone(ends, some)
                draw = _Draw(random=random, ends=ends, payload_pool=population.payload_pool)
                packet = group.kind.build(draw, group.room if group.kind.grows else group.kind.least)
                rows = frames.ethernet(packet, ends, group.kind.ethertype, tags=group.tags, width=group.width)
                yield Run(places=some, rows=rows)


class _Population:
    """Hosts, and which of them talk to each other."""

    def __init__(self, random: np.random.Generator) -> None:
        self._ipv4 = _ipv4_hosts(random)
        self._ipv6 = _ipv6_hosts(random)
        self._macs = _unicast_macs(random)
        self.payload_pool = _payload_pool(random)
        weights = np.arange(1, _CONVERSATIONS + 1) ** -_ZIPF_EXPONENT
        self._cumulated = np.cumsum(weights / weights.sum())
        self._ends4 = random.integers(0, len(self._ipv4), (2, _CONVERSATIONS))
        self._ends6 = random.integers(0, len(self._ipv6), (2, _CONVERSATIONS))
        ports = random.choice(np.array([80, 443, 53, 22, 8443, 123, 5060]), _CONVERSATIONS)
        self._ports = np.stack([random.integers(1024, 65535, _CONVERSATIONS), ports])

    def draw(self, random: np.random.Generator, count: int) -> Ends:
        """Draw packets of conversations, in either direction."""
        found = np.searchsorted(self._cumulated, random.random(count)).clip(0, _CONVERSATIONS - 1)
        way = random.integers(0, 2, count)
        one4, two4 = self._ends4[way, found], self._ends4[1 - way, found]
        one6, two6 = self._ends6[way, found], self._ends6[1 - way, found]
        return Ends(
            macs=(self._macs[one4 % _MACS], self._macs[two4 % _MACS]),
            ipv4=(self._ipv4[one4], self._ipv4[two4]),
            ipv6=(self._ipv6[one6], self._ipv6[two6]),
            ports=(self._ports[way, found], self._ports[1 - way, found]),
        )


def _each_alone(ends: Ends, places: Numbers) -> Ends:
    """Give each packet a source of its own, below 128.0.0.0/2."""
    unique = (0x80000000 + (places * 0x2545F491) % (1 << 30)).astype(np.int64)
    return Ends(macs=ends.macs, ipv4=(frames.in_bytes(unique, 4), ends.ipv4[1]), ipv6=ends.ipv6, ports=ends.ports)


def _ipv4_hosts(random: np.random.Generator) -> Rows:
    """Return two private networks of many subnets, and the hosts of 600 networks elsewhere."""
    private = _IPV4_HOSTS // 5
    office = (10 << 24) + random.integers(0, 8 << 16, private)
    home = (192 << 24) + (168 << 16) + random.integers(0, 20 << 8, private)
    networks = random.integers(11 << 8, 126 << 8, 600) << 16
    elsewhere = random.choice(networks, _IPV4_HOSTS - 2 * private) + random.integers(
        1, 65535, _IPV4_HOSTS - 2 * private
    )
    return frames.in_bytes(random.permutation(np.concatenate([office, home, elsewhere])), 4)


def _ipv6_hosts(random: np.random.Generator) -> Rows:
    """Return hosts of 50 networks; a quarter of them has interface ids made from MAC addresses."""
    rows = np.empty((_IPV6_HOSTS, 16), np.uint8)
    networks = random.integers(0, 256, (50, 4), dtype=np.uint8)
    rows[:, :4] = (0x20, 0x01, 0x0D, 0xB8)
    rows[:, 4:8] = networks[random.integers(0, 50, _IPV6_HOSTS)]
    rows[:, 8:] = random.integers(0, 256, (_IPV6_HOSTS, 8), dtype=np.uint8)
    rows[: _IPV6_HOSTS // 4, 11:13] = (0xFF, 0xFE)
    return rows


def _unicast_macs(random: np.random.Generator) -> Rows:
    rows = random.integers(0, 256, (_MACS, 6), dtype=np.uint8)
    vendors = random.integers(0, 256, (12, 3), dtype=np.uint8)
    rows[:, :3] = vendors[random.integers(0, 12, _MACS)]
    rows[:, 0] &= 0xFC
    return rows


def _payload_pool(random: np.random.Generator) -> Rows:
    text = b"GET /report?id=12 HTTP/1.1\r\nHost: www.example.org\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    half = _PAYLOAD_BYTES // 2
    repeated = np.frombuffer(text * (half // len(text) + 1), np.uint8)[:half]
    noise: npt.NDArray[np.uint8] = random.integers(0, 256, half, dtype=np.uint8)
    return np.concatenate([repeated, noise])
