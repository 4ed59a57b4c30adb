"""Deflated data sets: inflated, deflated to a length.

PS3.5 §A.5: the data set is a raw deflate stream (RFC 1951), and one zero byte behind it where its length was odd. Some
writers leave the end of a gzip member there, checksum and size. What is deflated anew has nothing behind it but a zero.
"""

import zlib
from collections.abc import Iterator
from typing import Final

MAX_INFLATED: Final = 64 << 20
"""No data set is inflated further: a few bytes can stand for a thousand times as many."""
_RAW: Final = -zlib.MAX_WBITS
_PADDING: Final = b"\0"
_LONGEST_TRAILER: Final = 8
_STORED: Final = b"\x00\x00\x00\xff\xff"
"""An empty stored block at a byte boundary (RFC 1951 §3.2.4)."""
_ENDS: Final = {
    2: b"\x03\x00",
    3: b"\x02\x0c\x00",
    4: b"\x02\x08\x30\x00",
    5: b"\x01\x00\x00\xff\xff",
    6: b"\x02\x04\x00\x00\xff\xff",
}
"""Ends of a stream that add nothing to what it holds, by length: empty blocks of fixed codes, and a stored one."""
_SHORTEST_END: Final = 2
_MEMORY_LEVEL: Final = 9
_LAST_BYTES: Final = 24


def inflate(data: bytes) -> bytes | None:
    """Return what a whole deflate stream holds; None if it is none, has no end, or holds more than MAX_INFLATED."""
    stream = zlib.decompressobj(_RAW)
    try:
        plain = stream.decompress(data, MAX_INFLATED)
    except zlib.error:
        return None
    return plain if stream.eof and len(stream.unused_data) <= _LONGEST_TRAILER else None


def deflate_to(plain: bytes, length: int) -> bytes | None:
    """Return a deflate stream of exactly this length that holds these bytes; None if none was found.

    A stream that is too short is filled with empty blocks.
    """
    for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY):
        for stream in _candidates(plain, length, strategy):
            if inflate(stream) == plain:
                return stream
    return None


def _candidates(plain: bytes, length: int, strategy: int) -> Iterator[bytes]:
    """Return streams of this length: one that is filled up, or ones whose last bytes are packed a little worse."""
    packer = zlib.compressobj(zlib.Z_BEST_COMPRESSION, zlib.DEFLATED, _RAW, _MEMORY_LEVEL, strategy)
    begun = max(len(plain) - _LAST_BYTES, 0)
    head = packer.compress(plain[:begun])
    synced = packer.copy()
    stream = head + synced.compress(plain[begun:]) + synced.flush(zlib.Z_SYNC_FLUSH)
    rest = length - len(stream)
    if rest >= _SHORTEST_END:
        end = 2 + (rest - 2) % 5
        yield stream + _STORED * ((rest - end) // 5) + _ENDS[end]
    for place in range(len(plain), begun - 1, -1):
        # Each block that is closed early costs some bits.
        part = packer.copy()
        stream = head + part.compress(plain[begun:place])
        for last in range(place, len(plain)):
            stream += part.flush(zlib.Z_PARTIAL_FLUSH) + part.compress(plain[last : last + 1])
        stream += part.flush()
        if length - len(stream) in {0, 1}:
            yield stream + _PADDING * (length - len(stream))
