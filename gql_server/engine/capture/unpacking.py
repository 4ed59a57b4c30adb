"""How far a wrapped file may unpack."""

from dataclasses import dataclass

from gql_server.domain.errors import CompressionBomb

ALWAYS_ALLOWED_BYTES = 1 << 20
"""So much may come out of any file: a small capture of zeros packs very well and harms nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackingLimit:
    """The most a file may unpack to."""

    unpacked_bytes: int
    ratio: int
    """Unpacked bytes for each byte of the file."""

    def check(self, unpacked: int, size: int, position: int) -> None:
        """Refuse what has unpacked too far.

        Raises:
            CompressionBomb: over the limit of bytes, or over the ratio.
        """
        allowed = min(self.unpacked_bytes, max(self.ratio * size, ALWAYS_ALLOWED_BYTES))
        if unpacked > allowed:
            raise CompressionBomb(offset=position, limit_bytes=self.unpacked_bytes, ratio=self.ratio)
