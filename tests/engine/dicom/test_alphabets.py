import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gql_server.engine.dicom.alphabets import Alphabets
from gql_server.engine.dicom.character_sets import GB18030, GBK, HOMES, UTF_8, Character, CodeSet, characters

ALPHABETS = Alphabets()
LETTERS = st.characters(min_codepoint=0x20, max_codepoint=0x3FFFF, exclude_categories=["Cs"])


def spelled(letter: str, codes: CodeSet) -> Character:
    return Character(letter, codes.encode(letter), codes)


@example("\u023e", GB18030)  # its cases came with different editions of Unicode
@settings(deadline=None, max_examples=400)
@given(LETTERS, st.sampled_from([UTF_8, GB18030, GBK, *HOMES]))
def test_every_stand_in_has_as_many_bytes_and_the_same_alphabet(letter: str, codes: CodeSet) -> None:
    raw = codes.encode(letter)
    if not raw or letter.isascii():
        return
    place = ALPHABETS.place(Character(letter, raw, codes))
    if place is None:
        return
    assert place.letter(place.number) == letter
    for number in {0, place.alphabet.size // 2, place.alphabet.size - 1}:
        other = place.letter(number)
        assert len(codes.encode(other)) == len(raw)
        back = ALPHABETS.place(spelled(other, codes))
        assert back is not None
        assert (back.alphabet.label, back.number, back.upper) == (place.alphabet.label, number, place.upper)


@pytest.mark.parametrize(
    ("letter", "same"), [("ü", "É"), ("山", "田"), ("Я", "ж"), ("や", "ま"), ("김", "박"), ("ש", "ר")]
)
def test_letters_of_a_script_share_an_alphabet(letter: str, same: str) -> None:
    one, other = (ALPHABETS.place(spelled(each, UTF_8)) for each in (letter, same))
    assert one is not None
    assert other is not None
    assert one.alphabet is other.alphabet
    assert one.alphabet.size > 20


@pytest.mark.parametrize(("one", "other"), [("山", "や"), ("a", "ü"), ("1", "a"), ("김", "山"), ("ش", "ש")])
def test_scripts_have_alphabets_of_their_own(one: str, other: str) -> None:
    places = [ALPHABETS.place((characters(each.encode(), b"ISO_IR 192") or [])[0]) for each in (one, other)]
    assert places[0] is not None
    assert places[1] is not None
    assert places[0].alphabet is not places[1].alphabet


@pytest.mark.parametrize("letter", ["-", " ", "^", "\u3000", "・", "。", "€"])
def test_punctuation_symbols_and_spaces_stay(letter: str) -> None:
    assert ALPHABETS.place((characters(letter.encode(), b"ISO_IR 192") or [])[0]) is None


@pytest.mark.parametrize(
    ("letter", "declared", "codec"),
    [("ü", b"ISO_IR 100", "latin-1"), ("山", b"GB18030", "gb18030"), ("Я", b"ISO_IR 144", "iso8859_5")],
)
def test_an_alphabet_is_the_same_in_every_encoding_that_has_all_of_it(letter: str, declared: bytes, codec: str) -> None:
    one = ALPHABETS.place((characters(letter.encode(codec), declared) or [])[0])
    other = ALPHABETS.place((characters(letter.encode(), b"ISO_IR 192") or [])[0])
    assert one is not None
    assert other is not None
    assert (one.alphabet.letters, one.number) == (other.alphabet.letters, other.number)


def test_every_stand_in_of_every_letter_can_be_told_back() -> None:
    for code in range(0x80, 0x10000):
        place = ALPHABETS.place(spelled(chr(code), UTF_8)) if chr(code).isalpha() else None
        if place is not None:
            other = spelled(place.letter((place.number * 7 + 1) % place.alphabet.size), UTF_8)
            back = ALPHABETS.place(other)
            assert back is not None
            assert (back.alphabet, back.upper) == (place.alphabet, place.upper)
