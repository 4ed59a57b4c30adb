"""Descriptors: only words of the standard stay.

The vocabulary is every word in the names of PS3.6's attributes and UIDs and in the meanings of PS3.16's codes. All
other letters, digits and characters become x, byte by byte; spaces, line ends and punctuation stay. A person can be
called like a word of the standard: words that a data set uses in a person's name are no vocabulary in it.
"""

import re
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final

from gql_server.engine.dicom.character_sets import Text, characters

_WORD: Final = re.compile(r"[A-Za-z]+")
_SHORTEST: Final = 2
_MASK: Final = "x"


class Descriptors:
    """Masks texts by the vocabulary, which is made when first needed."""

    def masked(self, value: bytes, declared: bytes, names: AbstractSet[str] = frozenset()) -> bytes | None:
        """Mask a text; None for one that cannot be read in its character set.

        `names` are words of the data set's person names, in lower case.
        """
        text = characters(value, declared)
        if text is None:
            return None
        plain = _plain(text)
        kept = _WORD.sub(lambda match: self._word(match[0], names), plain)
        return kept.encode("ascii")

    def _word(self, word: str, names: AbstractSet[str]) -> str:
        lower = word.lower()
        return word if lower in self._vocabulary and lower not in names else _MASK * len(word)

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        # Thousands of codes: most jobs mask nothing.
        from gql_server.engine.dicom.vocabulary import names_of_the_standard, published_codes  # noqa: PLC0415  # see above

        texts = [*names_of_the_standard(), *(meaning for _, _, meaning in published_codes())]
        words = {word.lower() for text in texts for word in _WORD.findall(text)}
        return frozenset(word for word in words if len(word) >= _SHORTEST)


def _plain(text: Text) -> str:
    """Write a text with as many ASCII characters as it has bytes; what is no letter of ASCII is masked."""
    return "".join(each.text if _stays(each.text, each.raw) else _MASK * len(each.raw) for each in text)


def _stays(letter: str, raw: bytes) -> bool:
    if len(raw) != 1 or not letter.isascii() or not letter:
        return False
    return letter.isalpha() or letter in "\t\n\f\r" or (letter.isprintable() and not letter.isdigit())


def words_of(value: bytes, declared: bytes) -> frozenset[str]:
    """Return the words of a person name, in lower case."""
    text = characters(value, declared)
    return frozenset(_WORD.findall("".join(each.text for each in text).lower())) if text is not None else frozenset()
