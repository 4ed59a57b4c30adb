"""Pseudonyms of texts, spelled with as many bytes.

The characters that have an alphabet are taken together as one number, in the mixed radix of the alphabets' sizes, and
that number is permuted. Which alphabets stand where is the layout: a text and its pseudonym have the same one, so no
two texts share a pseudonym. Letters keep their case, which is no part of the number.
"""

from collections.abc import Sequence
from typing import Final

from gql_server.engine.dicom.alphabets import Alphabets, Place
from gql_server.engine.dicom.character_sets import Character, Text
from gql_server.engine.dicom.permuting import SMALL_DOMAIN, Permuting

LONGEST: Final = 128
"""Characters: twice what any VR with an identifier allows (PS3.5 table 6.2-1)."""


class TextPermuting:
    """The pseudonyms of one domain of texts."""

    def __init__(self, key: bytes, domain: str, alphabets: Alphabets) -> None:
        self._permuting = Permuting(key, domain)
        self._alphabets = alphabets

    def pseudonym(self, text: Sequence[Character]) -> bytes | None:
        """Return what stands in for a text; None for one that is too long for an identifier."""
        if len(text) > LONGEST:
            return None
        places = [self._alphabets.place(each) if each.text else None for each in text]
        number, domain, layout = 0, 1, []
        for place in places:
            if place is not None:
                number, domain = number * place.alphabet.size + place.number, domain * place.alphabet.size
                layout.append(place.alphabet.label)
        if domain == 1:
            return b"".join(each.raw for each in text)
        # Small domains have tables: one for each layout of ASCII, of which there are few, and of others for each size.
        is_named = domain >= SMALL_DOMAIN or all(each.text.isascii() for each in text)
        tweak = "/".join(layout).encode() if is_named else b""
        number = self._permuting.encrypt(number, domain, tweak)
        return _spelled(text, places, number)


def _spelled(text: Sequence[Character], places: Sequence[Place | None], number: int) -> bytes:
    spelled = []
    for character, place in zip(reversed(text), reversed(places), strict=True):
        if place is None:
            spelled.append(character.raw)
        else:
            number, letter = divmod(number, place.alphabet.size)
            spelled.append(character.codes.encode(place.letter(letter)))
    return b"".join(reversed(spelled))


def split(text: Text, delimiters: str) -> tuple[list[Text], list[Character]]:
    """Split at delimiters; return the parts and, one fewer, what stands between them."""
    parts: list[Text] = [[]]
    between = []
    for each in text:
        if each.text and each.text in delimiters and each.raw.isascii() and len(each.raw) == 1:
            between.append(each)
            parts.append([])
        else:
            parts[-1].append(each)
    return parts, between


def joined(parts: Sequence[bytes], between: Sequence[Character]) -> bytes:
    """Put parts and what stood between them together again."""
    return parts[0] + b"".join(each.raw + part for each, part in zip(between, parts[1:], strict=True))


def has_controls(text: Text) -> bool:
    """Tell whether a control character stands in a text; none belongs into an identifier or a name."""
    return any(each.text and (each.text < " " or each.text == "\x7f") for each in text)
