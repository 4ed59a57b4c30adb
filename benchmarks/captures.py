"""Traffic written down as pcap or pcapng."""

import struct
from typing import Final

import numpy as np

from benchmarks.frames import Numbers, Rows
from benchmarks.traffic import Traffic

_SNAP_LENGTH: Final = 262144
_ETHERNET: Final = 1
_PCAP_RECORD: Final = 16
_PACKET_BLOCK: Final = 28
"""Up to the packet's bytes."""
_MILLION: Final = 1_000_000


def pcap(traffic: Traffic) -> Rows:
    """Return a little-endian pcap file with microseconds (draft-ietf-opsawg-pcap)."""
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, _SNAP_LENGTH, _ETHERNET)
    records = np.stack([traffic.times // _MILLION, traffic.times % _MILLION, traffic.lengths, traffic.lengths], axis=1)
    return _joined(traffic, header, _little(records), traffic.lengths + _PCAP_RECORD)


def pcapng(traffic: Traffic) -> Rows:
    """Return a little-endian pcapng file of one interface (draft-ietf-opsawg-pcapng)."""
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    interface = struct.pack("<IIHHII", 1, 20, _ETHERNET, 0, _SNAP_LENGTH, 20)
    sizes = _PACKET_BLOCK + (traffic.lengths + 3) // 4 * 4 + 4
    kind, face = np.full_like(sizes, 6), np.zeros_like(sizes)
    times = (traffic.times >> 32, traffic.times & 0xFFFFFFFF)
    blocks = np.stack([kind, sizes, face, *times, traffic.lengths, traffic.lengths], axis=1)
    whole = _joined(traffic, section + interface, _little(blocks), sizes)
    ends = len(section + interface) + np.cumsum(sizes)
    _put(whole, ends - 4, _little(sizes[:, None]))
    return whole


def _little(numbers: Numbers) -> Rows:
    return np.ascontiguousarray(numbers.astype("<u4")).view(np.uint8).reshape(len(numbers), -1)


def _joined(traffic: Traffic, header: bytes, heads: Rows, sizes: Numbers) -> Rows:
    """Return the file: a header, then for each packet its head, its bytes, and zeros up to its size."""
    begins = len(header) + np.concatenate([[0], np.cumsum(sizes)])
    whole = np.zeros(begins[-1], np.uint8)
    whole[: len(header)] = np.frombuffer(header, np.uint8)
    _put(whole, begins[:-1], heads)
    for run in traffic.runs():
        _put(whole, begins[run.places] + heads.shape[1], run.rows)
    return whole


def _put(whole: Rows, places: Numbers, rows: Rows) -> None:
    for column in range(0, rows.shape[1], 64):
        width = min(64, rows.shape[1] - column)
        whole[places[:, None] + np.arange(column, column + width)] = rows[:, column : column + width]
