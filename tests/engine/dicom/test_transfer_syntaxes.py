import pytest
from pydicom.uid import UID, UID_dictionary  # type: ignore[attr-defined]  # nothing else lists them

from gql_server.engine.dicom.transfer_syntaxes import (
    ANY_ENCODING,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    encodings_of,
)

STANDARD = [
    uid for uid, entry in UID_dictionary.items() if entry[1] == "Transfer Syntax" and "1.2.840.10008.1.2" in uid
]
WITHOUT_DATA_SETS = {"1.2.840.10008.1.2.6.1", "1.2.840.10008.1.2.6.2"}


@pytest.mark.parametrize("uid", sorted(set(STANDARD) - WITHOUT_DATA_SETS))
def test_a_syntax_of_the_standard_is_read_as_pydicom_reads_it(uid: str) -> None:
    syntax = UID(uid)
    (encoding,) = encodings_of(uid)
    # Nor that Papyrus 3 is implicit, although its name says so.
    assert encoding.implicit == (syntax.is_implicit_VR or "Implicit" in syntax.name)
    assert encoding.big == (not syntax.is_little_endian)
    # pydicom does not know that JPIP's deflated data sets are deflated (PS3.5 §A.9).
    assert encoding.deflated == (syntax.is_deflated or uid.endswith((".4.95", ".4.205")))


def test_all_syntaxes_of_the_standard_are_asked() -> None:
    assert {IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG} < set(STANDARD)
    assert len(STANDARD) > 50


@pytest.mark.parametrize("uid", ["1.2.3.4", "", *sorted(WITHOUT_DATA_SETS)])
def test_of_any_other_syntax_nothing_is_known(uid: str) -> None:
    assert encodings_of(uid) == ANY_ENCODING


def test_the_private_syntax_of_two_meanings_has_both() -> None:
    assert [encoding.big for encoding in encodings_of("1.2.840.113619.5.2")] == [False, True]
    assert all(encoding.implicit for encoding in encodings_of("1.2.840.113619.5.2"))
