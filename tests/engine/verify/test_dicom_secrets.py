import pytest

from gql_server.domain.dicom_verification import SecretKind
from gql_server.engine.verify import dicom_secrets
from gql_server.engine.verify.dicom_secrets import Secrets, is_weak


def patterns_of(value: bytes, charset: bytes = b"") -> set[bytes]:
    secrets = Secrets()
    secrets.charsets[1] = charset
    secrets.add(SecretKind.NAME, value, 1)
    return set(secrets.kinds)


def test_a_name_is_searched_for_in_parts_and_in_lower_case() -> None:
    assert patterns_of(b"Doeberg^Janine ") == {b"doeberg^janine", b"doeberg", b"janine"}


def test_short_and_dull_values_are_left_out() -> None:
    assert patterns_of(b"DOE^JO") == {b"doe^jo"}
    assert patterns_of(b"12345") == set()
    assert patterns_of(b"123456") == {b"123456"}
    assert patterns_of(b"00000000") == set()


@pytest.mark.parametrize(
    "value", [b"1.2.840.10008.5.1.4.1.1.7", b"ISO 2022 IR 87", b"\\ISO 2022 IR 87", b"ISO_IR 100\\ISO_IR 192"]
)
def test_terms_of_the_standard_tell_of_nobody(value: bytes) -> None:
    assert patterns_of(value) == set()


def test_what_only_looks_like_a_term_is_searched_for() -> None:
    other = b"1.2.840.10008.5.1.4.1.1.19701231"
    assert patterns_of(other) == {other}
    assert b"iso 2022 ir 8" in patterns_of(b"ISO 2022 IR 8\\ISO_IR 100")


def test_other_alphabets_are_searched_for_in_other_encodings() -> None:
    name = "Müller^Jörg"
    found = patterns_of(name.encode("latin-1"), b"ISO_IR 100")
    for encoding in ("latin-1", "utf-8", "utf-16-le", "utf-16-be"):
        assert "müller".encode(encoding).lower() in found
    japanese = "山田^太郎"
    found = patterns_of(japanese.encode("utf-8"), b"ISO_IR 192")
    assert "山田".encode("utf-16-le").lower() in found
    assert "山田".encode() in found


def test_an_unknown_character_set_is_read_as_latin() -> None:
    assert "müller".encode() in patterns_of("Müller".encode("latin-1"), b"NONSENSE")


def test_there_is_an_end_to_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_secrets, "MOST_SECRETS", 1)
    secrets = Secrets()
    secrets.add(SecretKind.TEXT, b"first text")
    assert not secrets.is_full
    secrets.add(SecretKind.TEXT, b"second text")
    assert secrets.is_full


def test_long_patterns_are_met_by_no_chance() -> None:
    assert is_weak(b"doeberg")
    assert is_weak(b"1234567890")
    assert not is_weak(b"doeberg^janine")
    assert not is_weak(b"1.2.826.0.1.3680043.9")
