"""What stands in for a value that needs thought.

It is always as long as the value. A treatment that does not understand its value fills it: nothing is kept for want
of understanding.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final, NamedTuple

from pydicom._private_dict import private_dictionaries
from pydicom.charset import python_encoding

from gql_server.domain.dicom import DicomAction, DicomParameters
from gql_server.engine.dicom.actions import Decision, Treatment
from gql_server.engine.dicom.alphabets import Alphabets
from gql_server.engine.dicom.coded_entries import CodedEntries, CodedEntry
from gql_server.engine.dicom.dates import DateShift, dummy, is_offset
from gql_server.engine.dicom.descriptors import Descriptors
from gql_server.engine.dicom.identifiers import Identifiers
from gql_server.engine.dicom.person_names import PersonNames
from gql_server.engine.dicom.uids import Uids
from gql_server.engine.dicom.values import is_allowed

_DUMMY_TEXT: Final = b"ANON"
_DUMMY_AGE: Final = b"000Y"
_TERMS: Final = frozenset(term.encode() for term in python_encoding) | {b"ISO_IR 203", b"ISO 2022 IR 203"}


class Context(NamedTuple):
    """What of its data set a value is read with."""

    declared: bytes
    """The value of SpecificCharacterSet in force."""
    entry: CodedEntry
    names: AbstractSet[str]


class Replacement(NamedTuple):
    """What a value becomes."""

    value: bytes
    action: DicomAction
    is_valid: bool
    """False for a value that would have stayed, but is not what its VR and VM allow."""


class Replacing:
    """Replacements under one key and one set of parameters."""

    def __init__(self, parameters: DicomParameters, key: bytes) -> None:
        alphabets = Alphabets()
        self._parameters = parameters
        self.uids = Uids(key)
        self.names = PersonNames(key, alphabets)
        self.identifiers = Identifiers(key, "identifiers", alphabets)
        self.devices = Identifiers(key, "devices", alphabets)
        self.dates = DateShift(key)
        self._descriptors = Descriptors()
        self._entries = CodedEntries()

    def replacement(self, decision: Decision, value: bytes, context: Context) -> Replacement:
        """Return what a value becomes.

        Raises:
            UidCollision: two UIDs would share a pseudonym.
        """
        if not value.strip(b" \0"):
            return Replacement(value, DicomAction.EMPTY, is_valid=True)
        found = self._treatments[decision.treatment](decision, value, context)
        if found is None:
            kept = decision.treatment in {Treatment.KEEP, Treatment.KEEP_OFFSET}
            return Replacement(bytes([decision.fill]) * len(value), decision.filled, not kept)
        assert len(found.value) == len(value)
        return found

    @cached_property
    def _treatments(self) -> dict[Treatment, Callable[[Decision, bytes, Context], Replacement | None]]:
        return {
            Treatment.UID: self._uid,
            Treatment.NAME: lambda _, value, context: _replaced(self.names.pseudonym(value, context.declared)),
            Treatment.IDENTIFIER: lambda _, value, context: _replaced(
                self.identifiers.pseudonym(value, context.declared)
            ),
            Treatment.DEVICE: lambda _, value, context: _replaced(self.devices.pseudonym(value, context.declared)),
            Treatment.DUMMY: lambda decision, value, _: _acted(_dummy_text(decision.vr, value), DicomAction.DUMMY),
            Treatment.DUMMY_MOMENT: lambda decision, value, _: _acted(dummy(decision.vr, value), DicomAction.DUMMY),
            Treatment.SHIFT: self._shifted,
            Treatment.KEEP: lambda decision, value, _: _kept(
                value, is_good=is_allowed(decision.vr, value, decision.most_values)
            ),
            Treatment.KEEP_OFFSET: lambda _, value, __: _kept(value, is_good=is_offset(value)),
            Treatment.DESCRIPTOR: self._descriptor,
            Treatment.CODE_VALUE: lambda _, value, context: _kept(
                value, is_good=self._entries.keeps_code(context.entry, value)
            ),
            Treatment.CODE_SCHEME: lambda _, value, __: _kept(value, is_good=self._entries.is_standard(value)),
            Treatment.CODE_MEANING: self._meaning,
            Treatment.CHARACTER_SET: lambda _, value, __: _kept(value, is_good=_are_terms(value)),
            Treatment.CREATOR: lambda _, value, __: _kept(value, is_good=_is_known_creator(value)),
        }

    def _uid(self, _: Decision, value: bytes, __: Context) -> Replacement | None:
        if self._parameters.retain_uids:
            return _kept(value, is_good=is_allowed("UI", value, 0))
        pseudonym = self.uids.pseudonym(value)
        return _kept(value, is_good=True) if pseudonym == value else _replaced(pseudonym)

    def _shifted(self, decision: Decision, value: bytes, _: Context) -> Replacement | None:
        shifted = self.dates.shifted(decision.vr, value)
        if shifted is None:
            return _acted(dummy(decision.vr, value), DicomAction.DUMMY)
        return _acted(shifted, DicomAction.SHIFTED)

    def _descriptor(self, _: Decision, value: bytes, context: Context) -> Replacement | None:
        return _acted(self._descriptors.masked(value, context.declared, context.names), DicomAction.MASKED)

    def _meaning(self, decision: Decision, value: bytes, context: Context) -> Replacement | None:
        if not self._entries.is_standard(context.entry.scheme):
            return None
        if self._entries.publishes(context.entry, value):
            return _kept(value, is_good=True)
        return self._descriptor(decision, value, context)


def _acted(value: bytes | None, action: DicomAction) -> Replacement | None:
    return Replacement(value, action, is_valid=True) if value is not None else None


def _replaced(value: bytes | None) -> Replacement | None:
    return _acted(value, DicomAction.REPLACED)


def _kept(value: bytes, *, is_good: bool) -> Replacement | None:
    return _acted(value if is_good else None, DicomAction.KEPT)


def _dummy_text(vr: str, value: bytes) -> bytes | None:
    if vr == "AS":
        return _DUMMY_AGE if len(value) == len(_DUMMY_AGE) else None
    return (_DUMMY_TEXT * (len(value) // len(_DUMMY_TEXT) + 1))[: len(value)]


def _are_terms(value: bytes) -> bool:
    return all(not term.strip() or term.strip() in _TERMS for term in value.rstrip(b"\0").split(b"\\"))


def _is_known_creator(value: bytes) -> bool:
    return value.strip(b" \0").decode("latin-1") in private_dictionaries
