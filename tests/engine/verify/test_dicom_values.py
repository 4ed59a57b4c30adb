import pytest

from gql_server.domain.dicom import DatePolicy
from gql_server.domain.dicom_verification import DicomExpectation
from gql_server.domain.verification import VerificationReason
from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_dictionary import VRS
from gql_server.engine.verify.dicom_values import ValueJudge, vocabulary

Reason = VerificationReason
ID, NAME, TEXT, STEP = 0x00100020, 0x00100010, 0x00104000, 0x00400007


def reasons(tag: int, vr: str, was: bytes, now: bytes, rule: int = d.CHANGE, **fields: object) -> set[Reason]:
    judge = ValueJudge(DicomExpectation(**fields))  # type: ignore[arg-type]  # as a case names them
    outcome = d.KEPT if was == now else d.BLANKED if not now.strip() else d.REPLACED
    judge.take(tag, VRS.index(vr), rule, outcome, was, now, 0)
    return judge.reasons | judge.pseudonyms.conclude()


@pytest.mark.parametrize(
    ("tag", "vr", "was", "now", "found"),
    [
        (NAME, "PN", b"DOEBERG^JANINE", b"QXWYZRT^ABCDEF", set()),
        (NAME, "PN", b"DOEBERG^JANINE", b"QXWYZRT^JANINE", {Reason.VALUE_KEPT}),
        (NAME, "PN", b"DOEBERG^JANINE", b"              ", set()),
        (NAME, "PN", b"*", b"*", set()),
        (NAME, "PN", "Müller".encode(), "Müller".encode(), {Reason.VALUE_KEPT}),
        (ID, "LO", b"PID0012345", b"PID0012345", {Reason.VALUE_KEPT}),
        (ID, "LO", b"PID0012345", b"QXV8812345", set()),
        (TEXT, "LT", b"seen by brenner", b"xxxx by brenner", {Reason.VALUE_KEPT}),
        (TEXT, "LT", b"seen by brenner", b"               ", set()),
        (0x00100040, "CS", b"F", b"F", {Reason.VALUE_KEPT}),
        (0x00100040, "CS", b"O", b"O", set()),
    ],
)
def test_values_that_must_change(tag: int, vr: str, was: bytes, now: bytes, found: set[Reason]) -> None:
    assert reasons(tag, vr, was, now) == found


@pytest.mark.parametrize(
    ("was", "now", "found"),
    [
        (b"1.2.840.10008.1.2", b"1.2.840.10008.1.2", set()),
        (b"1.2.840.10008.1.2", b"1.2.840.10008.1.3", {Reason.VALUE_ALTERED}),
        (b"1.2.3.4\0", b"1.2.3.4\0", {Reason.VALUE_KEPT}),
        (b"1.2.3.4\0", b"1.2.9.8\0", set()),
        (b"1.2.3.4", b"       ", set()),
        (b"1.2.3.4\\1.2.3.5", b"1.2.9.4\\1.2.3.5", {Reason.VALUE_KEPT}),
        (b"1.2.3.4\\1.2.3.5", b"1.2.9.4", {Reason.VALUE_ALTERED}),
        (b"1.2.3.4", b"1.2.x.4", {Reason.VALUE_ALTERED}),
        (b"1.2.999.10008.55", b"1.2.840.10008.55", {Reason.VALUE_ALTERED}),
    ],
)
def test_uids(was: bytes, now: bytes, found: set[Reason]) -> None:
    assert reasons(0x00080018, "UI", was, now, d.UID) == found
    retained = reasons(0x00080018, "UI", was, now, d.UID, retain_uids=True)
    assert retained == found - {Reason.VALUE_KEPT}


def test_the_implementation_may_be_told() -> None:
    assert reasons(0x00020012, "UI", b"1.2.276.0", b"1.2.276.0", d.UID) == set()


def test_dates_follow_the_policy() -> None:
    assert reasons(0x00080020, "DA", b"20240131", b"20240131", d.DATE) == {Reason.VALUE_KEPT}
    assert reasons(0x00080020, "DA", b"20240131", b"20230131", d.DATE) == {Reason.DATES_INCONSISTENT}
    assert reasons(0x00080020, "DA", b"20240131", b"19000101", d.DATE) == set()
    shift = {"dates": DatePolicy.SHIFT}
    assert reasons(0x00080020, "DA", b"20240131", b"20240131", d.DATE, **shift) == set()
    assert reasons(0x00080020, "DA", b"202401", b"202401", d.DATE, **shift) == {Reason.VALUE_KEPT}
    assert reasons(0x00080020, "DA", b"20240131", b"20249131", d.DATE, **shift) == {Reason.DATES_INCONSISTENT}
    assert reasons(0x00080030, "TM", b"101112", b"101112", d.TIME, **shift) == set()


def test_private_creators_that_are_no_secret_may_stay() -> None:
    known, unknown = b"SIEMENS CSA HEADER", b"HOSPITAL OF DOEBERG "
    assert reasons(0x00290010, "LO", known, known, d.CREATOR) == set()
    assert reasons(0x00290010, "LO", unknown, unknown, d.CREATOR) == {Reason.VALUE_KEPT}
    assert reasons(0x00290010, "LO", unknown, b" " * 20, d.CREATOR) == set()


def test_words_of_the_standard_stay_where_descriptors_are_cleaned() -> None:
    was, now = b"head scan of doeberg", b"head scan xx xxxxxxx"
    assert reasons(STEP, "LO", was, now, clean_descriptors=True) == set()
    assert reasons(STEP, "LO", was, now) == {Reason.VALUE_KEPT}
    assert reasons(STEP, "LO", was, was, clean_descriptors=True) == {Reason.VALUE_KEPT}
    assert {b"head", b"scan", b"patient"} <= vocabulary()
    assert b"doeberg" not in vocabulary()
