# names in other scripts
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.charset import convert_encodings, decode_bytes

from gql_server.engine.dicom.character_sets import HOMES, characters, encoded

# PS3.5 annexes H, I and K: names in code extensions, as the standard prints them.
JAPANESE = b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J"
KOREAN = b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf"
CHINESE = "Wang^XiaoDong=王^小东=".encode("gb18030")
HIDDEN = "囧^".encode("gb18030")
SETS = [
    (b"", b"Doe^John"),
    (b"ISO_IR 100", "Müller^Jörg".encode("latin-1")),
    (b"ISO_IR 101", "Wałęsa".encode("iso8859_2")),
    (b"ISO_IR 144", "Люксембург".encode("iso8859_5")),
    (b"ISO_IR 126", "Διονυσιος".encode("iso8859_7")),
    (b"ISO_IR 127", "قباني^لنزار".encode("iso8859_6")),
    (b"ISO_IR 138", "שרון^דבורה".encode("iso8859_8")),
    (b"ISO_IR 166", "นามสกุล".encode("tis_620")),
    (b"ISO_IR 192", "Wang^XiaoDong=王^小東".encode()),
    (b"ISO 2022 IR 13\\ISO 2022 IR 87", JAPANESE),
    (b"\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"),
    (b"\\ISO 2022 IR 149", KOREAN),
    (b"\\ISO 2022 IR 58", b"Zhang=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab"),
    (b"ISO 2022 IR 100\\ISO 2022 IR 144", b"M\xfcller \x1b-L\xbb\xee\xda"),
    (b"GB18030", CHINESE),
    (b"GBK", "王^小东".encode("gbk")),
]


@pytest.mark.parametrize(("declared", "value"), SETS)
def test_every_character_is_read_as_pydicom_reads_it(declared: bytes, value: bytes) -> None:
    text = characters(value, declared)
    assert text is not None
    assert b"".join(each.raw for each in text) == value
    encodings = convert_encodings(declared.decode().split("\\"))
    expected = (
        "".join(
            decode_bytes(part, encodings, set()) + delimiter
            for part, delimiter in [_split(each) for each in _parts(value)]
        )
        if declared.startswith((b"\\", b"ISO 2022"))
        else value.decode(encodings[0])
    )
    # pydicom leaves the escape sequence of GB 2312 in the text.
    assert "".join(each.text for each in text) == expected.replace("\x1b$)A", "")


def _parts(value: bytes) -> list[bytes]:
    """Split at delimiters outside of two-byte sets, each part with the one behind it."""
    parts, current, two = [], b"", False
    for at, byte in enumerate(value):
        current += bytes([byte])
        if value[at : at + 2] == b"\x1b$" and value[at + 2 : at + 3] != b")":
            two = True
        elif value[at : at + 2] == b"\x1b(":
            two = False
        if byte in b"^=" and not two:
            parts.append(current)
            current = b""
    return [*parts, current]


def _split(part: bytes) -> tuple[bytes, str]:
    return (part[:-1], part[-1:].decode()) if part[-1:] in {b"^", b"="} else (part, "")


def test_a_delimiter_inside_a_character_is_none() -> None:
    hidden = next(bytes([lead, 0x5E]) for lead in range(0x81, 0xFF) if _is_letter(bytes([lead, 0x5E])))
    text = characters(hidden + b"^x", b"GB18030")
    assert text is not None
    assert [each.text for each in text][1:] == ["^", "x"]
    japanese = characters(b"\x1b$B^^\x1b(B^", b"\\ISO 2022 IR 87")
    assert japanese is not None
    assert [each.raw for each in japanese] == [b"\x1b$B", b"^^", b"\x1b(B", b"^"]


def _is_letter(raw: bytes) -> bool:
    try:
        return len(raw.decode("gb18030")) == 1
    except UnicodeDecodeError:
        return False


@pytest.mark.parametrize("declared", [b"", b"ISO_IR 192", b"ISO_IR 6", b"NONSENSE"])
def test_what_cannot_be_read_is_latin_1(declared: bytes) -> None:
    text = characters(b"M\xfcller", declared)
    assert text is not None
    assert "".join(each.text for each in text) == "Müller"


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        (b"GB18030", b"\xff\xff"),
        (b"GBK", b"x\x81"),
        (b"ISO_IR 192", b"\xff\x1b(B"),
        (b"\\ISO 2022 IR 87", b"\x1b$B;"),
        (b"\\ISO 2022 IR 87", b"\x1b$B\x7f\x7f"),
        (b"", b"\x1b%Gabc"),
        (b"", b"\x1b"),
    ],
)
def test_what_makes_no_sense_is_not_read_at_all(declared: bytes, value: bytes) -> None:
    assert characters(value, declared) is None


@settings(deadline=None)
@given(st.binary(max_size=30), st.sampled_from([declared for declared, _ in SETS]))
def test_any_bytes_are_read_whole_or_not_at_all(value: bytes, declared: bytes) -> None:
    text = characters(value, declared)
    assert text is None or b"".join(each.raw for each in text) == value


def test_every_code_set_spells_what_it_reads() -> None:
    for codes in HOMES:
        assert codes.spelled
        assert all(codes.decode(raw) == text for text, raw in codes.spelled.items())


@pytest.mark.parametrize(
    ("text", "declared", "expected"),
    [
        ("Doe", b"", b"Doe"),
        ("Jörg", b"", None),
        ("Jörg", b"ISO_IR 100", "Jörg".encode("latin-1")),
        ("山", b"ISO_IR 192", "山".encode()),
        ("山", b"ISO_IR 100", None),
    ],
)
def test_a_text_is_written_without_switching(text: str, declared: bytes, expected: bytes | None) -> None:
    assert encoded(text, declared) == expected
