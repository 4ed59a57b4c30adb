"""The judge of values: what became of them is what must.

It takes each distinct pair of an original and what stands in its place once, as the kernels or the reading of
association PDUs show them.
"""

import re
from functools import cache
from typing import Any, Final, cast

from pydicom._dicom_dict import DicomDictionary
from pydicom._private_dict import private_dictionaries
from pydicom._uid_dict import UID_dictionary

from gql_server.domain.dicom import DatePolicy
from gql_server.domain.dicom_verification import DicomExpectation, SecretKind
from gql_server.domain.verification import VerificationReason
from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_dates import days_between, has_date, is_dummy
from gql_server.engine.verify.dicom_dictionary import IDENTIFIERS, TEXTS, VRS, is_descriptor
from gql_server.engine.verify.dicom_pairs import Pseudonyms
from gql_server.engine.verify.dicom_secrets import Secrets

_STANDARD: Final = b"1.2.840.10008."
_UID: Final = re.compile(rb"[0-9]+(\.[0-9]+)*")
_WORD: Final = re.compile(rb"[A-Za-z]{4,}")
_TOKEN: Final = re.compile(rb"[0-9A-Za-z]+")
_NAME_PARTS: Final = re.compile(rb"[\\^=\s]+")
_IMPLEMENTATION: Final = 0x00020012
_STATION_NAME: Final = 0x00081010
_HARMLESS: Final = frozenset((b"O", b"000Y", b"000D", b"000M", b"000W", b"0", b"1", b"0.0", b"NO", b"NONE"))
"""Dummies that say nothing, and stood there before."""
_PAD: Final = b" \0"


class ValueJudge:
    """Collects reasons, pseudonyms and secrets."""

    def __init__(self, expected: DicomExpectation) -> None:
        self._expected = expected
        self.reasons: set[VerificationReason] = set()
        self.pseudonyms = Pseudonyms()
        self.secrets = Secrets()
        self.days: set[int] = set()
        """By how many days dates moved."""

    def take(  # noqa: PLR0917  # a row of what the kernels show
        self, tag: int, vr: int, rule: int, outcome: int, was: bytes, now: bytes, charset: int
    ) -> None:
        """Judge a value of a data set."""
        if rule == d.CHARACTER_SET:
            self.secrets.charsets[charset] = was.strip(_PAD)
        elif rule == d.UID:
            self.uid(was, now, may_stay=tag == _IMPLEMENTATION)
        elif rule in (d.DATE, d.TIME):
            self._date(was, now, is_time=rule == d.TIME)
        elif rule == d.CREATOR:
            self._creator(was, outcome, charset)
        elif rule in (d.BULK, d.NOTHING):
            self.secrets.add(SecretKind.TEXT, was, charset)
        elif rule == d.CHANGE:
            self._change(tag, VRS[vr], was, now, charset)

    def uid(self, was: bytes, now: bytes, *, may_stay: bool = False) -> None:
        """Judge UIDs: those of the standard stay, all others become others (PS3.15 action U)."""
        olds, news = was.strip(_PAD).split(b"\\"), now.strip(_PAD).split(b"\\")
        if news == [b""]:
            news = [b""] * len(olds)
        if len(olds) != len(news):
            self.reasons.add(VerificationReason.VALUE_ALTERED)
            return
        for old, new in zip(olds, news, strict=True):
            self._one_uid(old.strip(_PAD), new.strip(_PAD), may_stay=may_stay)

    def _one_uid(self, old: bytes, new: bytes, *, may_stay: bool) -> None:
        if old.startswith(_STANDARD):
            if new not in (old, b""):
                self.reasons.add(VerificationReason.VALUE_ALTERED)
            return
        if new == old:
            if old and not may_stay and not self._expected.retain_uids:
                self.reasons.add(VerificationReason.VALUE_KEPT)
            return
        self.secrets.add(SecretKind.UID, old)
        if new and (new.startswith(_STANDARD) or not _UID.fullmatch(new)):
            self.reasons.add(VerificationReason.VALUE_ALTERED)
        elif new:
            self.pseudonyms.note("uid", old, new)

    def ae_title(self, was: bytes, now: bytes) -> None:
        """Judge the AE title of an association."""
        self._mapped("ae", SecretKind.AE_TITLE, was, now, 0)

    def credential(self, was: bytes, now: bytes) -> None:
        """Judge a user name or passcode: nothing of it may stay."""
        self.secrets.add(SecretKind.CREDENTIAL, was)
        if was.strip(_PAD):
            self.pseudonyms.meet("credential", was.strip(_PAD), stayed=was == now)

    def _date(self, was: bytes, now: bytes, *, is_time: bool) -> None:
        shifts = self._expected.dates is DatePolicy.SHIFT
        if not shifts:
            if not is_dummy(now):
                self.reasons.add(VerificationReason.VALUE_KEPT if was == now else VerificationReason.DATES_INCONSISTENT)
            elif not is_time and was != now:
                self.secrets.add(SecretKind.DATE, was)
        elif not is_time and has_date(now) and not is_dummy(now):
            moved = days_between(was, now)
            if moved is None:
                self.reasons.add(VerificationReason.DATES_INCONSISTENT)
            else:
                self.days |= moved
        elif not is_time and was == now and not is_dummy(now):
            self.reasons.add(VerificationReason.VALUE_KEPT)

    def _creator(self, was: bytes, outcome: int, charset: int) -> None:
        if was.strip(_PAD).decode("latin-1") in private_dictionaries:
            return
        self.secrets.add(SecretKind.TEXT, was, charset)
        if outcome in (d.KEPT, d.REPLACED):
            self.reasons.add(VerificationReason.VALUE_KEPT)

    def _change(self, tag: int, vr: str, was: bytes, now: bytes, charset: int) -> None:
        """Judge a value that may not stay."""
        if vr == "PN":
            self._mapped("name", SecretKind.NAME, was, now, charset)
        elif vr == "AE" or tag == _STATION_NAME:
            self._mapped("ae" if vr == "AE" else "station", SecretKind.AE_TITLE, was, now, charset)
        elif vr in ("LO", "SH") and tag in IDENTIFIERS:
            self._mapped(f"id:{tag}", SecretKind.IDENTIFIER, was, now, charset)
        elif vr in TEXTS:
            self._text(tag, was, now, charset)
        elif was == now and was.strip(_PAD) not in _HARMLESS:
            self.reasons.add(VerificationReason.VALUE_KEPT)

    def _mapped(self, space: str, kind: SecretKind, was: bytes, now: bytes, charset: int) -> None:
        """Judge a value that has a pseudonym, or is blank."""
        self.secrets.add(kind, was, charset)
        if not now.strip(_PAD):
            return
        olds = [part for part in _NAME_PARTS.split(was.strip(_PAD)) if part]
        news = [part for part in _NAME_PARTS.split(now.strip(_PAD)) if part]
        if len(olds) == len(news) and was.isascii() and now.isascii():
            for old, new in zip(olds, news, strict=True):
                if not self._is_plain(old):
                    self.pseudonyms.meet(space, old.upper(), stayed=old == new)
        elif was == now:
            self.pseudonyms.meet(space, was.strip(_PAD), stayed=True)
        values, others = was.strip(_PAD).split(b"\\"), now.strip(_PAD).split(b"\\")
        if was == now or not was.isascii() or len(values) != len(others):
            return
        for old, new in zip(values, others, strict=True):
            if old.strip(_PAD) and new.strip(_PAD):
                self.pseudonyms.note(space, old.strip(_PAD).upper(), new.strip(_PAD).upper())

    def _is_plain(self, part: bytes) -> bool:
        """Say whether nothing in a part is a letter or a digit: wildcards, hyphens."""
        return part.isascii() and not _TOKEN.search(part)

    def _text(self, tag: int, was: bytes, now: bytes, charset: int) -> None:
        """Judge text that is blanked, masked or a dummy: no word of it may stay."""
        cleaned = self._expected.clean_descriptors and is_descriptor(tag)
        stayed = _same_words(was, now)
        if cleaned:
            stayed = {word for word in stayed if word.lower() not in vocabulary()}
        if stayed or (was == now and not cleaned):
            self.reasons.add(VerificationReason.VALUE_KEPT)
        if was != now:
            self.secrets.add(SecretKind.TEXT, was, charset)


def _same_words(was: bytes, now: bytes) -> set[bytes]:
    """Return the words that stand where they stood."""
    return {word[0] for word in _WORD.finditer(was) if now[word.start() : word.end()] == word[0]}


@cache
def vocabulary() -> frozenset[bytes]:
    """Return the words of the standard: names of elements and of UIDs, in lower case."""
    names = [entry[2] for entry in DicomDictionary.values()] + [entry[0] for entry in UID_dictionary.values()]
    found = {word.lower() for name in names for word in _TOKEN.findall(name.encode("ascii", "ignore"))}
    return frozenset(found | _anatomy())


def _anatomy() -> set[bytes]:
    """Return the words of the coded concepts of PS3.16."""
    from pydicom.sr._concepts_dict import concepts  # noqa: PLC0415  # 2 MiB that only cleaned descriptors need

    schemes = cast("dict[str, Any]", concepts).values()
    meanings = (meaning for scheme in schemes for codes in scheme.values() for meaning, *_ in codes.values())
    return {word.lower() for meaning in meanings for word in _TOKEN.findall(meaning.encode("ascii", "ignore"))}
