"""The scan: it finds what is there, in every form, and says what is not."""

import base64
import gzip
import zlib

import pytest

from tests.dicom.canaries import Scanner, forms_of, missing
from tests.dicom.planting import Kind, Planted, Planter
from tests.dicom.scenes import Recording
from tests.dicom.wire import capture_of

WORD = Planted(place="PatientName", kind=Kind.NAME, text="QUXAVOMEL", encoding="ascii")
DATA = b"before " + WORD.data + b" after"
FORMS = {
    "plain": DATA,
    "case": DATA.title(),
    "UTF-16": DATA.decode().encode("utf-16-le"),
    "UTF-16 of the other order": DATA.decode().encode("utf-16-be"),
    "percent": b"".join(b"%%%02x" % byte for byte in DATA),
    "hexadecimal": DATA.hex().upper().encode(),
    "base64": base64.b64encode(DATA),
    "base64 behind one byte": base64.b64encode(b"x" + DATA),
    "base64 behind two bytes": base64.b64encode(b"xx" + DATA),
}
MEMBERS = {
    "gzip": gzip.compress(DATA, mtime=0),
    "zlib": zlib.compress(DATA),
    "zlib, best": zlib.compress(DATA, 9),
    "gzip, cut": gzip.compress(DATA * 50 + bytes(range(256)) * 20, mtime=0)[:400],
}


@pytest.mark.parametrize("name", FORMS)
def test_a_word_is_found_in_every_form(name: str) -> None:
    assert Scanner([WORD]).find_bytes(FORMS[name])
    assert not Scanner([WORD]).find_bytes(FORMS[name][: len(FORMS[name]) // 2])


@pytest.mark.parametrize("name", MEMBERS)
def test_a_word_is_found_in_what_unpacks(name: str) -> None:
    assert Scanner([WORD]).find(bytes(24) + b"\x1f\x8b\x08" + MEMBERS[name] + b"rest")
    assert not Scanner([WORD]).find(bytes(24) + MEMBERS[name][2:])


def test_words_in_other_scripts_are_found_in_other_character_sets() -> None:
    planter = Planter(3)
    planter.script("PatientName", "山田川村", 4, "iso2022_jp")
    (one,) = planter.oracle
    for encoding in ("utf-8", "gb18030", "shift_jis", "utf-16-le"):
        assert Scanner([one]).find_bytes(one.text.encode(encoding))
    assert one.data in dict(forms_of(one)).values()


def test_what_is_not_there_is_missing(small_recording: Recording) -> None:
    data = capture_of(small_recording.wire).file()
    present = tuple(one for one in small_recording.oracle if one.data in data)
    assert missing(data, present) == []
    assert missing(data, (*present, WORD)) == ["PatientName: QUXAVOMEL"]
