"""Captures for journeys, made from the one that ships."""

import gzip
import struct
from pathlib import Path

HOSPITAL = Path(__file__).resolve().parents[2] / "gql_server" / "demo_capture" / "hospital.pcap"
FILE_HEADER = 24
RECORD_HEADER = 16


def hospital() -> bytes:
    """The capture that ships: little-endian pcap, microseconds, Ethernet."""
    return HOSPITAL.read_bytes()


def repeated(times: int) -> bytes:
    """The same packets many times over."""
    body = hospital()
    return body[:FILE_HEADER] + body[FILE_HEADER:] * times


def empty() -> bytes:
    """A capture without packets."""
    return hospital()[:FILE_HEADER]


def cut() -> tuple[bytes, int]:
    """A capture that ends inside its last record, and where that record begins."""
    last = record_offsets(hospital())[-1]
    return hospital()[: last + RECORD_HEADER + 5], last


def with_record_length(declared: int) -> tuple[bytes, int]:
    """A capture whose third record declares a length, and where that record begins."""
    body, offset = bytearray(hospital()), record_offsets(hospital())[2]
    struct.pack_into("<II", body, offset + 8, declared, declared)
    return bytes(body), offset


def with_link_type(number: int) -> bytes:
    """A capture of another link type."""
    body = bytearray(hospital())
    struct.pack_into("<I", body, 20, number)
    return bytes(body)


def bomb() -> bytes:
    """A small file that unpacks to a capture of 200 MB of nothing."""
    record = struct.pack("<IIII", 0, 0, 60_000, 60_000) + bytes(60_000)
    return gzip.compress(empty() + record * 3500, compresslevel=9)


def record_offsets(body: bytes) -> list[int]:
    """Where each record of a little-endian pcap begins."""
    offsets, at = [], FILE_HEADER
    while at < len(body):
        offsets.append(at)
        at += RECORD_HEADER + struct.unpack_from("<I", body, at + 8)[0]
    return offsets


def records(body: bytes) -> list[tuple[bytes, bytes]]:
    """Header and bytes of each record of a little-endian pcap."""
    found = []
    for offset in record_offsets(body):
        length = struct.unpack_from("<I", body, offset + 8)[0]
        start = offset + RECORD_HEADER
        found.append((body[offset:start], body[start : start + length]))
    return found
