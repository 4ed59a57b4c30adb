"""Command sets: which message it is, and whether a data set follows.

PS3.7 §9.3, §10.3, Annex E.
"""

from typing import Final, NamedTuple

from gql_server.engine.dicom.data_sets import DataSet
from gql_server.engine.dicom.elements import AT, KIND, LENGTH, TAG, VALUE

_COMMAND_FIELD: Final = 0x00000100
_DATA_SET_TYPE: Final = 0x00000800
_NO_DATA_SET: Final = 0x0101
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


def command_facts(command: DataSet) -> CommandFacts:
    """Return what a command set says."""
    name, has_data_set = UNKNOWN_COMMAND, None
    for row in command.elements.tolist():
        if row[KIND] == VALUE and row[LENGTH] == 2:  # noqa: PLR2004  # bytes of a number
            if row[TAG] == _COMMAND_FIELD:
                name = NAMES.get(_number(command, row[AT]), UNKNOWN_COMMAND)
            elif row[TAG] == _DATA_SET_TYPE:
                has_data_set = _number(command, row[AT]) != _NO_DATA_SET
    return CommandFacts(name, has_data_set)


def _number(command: DataSet, at: int) -> int:
    return int(command.values[at]) | int(command.values[at + 1]) << 8
