"""Alphabets: which characters may stand in for which.

A character's stand-ins have its home (the first code set that knows it), its script and its case, and as many bytes
in the encoding at hand. So a pseudonym is spelled with the bytes of the name it stands for, escape sequences and all,
and is the same in two encodings wherever both spell the whole alphabet. Digits and letters of ASCII are alphabets
of their own; punctuation, symbols and spaces stay. The case of letters is no part of the alphabet: it is carried over.

Scripts and categories are those of Unicode 3.2, the one edition that no Python changes.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final
from unicodedata import ucd_3_2_0 as unicode_data

from gql_server.engine.dicom.character_sets import HOMES, Character, CodeSet

_BEYOND_BMP: Final = 0x10000
_SURROGATES: Final = range(0xD800, 0xE000)
_STAYING: Final = frozenset("PSZ")
_ZERO: Final = ord("0")
_LETTER_A: Final = ord("A")
_SCRIPTS: Final = frozenset(
    [
        *("LATIN", "GREEK", "CYRILLIC", "HEBREW", "ARABIC", "THAI", "HIRAGANA", "KATAKANA", "HALFWIDTH", "FULLWIDTH"),
        *("CJK", "HANGUL"),
    ]
)


@dataclass(frozen=True, slots=True)
class Alphabet:
    """Characters that stand in for each other; those with two cases by their lower one."""

    name: str
    letters: tuple[str, ...]
    places: dict[str, int]
    size: int
    label: str
    """Name and size, for a layout."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a character stands in an alphabet."""

    alphabet: Alphabet
    number: int
    upper: bool

    def letter(self, number: int) -> str:
        """Return another letter of the alphabet, in the case of this one."""
        letter = self.alphabet.letters[number]
        return letter.upper() if self.upper else letter


def _alphabet(name: str, letters: list[str]) -> Alphabet:
    places = {letter: place for place, letter in enumerate(letters)}
    return Alphabet(name, tuple(letters), places, len(letters), f"{name}:{len(letters)}")


class Alphabets:
    """The alphabets of every encoding, made when first needed."""

    def __init__(self) -> None:
        self._digits = _alphabet("0", [chr(_ZERO + each) for each in range(10)])
        self._letters = _alphabet("A", [chr(_LETTER_A + each).lower() for each in range(26)])
        self._made: dict[tuple[str, str, int], Alphabet] = {}
        self._ascii = {chr(code): self._ascii_place(chr(code)) for code in range(0x80)}

    def place(self, character: Character) -> Place | None:
        """Find a character's place; None if it stays as it is."""
        text = character.text
        if text in self._ascii:
            return self._ascii[text]
        if ord(text) >= _BEYOND_BMP:
            return self._place_in(self._plane(ord(text) >> 16), text, upper=False)
        name = self._names.get(text)
        if name is None:
            return None
        width = len(character.raw)
        folded, alphabet = _folded(text, self._homes), self._spelled(name, character.codes, width)
        if folded in alphabet.places:
            return self._place_in(alphabet, folded, upper=folded != text)
        return self._place_in(self._rest(name, character.codes, width), text, upper=False)

    def _ascii_place(self, text: str) -> Place | None:
        if text.isdigit():
            return self._place_in(self._digits, text, upper=False)
        return self._place_in(self._letters, text.lower(), upper=text.isupper()) if text.isalpha() else None

    @staticmethod
    def _place_in(alphabet: Alphabet, letter: str, *, upper: bool) -> Place:
        return Place(alphabet, alphabet.places[letter], upper)

    def _plane(self, number: int) -> Alphabet:
        name = f"plane {number}"
        if (name, "", 4) not in self._made:
            first = number << 16
            self._made[name, "", 4] = _alphabet(name, [chr(code) for code in range(first, first + 0x10000)])
        return self._made[name, "", 4]

    def _spelled(self, name: str, codes: CodeSet, width: int) -> Alphabet:
        """Return what an encoding spells of an alphabet with so many bytes, upper case too."""
        found = self._made.get((name, codes.name, width))
        if found is None:
            letters = [
                letter
                for letter in self._members[name]
                if len(codes.encode(letter)) == width
                and (not name.endswith(" cased") or len(codes.encode(letter.upper())) == width)
            ]
            found = self._made[name, codes.name, width] = _alphabet(name, letters)
        return found

    def _rest(self, name: str, codes: CodeSet, width: int) -> Alphabet:
        """Return the letters whose other case takes another number of bytes, each as it is."""
        found = self._made.get((name + " rest", codes.name, width))
        if found is None:
            spelled = self._spelled(name, codes, width).places
            letters = [
                letter
                for letter, other in self._names.items()
                if other == name and len(codes.encode(letter)) == width and _folded(letter, self._homes) not in spelled
            ]
            found = self._made[name + " rest", codes.name, width] = _alphabet(name + " rest", letters)
        return found

    @cached_property
    def _homes(self) -> dict[str, str]:
        homes: dict[str, str] = {}
        for codes in HOMES:
            for letter in codes.spelled:
                homes.setdefault(letter, codes.name)
        return homes

    @cached_property
    def _names(self) -> dict[str, str]:
        """The name of each character's alphabet; characters that stay have none."""
        names: dict[str, str] = {}
        for code in range(0x80, _BEYOND_BMP):
            letter = chr(code)
            # The two cases of a letter may have come with different editions: the lower one tells for both.
            folded = _folded(letter, self._homes)
            category = unicode_data.category(folded)[0]
            if code not in _SURROGATES and category not in _STAYING:
                names[letter] = f"{self._homes.get(folded, '')} {_script(folded)} {category}{self._case(letter)}"
        return names

    def _case(self, letter: str) -> str:
        folded = _folded(letter, self._homes)
        upper = letter.upper()
        return " cased" if folded != letter or (upper != letter and _folded(upper, self._homes) == letter) else ""

    @cached_property
    def _members(self) -> dict[str, list[str]]:
        members: dict[str, list[str]] = {}
        for letter, name in self._names.items():
            if _folded(letter, self._homes) == letter:
                members.setdefault(name, []).append(letter)
        return members


def _folded(letter: str, homes: dict[str, str]) -> str:
    """Return the lower case of a letter if the two belong to each other and live together."""
    lower = letter.lower()
    if len(letter) == len(lower) == 1 and lower != letter and lower.upper() == letter:
        return lower if homes.get(lower) == homes.get(letter) else letter
    return letter


def _script(letter: str) -> str:
    script = unicode_data.name(letter, "").partition(" ")[0]
    return script if script in _SCRIPTS else "OTHER"
