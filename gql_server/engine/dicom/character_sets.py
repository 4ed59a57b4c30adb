"""Text as characters, each with the bytes that spell it.

PS3.5 §6.1 and PS3.3 §C.12.1.1.2: one byte a character, several, or ISO 2022 with escape sequences that switch between
code sets. Delimiters are found among characters and never inside one. What its declared character set cannot read is
read as Latin-1, since many systems declare none; with escape sequences or bytes of Chinese sets it is not read at all.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

_ESCAPE: Final = 0x1B
_HIGH: Final = 0x80
_INTERMEDIATE: Final = range(0x20, 0x30)
_NINETY_FOUR: Final = range(0x21, 0x7F)
_DELIMITERS: Final = frozenset("\\^=\r\n\f\t")


@dataclass(frozen=True)
class CodeSet:
    """A code set of fixed width, or a whole encoding (width 0)."""

    name: str
    codec: str
    width: int
    lead: bytes = b""
    """What Python's codec wants before the bytes."""
    low: bool = False
    """Spelled with seven bits."""

    def decode(self, raw: bytes) -> str | None:
        """Return the one character that bytes spell, or None."""
        spelled = bytes(byte | _HIGH for byte in raw) if self.low else raw
        try:
            text = (self.lead + spelled).decode(self.codec)
        except UnicodeDecodeError:
            return None
        return text if len(text) == 1 else None

    @cached_property
    def spelled(self) -> dict[str, bytes]:
        """Every character with its bytes; for code sets of fixed width."""
        if self.width == 1:
            every = [bytes([byte]) for byte in range(_HIGH, 0x100)]
        else:
            top = 0 if self.low else _HIGH
            every = [bytes([one | top, two | top]) for one in _NINETY_FOUR for two in _NINETY_FOUR]
        found: dict[str, bytes] = {}
        for raw in every:
            text = self.decode(raw)
            if text is not None:
                found.setdefault(text, raw)
        return found

    def encode(self, text: str) -> bytes:
        """Return a character's bytes, none if it has no place here."""
        if self.width:
            return self.spelled.get(text, b"")
        try:
            return text.encode(self.codec)
        except UnicodeEncodeError:
            return b""


ASCII: Final = CodeSet("ASCII", "ascii", 0)
LATIN_1: Final = CodeSet("ISO 8859-1", "iso8859_1", 1)
UTF_8: Final = CodeSet("UTF-8", "utf_8", 0)
GB18030: Final = CodeSet("GB18030", "gb18030", 0)
GBK: Final = CodeSet("GBK", "gbk", 0)
JIS_X_0208: Final = CodeSet("JIS X 0208", "euc_jp", 2, low=True)
JIS_X_0212: Final = CodeSet("JIS X 0212", "euc_jp", 2, lead=b"\x8f", low=True)
JIS_X_0201: Final = CodeSet("JIS X 0201", "shift_jis", 1)
KS_X_1001: Final = CodeSet("KS X 1001", "euc_kr", 2)
GB_2312: Final = CodeSet("GB 2312", "gb2312", 2)

_UPPER_HALVES: Final = {
    "100": LATIN_1,
    "101": CodeSet("ISO 8859-2", "iso8859_2", 1),
    "109": CodeSet("ISO 8859-3", "iso8859_3", 1),
    "110": CodeSet("ISO 8859-4", "iso8859_4", 1),
    "148": CodeSet("ISO 8859-9", "iso8859_9", 1),
    "203": CodeSet("ISO 8859-15", "iso8859_15", 1),
    "144": CodeSet("ISO 8859-5", "iso8859_5", 1),
    "127": CodeSet("ISO 8859-6", "iso8859_6", 1),
    "126": CodeSet("ISO 8859-7", "iso8859_7", 1),
    "138": CodeSet("ISO 8859-8", "iso8859_8", 1),
    "166": CodeSet("TIS 620", "iso8859_11", 1),
    "13": JIS_X_0201,
    "149": KS_X_1001,
    "58": GB_2312,
}
"""G1 by the number in the defined term (PS3.3 tables C.12-2 to C.12-4)."""

HOMES: Final = (
    *(each for each in _UPPER_HALVES.values() if each.width == 1),
    JIS_X_0208,
    GB_2312,
    KS_X_1001,
    JIS_X_0212,
)
"""Code sets in the order in which a character is looked for."""

_ESCAPES: Final[dict[bytes, tuple[int, CodeSet | None]]] = {
    b"(B": (0, None),
    b"(J": (0, None),
    b"$B": (0, JIS_X_0208),
    b"$@": (0, JIS_X_0208),
    b"$(D": (0, JIS_X_0212),
    b")I": (1, JIS_X_0201),
    b"$)C": (1, KS_X_1001),
    b"$)A": (1, GB_2312),
    b"-A": (1, _UPPER_HALVES["100"]),
    b"-B": (1, _UPPER_HALVES["101"]),
    b"-C": (1, _UPPER_HALVES["109"]),
    b"-D": (1, _UPPER_HALVES["110"]),
    b"-F": (1, _UPPER_HALVES["126"]),
    b"-G": (1, _UPPER_HALVES["127"]),
    b"-H": (1, _UPPER_HALVES["138"]),
    b"-L": (1, _UPPER_HALVES["144"]),
    b"-M": (1, _UPPER_HALVES["148"]),
    b"-T": (1, _UPPER_HALVES["166"]),
    b"-b": (1, _UPPER_HALVES["203"]),
}
"""Escape sequences behind ESC: which half they switch, and to what."""


_WHOLE: Final = {"ISO IR 192": UTF_8, "GB18030": GB18030, "GBK": GBK, "ISO 2022 GBK": GBK}
"""Encodings without code extensions."""


class Character(NamedTuple):
    """A character as it stands in a value."""

    text: str
    """One character; empty for an escape sequence."""
    raw: bytes
    codes: CodeSet


Text = list[Character]
_ASCII_CHARACTERS: Final = [Character(chr(byte), bytes([byte]), ASCII) for byte in range(_HIGH)]


def characters(value: bytes, declared: bytes = b"") -> Text | None:
    """Read a value in a character set, given as the value of SpecificCharacterSet; None if it cannot be read."""
    if value.isascii() and _ESCAPE not in value:
        return [_ASCII_CHARACTERS[byte] for byte in value]
    terms = _terms(declared)
    whole = _WHOLE.get(terms[0])
    text = _whole(value, whole) if whole is not None else _switched(value, terms)
    if text is None and _ESCAPE not in value and whole not in {GB18030, GBK}:
        text = _whole(value, LATIN_1)
    return text


def _terms(declared: bytes) -> list[str]:
    return [term.strip().decode("latin-1").replace("_", " ") for term in declared.rstrip(b" \0").split(b"\\")]


def _whole(value: bytes, codes: CodeSet) -> Text | None:
    try:
        decoded = value.decode(codes.codec)
    except UnicodeDecodeError:
        return None
    text = [Character(each, each.encode(codes.codec), ASCII if each.isascii() else codes) for each in decoded]
    # An encoding may have two spellings of a character: what does not come out again was not read.
    return text if b"".join(each.raw for each in text) == value and _ESCAPE not in value else None


def _half(term: str) -> CodeSet | None:
    number = term.rpartition(" ")[2]
    return _UPPER_HALVES.get(number) if term.startswith(("ISO IR ", "ISO 2022 ")) else None


def _switched(value: bytes, terms: list[str]) -> Text | None:
    """Read a value with code extensions; both halves are as at its beginning behind each delimiter."""
    # Texts that forget to switch to the only other upper half there is are read as if they had.
    first = next((half for half in map(_half, terms) if half is not None), None)
    halves: list[CodeSet | None] = [None, first]
    text: Text = []
    at = 0
    while at < len(value):
        if value[at] == _ESCAPE:
            stop = _after_escape(value, at)
            switch = _ESCAPES.get(value[at + 1 : stop])
            if switch is None:
                return None
            halves[switch[0]] = switch[1]
            text.append(Character("", value[at:stop], ASCII))
        else:
            codes = halves[value[at] >= _HIGH] or ASCII
            stop = at + (codes.width or 1)
            letter = _letter(value[at:stop], codes)
            if letter is None:
                return None
            text.append(letter)
            if letter.text in _DELIMITERS and codes is ASCII:
                halves = [None, first]
        at = stop
    return text


def _after_escape(value: bytes, at: int) -> int:
    at += 1
    while at < len(value) and value[at] in _INTERMEDIATE:
        at += 1
    return at + 1


def _letter(raw: bytes, codes: CodeSet) -> Character | None:
    if codes is ASCII:
        return Character(chr(raw[0]), raw, ASCII) if raw[0] < _HIGH else None
    text = codes.decode(raw) if len(raw) == codes.width else None
    return Character(text, raw, codes) if text is not None and codes.encode(text) == raw else None


def encoded(text: str, declared: bytes) -> bytes | None:
    """Write a text in a character set, without switching between code sets; None if it cannot be written so."""
    terms = _terms(declared)
    whole = _WHOLE.get(terms[0])
    codes = whole if whole is not None else next((half for half in map(_half, terms) if half is not None), ASCII)
    spelled = [each.encode("ascii") if each.isascii() else codes.encode(each) for each in text]
    return b"".join(spelled) if all(spelled) else None
