"""What engine tests share: bytes as a source, and maps whose laws are plain."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gql_server.domain.anonymization import (
    AddressMapping,
    AnonymizationReport,
    MacMapping,
    NamePolicy,
    NicPolicy,
    PayloadPolicy,
)
from gql_server.domain.traces import CaptureSummary
from gql_server.engine.addresses.anonymizing import anonymize, transform_macs
from gql_server.engine.addresses.rewriter import Addresses, Rewriter
from gql_server.engine.capture.records import SIMPLE_HEADER
from gql_server.engine.capture.windows import CaptureWindows, Window
from gql_server.engine.inspect.inspecting import inspect
from gql_server.engine.inspect.summary import Summarizer
from gql_server.engine.tasks import Anonymized, AnonymizeTask, Inspected, InspectTask, Progressed, TransformMacsTask

KEY = bytes(range(32))
Words = npt.NDArray[np.uint64]


@dataclass
class BytesSource:
    """Bytes in memory, given out a few at a time."""

    data: bytes
    piece: int = 1 << 30
    position: int = 0
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = len(self.data)

    def read_into(self, window: memoryview) -> int:
        count = min(len(window), self.piece, self.size - self.position)
        window[:count] = self.data[self.position : self.position + count]
        self.position += count
        return count

    def close(self) -> None:
        pass


class Identity:
    def ipv4(self, addresses: Words) -> Words:
        return addresses

    ipv6 = mac = ipv4


class Involution:
    """Maps each address to another and that one back."""

    def ipv4(self, addresses: Words) -> Words:
        return addresses ^ np.uint64(0xA5C3F10B)

    def ipv6(self, addresses: Words) -> Words:
        return addresses ^ np.array([0x1122334455667788, 0x99AABBCCDDEEFF01], np.uint64)

    def mac(self, addresses: Words) -> Words:
        return addresses ^ np.uint64(0x0A1B2C3D4E5F)


def rewrite_packet(
    packet: bytes,
    addresses: Addresses,
    *,
    link_type: int = 1,
    payload: PayloadPolicy = PayloadPolicy.KEEP,
    names: NamePolicy = NamePolicy.KEEP,
    reverse_names: bool = True,
) -> tuple[bytes, AnonymizationReport]:
    """Rewrite one packet that is all the memory there is: a byte read beyond it is out of bounds.

    As a packet of a simple packet block, since there is nothing around it that could tell another length.
    """
    rewriter = Rewriter(addresses, payload=payload, names=names, reverse_names=reverse_names)
    buffer = np.frombuffer(packet, np.uint8).copy()
    records = np.array([0, len(packet), link_type, 0, SIMPLE_HEADER], np.int64)
    window = Window(buffer=buffer, begin=0, end=len(packet), records=records, count=1, first_packet=0, base=0)
    rewriter.rewrite(window)
    return buffer.tobytes(), rewriter.report(1, 0)


def summarize(data: bytes, *, piece: int = 1 << 30, window: int = 1 << 20, strip: bool = False) -> CaptureSummary:
    windows = CaptureWindows(BytesSource(data, piece), strip=strip, window_bytes=window)
    summarizer = Summarizer()
    for one in windows:
        summarizer.add(one.data)
    return summarizer.summary(windows)


def rewrite_capture(
    capture: bytes,
    addresses: Addresses,
    *,
    payload: PayloadPolicy = PayloadPolicy.KEEP,
    names: NamePolicy = NamePolicy.KEEP,
) -> bytes:
    """Rewrite a capture in memory."""
    rewriter = Rewriter(addresses, payload=payload, names=names)
    windows = CaptureWindows(BytesSource(capture), strip=True)
    out = b""
    for window in windows:
        rewriter.rewrite(window)
        out += bytes(window.data)
    return out


def _ignore(progressed: Progressed) -> None:
    assert progressed.packets >= 0


def inspect_file(source: Path, output: Path, *, limit: int = 1 << 30, ratio: int = 100) -> Inspected:
    """Run the inspect task on a file."""
    output.mkdir(exist_ok=True)
    task = InspectTask(
        source=source, output_directory=output, unpacked_limit_bytes=limit, unpacked_ratio=ratio, memory_bytes=1
    )
    return inspect(task, _ignore)


def transform_file(
    source: Path, output: Path, rules: tuple[tuple[str, str], ...], nic: NicPolicy = NicPolicy.KEEP
) -> Anonymized:
    """Run the MAC transformation on a file."""
    output.mkdir(exist_ok=True)
    task = TransformMacsTask(source=source, output_directory=output, nic=nic, rules=rules, key=KEY, memory_bytes=1)
    return transform_macs(task, _ignore)


def anonymize_file(
    source: Path,
    output: Path,
    rules: tuple[tuple[str, str], ...] = (),
    mac_mapping: MacMapping = MacMapping.PERMUTATION,
) -> Anonymized:
    """Run the anonymize task on a file."""
    output.mkdir(exist_ok=True)
    task = AnonymizeTask(
        source=source,
        output_directory=output,
        mapping=AddressMapping.IPCRYPT_PFX,
        mac_mapping=mac_mapping,
        rules=rules,
        key=KEY,
        memory_bytes=1,
    )
    return anonymize(task, _ignore)
