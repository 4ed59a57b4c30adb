"""Devices: what data sets say of the machines that send them.

The device at an address is the sender of a C-STORE request, an N-CREATE request or any other data set that names one
(PS3.3 §C.7.5.1, §C.8.5.6.1).
"""

from typing import Final

import numpy as np

from gql_server.domain.dicom import DicomDevice
from gql_server.engine.dicom.character_sets import characters
from gql_server.engine.dicom.elements import AT, DEPTH, KIND, LENGTH, TAG, VALUE
from gql_server.engine.dicom.messages import DataSet

MAX_VALUES: Final = 100
"""Different values of one field that are listed for one device."""

_CHARACTER_SET: Final = 0x00080005
_FIELDS: Final = {
    0x00080070: "manufacturer",
    0x00081090: "model_name",
    0x00181000: "serial_number",
    0x00181020: "software_versions",
    0x00081010: "station_name",
    0x00185010: "transducer_data",
}
_WANTED: Final = np.array([_CHARACTER_SET, *_FIELDS], np.int64)
_BACKSLASH: Final = "\\"


class Devices:
    """Collects what is said, address by address, in the order of their first packets."""

    def __init__(self) -> None:
        self._said: dict[str, dict[str, dict[str, None]]] = {}

    def name(self, address: str, ae_title: str) -> None:
        """Take in how an association calls the machine at an address."""
        self._note(address, "ae_titles", ae_title)

    def read(self, address: str, data: DataSet) -> None:
        """Take in what a data set from this address says outside its sequences."""
        rows = data.elements
        of_device = (rows[:, DEPTH] == 0) & (rows[:, KIND] == VALUE) & np.isin(rows[:, TAG], _WANTED)
        character_set = b""
        for row in rows[of_device]:
            value = data.values[row[AT] : row[AT] + row[LENGTH]].tobytes()
            if row[TAG] == _CHARACTER_SET:
                character_set = value
                continue
            for text in _text(value, character_set).split(_BACKSLASH):
                self._note(address, _FIELDS[int(row[TAG])], text)

    def listed(self) -> tuple[DicomDevice, ...]:
        """Return every address of which something was said."""
        fields = ("ae_titles", *_FIELDS.values())
        return tuple(
            DicomDevice(address=address, **{field: tuple(said.get(field, ())) for field in fields})
            for address, said in self._said.items()
        )

    def _note(self, address: str, field: str, text: str) -> None:
        text = text.strip(" \0")
        if text:
            values = self._said.setdefault(address, {}).setdefault(field, {})
            if len(values) < MAX_VALUES:
                values[text] = None


def _text(value: bytes, character_set: bytes) -> str:
    """Decode a value; what its character set does not explain is left out."""
    return "".join(each.text for each in characters(value, character_set) or ())
