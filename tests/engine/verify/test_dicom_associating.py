import pytest

from gql_server.domain.dicom_verification import DicomExpectation
from gql_server.domain.verification import VerificationReason
from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_associating import Found, judge_control, syntaxes_of
from gql_server.engine.verify.dicom_values import ValueJudge
from tests.engine.verify.dicom_traffic import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, JPEG, NOW, WAS, conversation

REQUEST, ACCEPT = (conversation(WAS)[i][1] for i in (0, 1))
NEW_REQUEST = conversation(NOW)[0][1]


def judged(was: bytes, now: bytes) -> tuple[Found, set[VerificationReason]]:
    judge = ValueJudge(DicomExpectation())
    found = judge_control(was, now, judge)
    return found, judge.reasons | judge.pseudonyms.conclude()


def test_names_and_credentials_become_others() -> None:
    assert judged(REQUEST, NEW_REQUEST) == (Found(), set())
    assert judged(REQUEST, REQUEST) == (Found(), {VerificationReason.VALUE_KEPT})


def test_a_request_may_be_zero_as_a_whole() -> None:
    assert judged(REQUEST, bytes(len(REQUEST))) == (Found(undecodable=len(REQUEST)), set())


@pytest.mark.parametrize("at", [0, 7, 75, 80])
def test_other_bytes_stay(at: int) -> None:
    wrong = NEW_REQUEST[:at] + bytes([NEW_REQUEST[at] ^ 4]) + NEW_REQUEST[at + 1 :]
    found, reasons = judged(REQUEST, wrong)
    assert found.structure > 0 or VerificationReason.VALUE_ALTERED in reasons


def test_reserved_bytes_and_unknown_items_are_zero() -> None:
    strange = REQUEST[:42] + b"JANINE DOEBERG".ljust(32) + REQUEST[74:]
    kept = NEW_REQUEST[:42] + b"JANINE DOEBERG".ljust(32) + NEW_REQUEST[74:]
    assert judged(strange, kept)[0].left > 0
    assert judged(strange, NEW_REQUEST)[0].left == 0
    item = b"\x77\0\0\x04JANE"
    assert judged(REQUEST + item, NEW_REQUEST + item)[0].left == 4
    assert judged(REQUEST + item, NEW_REQUEST + item[:4] + bytes(4))[0].left == 0
    assert judged(REQUEST + b"\x77\0\0\x09JANE", NEW_REQUEST + b"\x77\0\0\x09JANE")[0].left > 0


def judged_cut(was: bytes, now: bytes, there: int) -> tuple[Found, set[VerificationReason]]:
    judge = ValueJudge(DicomExpectation())
    found = judge_control(was[:there], now[:there], judge, missing=len(was) - there)
    return found, judge.reasons | judge.pseudonyms.conclude()


BLANK = bytes(len(REQUEST))


@pytest.mark.parametrize("there", [20, 42, 74, 76, 90, 120, len(REQUEST) - 1])
def test_a_cut_request_is_judged_as_far_as_it_is_there(there: int) -> None:
    found, reasons = judged_cut(REQUEST, NEW_REQUEST[:6] + BLANK[6:], there)
    assert (found.structure, found.left, reasons) == (0, 0, set())
    assert found.undecodable > 0
    found, reasons = judged_cut(REQUEST, REQUEST, there)
    assert found.left > 0 or reasons == {VerificationReason.VALUE_KEPT}
    wrong = NEW_REQUEST[:3] + b"\x77" + BLANK[4:]
    assert judged_cut(REQUEST, wrong, there)[0].structure == 1


def test_whole_fields_of_a_cut_request_become_others_or_zero() -> None:
    found, reasons = judged_cut(REQUEST, NEW_REQUEST, 74)
    assert (found.structure, found.left, found.undecodable, reasons) == (0, 0, 0, set())
    assert judged_cut(REQUEST, REQUEST, 74)[1] == {VerificationReason.VALUE_KEPT}
    half = NEW_REQUEST[:10] + bytes(16) + REQUEST[26:]
    assert judged_cut(REQUEST, half, 74)[1] == {VerificationReason.VALUE_KEPT}


def test_what_is_cut_of_a_field_is_no_value() -> None:
    judge = ValueJudge(DicomExpectation())
    found = judge_control(REQUEST[:20], bytes(20), judge, missing=len(REQUEST) - 20)
    assert (found.left, judge.secrets.values) == (0, 0)
    kept = bytes(10) + REQUEST[10:20]
    assert judge_control(REQUEST[:20], kept, judge, missing=len(REQUEST) - 20).left == 10


@pytest.mark.parametrize(
    ("syntax", "known"),
    [
        (IMPLICIT, d.IMPLICIT),
        (EXPLICIT, d.EXPLICIT),
        (BIG_ENDIAN, d.BIG_ENDIAN),
        (DEFLATED, d.DEFLATED),
        (JPEG, d.EXPLICIT),
    ],
)
def test_the_accepted_syntax_is_told(syntax: str, known: int) -> None:
    says = conversation(WAS, syntax=syntax)
    assert syntaxes_of(says[1][1]) == {1: known}
    assert syntaxes_of(says[0][1]) == {}


def test_short_pdus_stay() -> None:
    release = b"\5\0\0\0\0\4\0\0\0\0"
    assert judged(release, release)[0] == Found()
    assert judged(release, release[:-1] + b"x")[0].structure > 0
