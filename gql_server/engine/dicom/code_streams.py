"""Comments inside code streams of JPEG, JPEG-LS and JPEG 2000.

Encoders and converters leave file names, programs and sometimes patients in COM and APPn segments (ITU-T T.81 §B.2.4)
and in COM segments of JPEG 2000 (ITU-T T.800 §A.9.2). Their bodies become zero, their lengths stay, so that an image
decodes as before; so does whatever stands behind the end of an image. Segments that decoders need stay: JFIF without
a picture, Adobe's and SPIFF's colour transforms. Video and RLE have no comments that are looked for.
"""

from typing import Final, Protocol

_JPEG: Final = b"\xff\xd8"
_JPEG_2000: Final = b"\xff\x4f"
_BOXES: Final = b"\0\0\0\x0cjP  "
_CODE_STREAM_BOX: Final = b"jp2c"
_CHUNK: Final = 1 << 16
_MARKER: Final = 0xFF
_COM: Final = 0xFE
_EOI: Final = 0xD9
_SOS: Final = 0xDA
_APPLICATIONS: Final = range(0xE0, 0xF0)
_WITHOUT_BODY: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_LS_FRAME: Final = 0xF7
_STUFFED: Final = 0x80
_J2K_COM: Final = 0x64
_J2K_SOT: Final = 0x90
_J2K_SOD: Final = 0x93
_NEEDED: Final = {0xE0: {b"JFIF\0": 16}, 0xE8: {b"SPIFF\0": 34, b"mrfx": 9}, 0xEE: {b"Adobe": 14}}
"""Application segments that say how to decode, with their lengths."""


class Frame(Protocol):
    """The bytes of one compressed image, wherever they are."""

    length: int

    def read(self, at: int, count: int) -> bytes:
        """Return bytes, fewer at the end."""

    def zero(self, at: int, count: int) -> None:
        """Overwrite bytes with zeros."""


def begins_image(start: bytes) -> bool:
    """Tell whether a fragment begins an image of a kind that is cleaned."""
    return start.startswith((_JPEG, _JPEG_2000, _BOXES))


def clean(frame: Frame) -> int:
    """Zero the comments of an image; return how many there were."""
    start = frame.read(0, len(_BOXES))
    if start.startswith(_JPEG):
        return _clean_jpeg(frame)
    if start.startswith(_JPEG_2000):
        return _clean_jpeg_2000(frame, 2)
    return _clean_boxes(frame) if start == _BOXES else 0


def _clean_jpeg(frame: Frame) -> int:
    at, cleaned, is_lossless_ls = 2, 0, False
    while at + 2 <= frame.length:
        head = frame.read(at, 4)
        marker = head[1]
        if head[0] != _MARKER:
            return cleaned + _zero_rest(frame, at)
        if marker == _MARKER:
            at += 1
        elif marker == _EOI:
            return cleaned + _zero_rest(frame, at + 2)
        elif marker in _WITHOUT_BODY:
            at += 2
        else:
            length = max(int.from_bytes(head[2:4], "big"), 2)
            if _is_comment(frame, marker, at, length):
                frame.zero(at + 4, min(length - 2, frame.length - at - 4))
                cleaned += 1
            is_lossless_ls |= marker == _JPEG_LS_FRAME
            at += 2 + length
            if marker == _SOS:
                at = _after_scan(frame, at, is_ls=is_lossless_ls)
    return cleaned


def _is_comment(frame: Frame, marker: int, at: int, length: int) -> bool:
    if marker not in _APPLICATIONS:
        return marker == _COM
    needed = _NEEDED.get(marker, {})
    body = frame.read(at + 4, 6)
    return not any(body.startswith(name) and length == expected for name, expected in needed.items())


def _after_scan(frame: Frame, at: int, *, is_ls: bool) -> int:
    """Return where the next marker is behind entropy-coded data."""
    while at < frame.length:
        chunk = frame.read(at, _CHUNK)
        place = chunk.find(b"\xff")
        while 0 <= place < len(chunk) - 1:
            follower = chunk[place + 1]
            is_data = follower < _STUFFED if is_ls else follower == 0
            if not is_data and follower not in _WITHOUT_BODY:
                return at + place
            place = chunk.find(b"\xff", place + 1)
        # A marker may begin with the last byte of a chunk.
        at += len(chunk) - 1 if len(chunk) == _CHUNK else len(chunk)
    return frame.length


def _zero_rest(frame: Frame, at: int) -> int:
    """Zero what stands behind an image; tell whether there was more than padding."""
    if at >= frame.length or not any(any(frame.read(place, _CHUNK)) for place in range(at, frame.length, _CHUNK)):
        return 0
    frame.zero(at, frame.length - at)
    return 1


def _clean_jpeg_2000(frame: Frame, at: int) -> int:
    cleaned, tile_end = 0, 0
    while at + 2 <= frame.length:
        head = frame.read(at, 12)
        marker = head[1]
        if head[0] != _MARKER:
            return cleaned + _zero_rest(frame, at)
        if marker == _EOI:
            return cleaned + _zero_rest(frame, at + 2)
        if marker == _J2K_SOD:
            at = tile_end
            continue
        length = max(int.from_bytes(head[2:4], "big"), 2)
        if marker == _J2K_SOT:
            part = int.from_bytes(head[6:10], "big")
            tile_end = max(at + part, at + 14) if part else frame.length
        elif marker == _J2K_COM:
            frame.zero(at + 4, min(length - 2, frame.length - at - 4))
            cleaned += 1
        at += 2 + length
    return cleaned


class _Part:
    """What of a frame begins at some place."""

    def __init__(self, frame: Frame, at: int, length: int) -> None:
        self._frame, self._at, self.length = frame, at, length

    def read(self, at: int, count: int) -> bytes:
        return self._frame.read(self._at + at, min(count, self.length - at))

    def zero(self, at: int, count: int) -> None:
        self._frame.zero(self._at + at, count)


def _clean_boxes(frame: Frame) -> int:
    """Clean a JP2 file, which has no place in DICOM but is met (ITU-T T.800 annex I)."""
    at, cleaned = 0, 0
    while at + 8 <= frame.length:
        head = frame.read(at, 8)
        length = int.from_bytes(head[:4], "big") or frame.length - at
        if length < 8 or at + length > frame.length:  # noqa: PLR2004  # a box has a head
            break
        if head[4:] == _CODE_STREAM_BOX:
            cleaned += _clean_jpeg_2000(_Part(frame, at + 8, length - 8), 2)
        elif head[4:] not in {b"jP  ", b"ftyp", b"jp2h"}:
            frame.zero(at + 8, length - 8)
            cleaned += 1
        at += length
    return cleaned + _zero_rest(frame, at)
