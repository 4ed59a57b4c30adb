"""What becomes of the fields of association PDUs.

PS3.8 §9.3, PS3.7 Annex D. AE titles have the pseudonyms of devices, as station names do. A user's name has one if it
is short text; passcodes, tickets and the server's answer to them become zero. UIDs are mapped by value, so that those
of the standard stay. The implementation's class UID and version name tell which product in which version a hospital
runs, a fingerprint of its devices: the UID has a pseudonym and the version name becomes x, unless device identity is
retained.
"""

from typing import Final

from gql_server.domain.dicom import DicomAction, DicomParameters, OverrideAction
from gql_server.engine.dicom.overrides import Chosen, padded
from gql_server.engine.dicom.replacing import Replacing
from gql_server.engine.dicom.values import is_allowed

KEYWORDS: Final = {"CALLING_AE": "CallingAETitle", "CALLED_AE": "CalledAETitle", "USER_NAME": "UserIdentity"}
"""Fields that a preview shows, by their kind."""
VRS: Final = {"CALLING_AE": "AE", "CALLED_AE": "AE", "USER_NAME": "UC"}
_LONGEST_NAME: Final = 64
_REMEMBERED: Final = 10_000
"""Fields whose replacement is kept."""
_UTF_8: Final = b"ISO_IR 192"
_SMALL: Final = 0x10
_IMPLEMENTATION: Final = "IMPLEMENTATION_UID"


class AssociationFields:
    """Replaces fields, each by one as long."""

    def __init__(self, parameters: DicomParameters, replacing: Replacing) -> None:
        self._parameters, self._replacing = parameters, replacing
        self._remembered: dict[tuple[str, bytes], tuple[bytes, DicomAction]] = {}

    def replaced(self, kind: str, value: bytes) -> tuple[bytes, DicomAction]:
        """Return what a field becomes; kinds that are not known here become zero.

        Raises:
            UidCollision: two UIDs would share a pseudonym.
        """
        # Most associations of a network say the same.
        known = self._remembered.get((kind, value))
        if known is None:
            known = self._replace(kind, value)
            if len(self._remembered) < _REMEMBERED:
                self._remembered[kind, value] = known
        return known

    def _replace(self, kind: str, value: bytes) -> tuple[bytes, DicomAction]:
        if not value.strip(b" \0"):
            return value, DicomAction.EMPTY
        found = self._found(kind, value)
        if found is None:
            return (b" " if kind in {"CALLING_AE", "CALLED_AE"} else b"\0") * len(value), (DicomAction.BLANKED)
        return found, DicomAction.KEPT if found == value else DicomAction.REPLACED

    def _found(self, kind: str, value: bytes) -> bytes | None:
        match kind:
            case "CALLING_AE" | "CALLED_AE":
                return self._replacing.devices.pseudonym(value, b"")
            case "UID" | "IMPLEMENTATION_UID":
                return self._uid(kind, value)
            case "VERSION_NAME":
                # Spaces alone are no version name (PS3.7 §D.3.3.2.3).
                kept = self._parameters.retain_device and is_allowed("AE", value, 1)
                return value if kept else b"x" * len(value)
            case "USER_NAME":
                short = len(value) <= _LONGEST_NAME
                return self._replacing.identifiers.pseudonym(value, _UTF_8) if short else None
            case "EXTENDED" if max(value) < _SMALL:
                return value
        return None

    def _uid(self, kind: str, value: bytes) -> bytes | None:
        kept = self._parameters.retain_uids or (self._parameters.retain_device and kind == _IMPLEMENTATION)
        if kept:
            return value if is_allowed("UI", value, 1) else None
        return self._replacing.uids.pseudonym(value)


def override_field(chosen: Chosen, kind: str, value: bytes) -> bytes:
    """Return what a person wants of a field.

    Raises:
        OverrideMalformed: its value is not what an AE title may be.
        OverrideTooLong: it has more bytes than it replaces.
    """
    if chosen.override.action is OverrideAction.KEEP:
        return value
    return padded(chosen, len(value), _UTF_8, vr=VRS[kind], most_values=1, fill=ord(" "))
