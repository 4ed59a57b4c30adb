import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.engine.dicom.alphabets import Alphabets
from gql_server.engine.dicom.character_sets import characters
from gql_server.engine.dicom.texts import LONGEST, TextPermuting, has_controls, joined, split
from tests.engine.dicom.data_sets import KEY, OTHER_KEY

ALPHABETS = Alphabets()
TEXTS = TextPermuting(KEY, "test", ALPHABETS)


def pseudonym(text: str, by: TextPermuting = TEXTS) -> str:
    read = characters(text.encode(), b"ISO_IR 192")
    assert read is not None
    found = by.pseudonym(read)
    assert found is not None
    return found.decode()


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2FFFF, blacklist_categories=["Cs"]), max_size=20))
def test_a_pseudonym_has_as_many_bytes_and_says_the_same_again(text: str) -> None:
    assert len(pseudonym(text).encode()) == len(text.encode())


def test_a_pseudonym_is_the_same_again() -> None:
    for text in ("Hawthorne", "Åse", "山田", "김"):
        assert pseudonym(text) == pseudonym(text, TextPermuting(KEY, "test", Alphabets()))


@settings(deadline=None)
@given(st.sets(st.text("ab19Zü山-", min_size=1, max_size=4), min_size=2, max_size=40))
def test_no_two_texts_share_a_pseudonym(texts: set[str]) -> None:
    assert len({pseudonym(text) for text in texts}) == len(texts)


def test_all_of_a_small_layout_are_permuted() -> None:
    images = {pseudonym(f"{letter}{digit}") for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for digit in range(10)}
    assert len(images) == 260
    assert all(image[0].isupper() and image[1].isdigit() for image in images)


def test_case_is_carried_over_and_does_not_count() -> None:
    assert pseudonym("Doe").lower() == pseudonym("DOE").lower() == pseudonym("doe")
    assert pseudonym("Doe").istitle()


def test_punctuation_stays_where_it_is() -> None:
    image = pseudonym("AB-12/c*?")
    assert [image[place] for place in (2, 5, 7, 8)] == ["-", "/", "*", "?"]
    assert pseudonym("--") == "--"


def test_domains_and_keys_do_not_share_pseudonyms() -> None:
    images = {
        pseudonym("HAWTHORNE", by)
        for by in (TEXTS, TextPermuting(OTHER_KEY, "test", ALPHABETS), TextPermuting(KEY, "other", ALPHABETS))
    }
    assert len(images) == 3


def test_a_text_without_end_has_none() -> None:
    assert TEXTS.pseudonym(characters(b"x" * (LONGEST + 1)) or []) is None
    assert TEXTS.pseudonym(characters(b"x" * LONGEST) or []) is not None


def test_splitting_and_joining_are_inverse() -> None:
    parts, between = split(characters(b"a^b=^c") or [], "^=")
    assert [len(part) for part in parts] == [1, 1, 0, 1]
    assert joined([b"x", b"y", b"", b"z"], between) == b"x^y=^z"


@pytest.mark.parametrize(
    ("value", "expected"), [(b"a b", False), (b"a\nb", True), (b"\x7f", True), (b"\x1b(Ba", False)]
)
def test_controls_are_seen(value: bytes, *, expected: bool) -> None:
    assert has_controls(characters(value) or []) is expected
