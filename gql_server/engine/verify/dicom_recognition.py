"""How a stream that carries DICOM begins."""

from typing import Final

_REQUEST: Final = 1
_ACCEPT: Final = 2
_REJECT: Final = 3
_DATA: Final = 4
_FIXED: Final = 74
_APPLICATION_CONTEXT: Final = 0x10
_LONGEST: Final = 1 << 20
_COMMAND: Final = b"\0\0\0\0\4\0\0\0"
"""Command Group Length, with which every command set begins (PS3.7 §6.3.1)."""
ENOUGH: Final = 80
"""Bytes that tell."""


def begins_dicom(start: bytes) -> bool:
    """Say whether a stream begins with a PDU of an association (PS3.8 §9.3)."""
    if len(start) < 10 or start[1] != 0:  # noqa: PLR2004  # the shortest PDU
        return False
    kind, length = start[0], int.from_bytes(start[2:6], "big")
    if kind in (_REQUEST, _ACCEPT):
        context = start[_FIXED : _FIXED + 1]
        return (
            _FIXED - 6 <= length <= _LONGEST and start[7] & 1 == 1 and context in (b"", bytes([_APPLICATION_CONTEXT]))
        )
    if kind == _REJECT:
        return length == 4 and start[7] in (1, 2) and start[8] in (1, 2, 3) and len(start) == 10  # noqa: PLR2004  # PS3.8 §9.3.4
    return kind == _DATA and holds_command(start)


def holds_command(data: bytes) -> bool:
    """Say whether a PDV with the beginning of a command set stands here, at whatever place."""
    at = data.find(_COMMAND)
    while at >= 0:
        if at >= 12:  # noqa: PLR2004  # headers of PDU and PDV
            pdu, pdv = int.from_bytes(data[at - 10 : at - 6], "big"), int.from_bytes(data[at - 6 : at - 2], "big")
            fits = len(_COMMAND) < pdv <= pdu - 4
            if data[at - 12 : at - 10] == b"\4\0" and fits and data[at - 2] & 1 and data[at - 1] & 1:
                return True
        at = data.find(_COMMAND, at + 1)
    return False
