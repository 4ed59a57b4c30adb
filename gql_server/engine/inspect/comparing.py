"""Puts a packet beside the one it came from."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Final

import numpy as np

from gql_server.domain.packets import ByteRange, DissectedPacket, FieldChange, PacketComparison
from gql_server.engine.inspect.dissecting import dissect_packet
from gql_server.engine.inspect.locating import LocatedPacket, locate_packets
from gql_server.engine.tasks import Compared, CompareTask

CHANGES_MOST: Final = 500
RANGES_MOST: Final = 2000


def compare(task: CompareTask) -> Compared:
    """Carry out a compare task; a number beyond the capture gives no comparison.

    Raises:
        CaptureError: a file is not what it was when it was stored.
    """
    before, after = (
        locate_packets(path, first=task.number - 1, last=task.number) for path in (task.origin, task.source)
    )
    if not before or not after:
        return Compared(comparison=None)
    return Compared(comparison=compare_packets(before[0], after[0], data_bytes=task.data_bytes))


def compare_packets(before: LocatedPacket, after: LocatedPacket, *, data_bytes: int) -> PacketComparison:
    """Compare two packets, by their bytes and by what they mean."""
    shown = [dissect_packet(packet, data_bytes=data_bytes) for packet in (before, after)]
    fields = tuple(changed_fields(*shown))
    ranges = changed_ranges(before.data, after.data)
    return PacketComparison(
        before=shown[0],
        after=shown[1],
        fields=fields[:CHANGES_MOST],
        ranges=tuple(ranges[:RANGES_MOST]),
        is_complete=len(fields) <= CHANGES_MOST and len(ranges) <= RANGES_MOST,
    )


def changed_fields(before: DissectedPacket, after: DissectedPacket) -> Iterator[FieldChange]:
    """Give out the fields that differ; a layer that became another is gone, and the other is new."""
    for number, (old, new) in enumerate(zip_longest(before.layers, after.layers)):
        same = old is not None and new is not None and old.name == new.name
        for layers in [(old, new)] if same else [(old, None), (None, new)]:
            name = next((layer.name for layer in layers if layer is not None), None)
            values = [{} if layer is None else {field.name: field.value for field in layer.fields} for layer in layers]
            for field in dict.fromkeys([*values[0], *values[1]]):
                was, is_ = values[0].get(field), values[1].get(field)
                if was != is_:
                    yield FieldChange(path=f"{number}.{name}.{field}", before=was, after=is_)


def changed_ranges(before: bytes, after: bytes) -> list[ByteRange]:
    """Return the ranges of bytes that differ; what only one packet has differs."""
    longest = max(len(before), len(after))
    differs = np.ones(longest, np.bool_)
    shorter = min(len(before), len(after))
    differs[:shorter] = np.frombuffer(before, np.uint8, shorter) != np.frombuffer(after, np.uint8, shorter)
    edges = np.flatnonzero(np.diff(differs, prepend=False, append=False)).reshape(-1, 2)
    return [ByteRange(offset=start, length=stop - start) for start, stop in edges[: RANGES_MOST + 1].tolist()]
