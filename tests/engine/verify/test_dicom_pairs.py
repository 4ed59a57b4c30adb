import pytest

from gql_server.domain.verification import VerificationReason
from gql_server.engine.verify import dicom_pairs
from gql_server.engine.verify.dicom_pairs import Pseudonyms, forms_of

Reason = VerificationReason


def test_one_original_has_one_pseudonym() -> None:
    pairs = Pseudonyms()
    pairs.note("uid", b"1.2", b"1.3")
    pairs.note("uid", b"1.2", b"1.3")
    pairs.note("name", b"1.2", b"1.4")
    assert pairs.conclude() == set()
    assert pairs.sizes == {"uid": 1, "name": 1}
    pairs.note("uid", b"1.2", b"1.5")
    assert pairs.conclude() == {Reason.MAP_INCONSISTENT}


def test_two_originals_share_none() -> None:
    pairs = Pseudonyms()
    pairs.note("id:1", b"A1", b"X9")
    pairs.note("id:2", b"B2", b"X9")
    assert pairs.conclude() == set()
    pairs.note("id:1", b"B2", b"X9")
    assert pairs.conclude() == {Reason.MAP_NOT_INJECTIVE}


def test_a_long_value_that_stayed_was_left() -> None:
    pairs = Pseudonyms()
    pairs.meet("name", b"DOEBERG", stayed=True)
    assert pairs.conclude() == {Reason.VALUE_KEPT}


def test_a_letter_may_stay_among_many() -> None:
    pairs = Pseudonyms()
    for letter in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        pairs.meet("name", bytes([letter]), stayed=letter == 0x4B)
    assert pairs.conclude() == {Reason.FIXED_POINT}
    for letter in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        pairs.meet("station", bytes([letter]), stayed=True)
    assert pairs.conclude() == {Reason.VALUE_KEPT}


def test_there_is_an_end_to_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_pairs, "MOST_PAIRS", 1)
    pairs = Pseudonyms()
    pairs.note("uid", b"1.2", b"1.3")
    pairs.note("uid", b"1.4", b"1.5")
    assert pairs.conclude() == {Reason.TOO_MANY_VALUES}


def test_forms_count_letters_and_digits() -> None:
    assert forms_of(b"A1") == 260
    assert forms_of(b"a-") == 26
    assert forms_of(b"x" * 40) == forms_of("é".encode() * 40) == 1e12
