"""Command sets: which message, and whether data follow.

PS3.7 §9.3, §10.3, Annex E.
"""

from typing import Final, NamedTuple

from gql_server.engine.compilation import Bytes, State, entry
from gql_server.engine.dicom.data_sets import DataSet
from gql_server.engine.dicom.elements import AT, ELEMENT_COLUMNS, KIND, LENGTH, TAG, VALUE
from gql_server.engine.memory import load8, pointer

_COMMAND_FIELD: Final = 0x00000100
_DATA_SET_TYPE: Final = 0x00000800
_NO_DATA_SET: Final = 0x0101
_NUMBER_BYTES: Final = 2
_RESPONSE: Final = 0x8000
_CANCEL: Final = 0x0FFF

UNKNOWN_COMMAND: Final = "UNKNOWN"
NO_COMMAND: Final = "NO-COMMAND"
"""A data set whose command set was not captured, or not read."""
_SERVICES: Final = {
    0x0001: "C-STORE",
    0x0010: "C-GET",
    0x0020: "C-FIND",
    0x0021: "C-MOVE",
    0x0030: "C-ECHO",
    0x0100: "N-EVENT-REPORT",
    0x0110: "N-GET",
    0x0120: "N-SET",
    0x0130: "N-ACTION",
    0x0140: "N-CREATE",
    0x0150: "N-DELETE",
}
NAMES: Final = (
    {number: f"{name}-RQ" for number, name in _SERVICES.items()}
    | {number | _RESPONSE: f"{name}-RSP" for number, name in _SERVICES.items()}
    | {_CANCEL: "C-CANCEL-RQ"}
)
"""Messages by their Command Field (0000,0100)."""


class CommandFacts(NamedTuple):
    """What the reading of a message needs of its command set."""

    name: str
    has_data_set: bool | None
    """None if the command set does not say."""


@entry
def _numbers(values: Bytes, rows: State) -> tuple[int, int]:
    """Return Command Field and Command Data Set Type, -1 for what is not there."""
    b, r = pointer(values), pointer(rows)
    field, kind = -1, -1
    for i in range(0, len(rows), ELEMENT_COLUMNS):
        if r[i + KIND] == VALUE and r[i + LENGTH] == _NUMBER_BYTES:
            at = r[i + AT]
            if r[i + TAG] == _COMMAND_FIELD:
                field = load8(b, at) | load8(b, at + 1) << 8
            elif r[i + TAG] == _DATA_SET_TYPE:
                kind = load8(b, at) | load8(b, at + 1) << 8
    return field, kind


def command_facts(command: DataSet) -> CommandFacts:
    """Return what a command set says."""
    field, kind = _numbers(command.values, command.elements.reshape(-1))
    return CommandFacts(NAMES.get(field, UNKNOWN_COMMAND), None if kind < 0 else kind != _NO_DATA_SET)
