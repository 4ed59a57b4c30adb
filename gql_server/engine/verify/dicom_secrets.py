"""Original values that the output must not show.

They live in memory as long as a verification does. Short ones are left out: they stand everywhere by chance.
"""

import math
import re
import warnings
from functools import cache
from itertools import product
from typing import Final

from pydicom._uid_dict import UID_dictionary
from pydicom.charset import decode_bytes, python_encoding

from gql_server.domain.dicom_verification import SecretKind

MOST_SECRETS: Final = 1_000_000
_FEWEST_LETTERS: Final = 4
_FEWEST_DIGITS: Final = 6
_LONGEST: Final = 64
_WEAK_BITS: Final = 45.0
"""Fewer bits than this are met by chance among the pseudonyms of a large capture."""
_LETTER_BITS: Final = math.log2(26)
_DIGIT_BITS: Final = math.log2(10)
_SIGN_BITS: Final = 5.0
_SPLIT: Final = re.compile(rb"[\\^=]")
_TEXT_SPLIT: Final = re.compile(r"[\\^=]")
_DELIMITERS: Final = set(b"\\^=")
_NO_BYTES: Final = re.compile(r"[^\x20-\x7e]")


class Secrets:
    """Collects what is searched for, each with its kind."""

    def __init__(self) -> None:
        self.kinds: dict[bytes, SecretKind] = {}
        """Patterns in lower case; a text has several."""
        self.values = 0
        self.is_full = False
        self.charsets: dict[int, bytes] = {0: b""}
        self._texts: set[bytes] = set()

    def add(self, kind: SecretKind, value: bytes, charset: int = 0) -> None:
        """Take in one value of an element; of a name, each of its components too."""
        whole = value.strip(b" \0")
        if not whole.isascii() or b"\x1b" in whole:
            self._add_texts(kind, whole, charset)
            parts = [part for part in _SPLIT.split(whole) if part.isascii()]
        elif _SPLIT.search(whole):
            parts = [whole, *_SPLIT.split(whole)]
        else:
            parts = [whole]
        for part in parts:
            self._add(kind, part.strip(b" \0"))

    def _add_texts(self, kind: SecretKind, whole: bytes, charset: int) -> None:
        """Take in a value that is no ASCII: as it is, and in the encodings that its text has elsewhere."""
        self._note(kind, whole.lower()[:_LONGEST])
        text = self._text_of(whole, charset)
        for part in {text, *_TEXT_SPLIT.split(text)}:
            word = part.strip(" \0")
            if len(word) >= 2 and _NO_BYTES.search(word):  # noqa: PLR2004  # two characters of a large alphabet
                self._note_text(kind, word)
            else:
                self._add(kind, word.encode("ascii", "ignore"))

    def _text_of(self, whole: bytes, charset: int) -> str:
        named = self.charsets.get(charset, b"").decode("ascii", "ignore").split("\\")
        encodings = [python_encoding.get(name.strip(), "iso8859") for name in named]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # bytes that no encoding has, as in a value that was cut
                return decode_bytes(whole, encodings, _DELIMITERS)
        except (UnicodeError, LookupError):
            return whole.decode("latin-1")

    def _note_text(self, kind: SecretKind, word: str) -> None:
        for text, encoding in product({word, word.lower()}, ("utf-8", "latin-1", "utf-16-le", "utf-16-be")):
            try:
                pattern = text.encode(encoding)
            except UnicodeError:
                continue
            # What is searched is lower case in ASCII alone.
            self._note(kind, pattern.lower()[: 2 * _LONGEST])

    def _add(self, kind: SecretKind, part: bytes) -> None:
        lower = part.lower()[:_LONGEST]
        if lower in self._texts or all(piece in _terms() for piece in _SPLIT.split(lower)):
            return
        enough = _FEWEST_DIGITS if _is_number(lower) else _FEWEST_LETTERS
        if len(lower) < enough or len(set(lower)) < 3:  # noqa: PLR2004  # 00000000 says nothing
            return
        self._texts.add(lower)
        self._note(kind, lower)
        self.values += 1

    def _note(self, kind: SecretKind, pattern: bytes) -> None:
        if len(self.kinds) >= MOST_SECRETS:
            self.is_full = True
        elif len(pattern) >= _FEWEST_LETTERS:
            self.kinds.setdefault(pattern, kind)


@cache
def _terms() -> frozenset[bytes]:
    """Return words that tell of nobody: the UIDs of the standard, the defined terms of character sets, nothing."""
    return frozenset(word.lower().encode("ascii") for word in (*UID_dictionary, *python_encoding))


def _is_number(text: bytes) -> bool:
    return not any(byte > 0x39 for byte in text)  # noqa: PLR2004  # the digit 9


def is_weak(pattern: bytes) -> bool:
    """Say whether a pattern may be met by chance."""
    text = pattern.replace(b"\0", b"")
    letters = sum(0x61 <= byte <= 0x7A for byte in text)  # noqa: PLR2004  # a to z
    digits = sum(0x30 <= byte <= 0x39 for byte in text)  # noqa: PLR2004  # 0 to 9
    others = len(text) - letters - digits
    return letters * _LETTER_BITS + digits * _DIGIT_BITS + others * _SIGN_BITS < _WEAK_BITS
