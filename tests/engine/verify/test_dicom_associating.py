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
