"""Made-up patients and texts, and the list of all that was planted.

Every place of a data set gets words of its own, so that a word which stays tells where it stood. All of them come from
a seed; none belongs to anybody.
"""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_CONSONANTS: Final = "BCDFGHJKLMNPQRSTVWXZ"
_VOWELS: Final = "AEIOUY"
_GREEK: Final = "αβγδεζηθικλμνξοπρστυφχψω"
_HAN: Final = "山田川村林森高島木松井本中水石花春秋冬海空星月雨雪風光青白黒金銀東西南北大小新古長安明清平和"
"""In JIS X 0208, GB18030 and Unicode alike."""
_KANA: Final = "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわ"
_LATIN: Final = "ÄÖÜÉÈÀÇÑØßäöüéèàçñø"
_ROOT: Final = "1.2.826.0.1.3680043.9999"


class Kind(StrEnum):
    """What a planted value is."""

    NAME = "NAME"
    IDENTIFIER = "IDENTIFIER"
    TEXT = "TEXT"
    DATE = "DATE"
    UID = "UID"
    AE_TITLE = "AE_TITLE"
    CREDENTIAL = "CREDENTIAL"
    BINARY = "BINARY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One value that no output may show."""

    place: str
    """Keyword, or what the place is called."""
    kind: Kind
    text: str
    encoding: str
    """Of Python, as it is written into the data set; ISO 2022 without its escape sequences."""

    @property
    def data(self) -> bytes:
        """The bytes as they stand in the data set."""
        data = self.text.encode(self.encoding)
        return data[3:-3] if self.encoding == "iso2022_jp" and data.startswith(b"\x1b") else data


Oracle = tuple[Planted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Somebody who does not exist."""

    character_set: str | list[str] | None
    """Specific Character Set (0008,0005)."""
    name: str
    identifier: str
    accession: str
    birth_date: str
    study_date: str
    study_uid: str


class Planter:
    """Makes words, and remembers each of them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._planted: dict[tuple[str, str], Planted] = {}

    @property
    def oracle(self) -> Oracle:
        """All that was planted up to now."""
        return tuple(self._planted.values())

    def note(self, place: str, text: str, kind: Kind = Kind.TEXT, encoding: str = "ascii") -> str:
        """Remember a text that was planted."""
        self._planted[text, encoding] = Planted(place=place, kind=kind, text=text, encoding=encoding)
        return text

    def word(self, place: str, kind: Kind = Kind.TEXT, length: int = 9) -> str:
        """Make a word in capital letters."""
        letters = (self._random.choice((_CONSONANTS, _VOWELS)[n % 2]) for n in range(length))
        return self.note(place, "".join(letters), kind)

    def number(self, place: str, prefix: str = "", digits: int = 9, kind: Kind = Kind.IDENTIFIER) -> str:
        """Make an identifier that ends in digits."""
        return self.note(place, prefix + str(self._random.randrange(10 ** (digits - 1), 10**digits)), kind)

    def date(self, place: str, first: int, last: int) -> str:
        """Make a date of these years."""
        year, month, day = self._random.randint(first, last), self._random.randint(1, 12), self._random.randint(1, 28)
        return self.note(place, f"{year}{month:02}{day:02}", Kind.DATE)

    def uid(self, place: str, stem: str = _ROOT) -> str:
        """Make a UID below another; its last component is planted alone too."""
        last = self.number(place, digits=14, kind=Kind.UID)
        return self.note(place, f"{stem}.{last}", Kind.UID)

    def script(self, place: str, alphabet: str, length: int, encoding: str) -> str:
        """Make a name in a script."""
        text = "".join(self._random.choice(alphabet) for _ in range(length))
        return self.note(place, text, Kind.NAME, encoding)

    def patients(self) -> list[Patient]:
        """Make one patient of each character set."""
        latin, greek = "ISO_IR 100", "ISO_IR 192"
        latin_family = self.word("PatientName", Kind.NAME) + self.script("PatientName", _LATIN, 6, "latin-1")
        greek_name = (
            f"{self.script('PatientName', _GREEK, 8, 'utf-8')}^{self.script('PatientName', _GREEK, 6, 'utf-8')}"
        )
        return [
            self._patient(None, self._roman(), "MRN-"),
            self._patient(latin, f"{latin_family}^{self.word('PatientName', Kind.NAME).title()}^^Dr.", "P0"),
            self._patient(["", "ISO 2022 IR 87"], "=".join((self._roman(), *self._japanese())), "JP-"),
            self._patient(greek, f"{greek_name}={self._pair(_HAN, 'utf-8')}", "GR-"),
            self._patient("GB18030", f"{self._roman()}={self._pair(_HAN, 'gb18030')}", "CN"),
        ]

    def _roman(self) -> str:
        return f"{self.word('PatientName', Kind.NAME)}^{self.word('PatientName', Kind.NAME, 8).title()}"

    def _japanese(self) -> tuple[str, str]:
        return self._pair(_HAN, "iso2022_jp"), self._pair(_KANA, "iso2022_jp")

    def _pair(self, alphabet: str, encoding: str) -> str:
        return "^".join(self.script("PatientName", alphabet, 4, encoding) for _ in range(2))

    def _patient(self, character_set: str | list[str] | None, name: str, prefix: str) -> Patient:
        return Patient(
            character_set=character_set,
            name=name,
            identifier=self.number("PatientID", prefix),
            accession=self.number("AccessionNumber", "ACC"),
            birth_date=self.date("PatientBirthDate", 1931, 2004),
            study_date=self.date("StudyDate", 2011, 2023),
            study_uid=self.uid("StudyInstanceUID"),
        )
