import base64
import gzip
import io
import zipfile
import zlib

import pytest

from gql_server.domain.dicom_verification import SecretForm, SecretKind
from gql_server.engine.verify import dicom_scanning
from gql_server.engine.verify.dicom_scanning import Scanner
from gql_server.engine.verify.dicom_secrets import Secrets

TEXT = b"the patient Doeberg was here"


def scanner() -> Scanner:
    secrets = Secrets()
    secrets.add(SecretKind.NAME, b"DOEBERG")
    secrets.add(SecretKind.IDENTIFIER, b"7654321")
    return Scanner(secrets)


def forms_in(data: bytes) -> set[SecretForm]:
    return {hit.form for hit in scanner().scan(data)}


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.txt", TEXT * 9)
    return stream.getvalue()


CASES = {
    "plain": (TEXT, SecretForm.BYTES),
    "upper": (TEXT.upper(), SecretForm.BYTES),
    "utf-16": (TEXT.decode().encode("utf-16"), SecretForm.BYTES),
    "utf-16 at the beginning": (b"D\0o\0e\0b\0e\0r\0g\0", SecretForm.BYTES),
    "big-endian at the beginning": (b"\0D\0o\0e\0b\0e\0r\0g", SecretForm.BYTES),
    "percent": (b"q=%44%4f%45berg", SecretForm.PERCENT),
    "base64": (b"x: " + base64.b64encode(TEXT), SecretForm.BASE64),
    "base64 off its beat": (b"abc" + base64.b64encode(TEXT), SecretForm.BASE64),
    "base64 in lines": (base64.encodebytes(TEXT * 9), SecretForm.BASE64),
    "base64 for addresses": (base64.urlsafe_b64encode(b"\xff\xfe\xfd" + TEXT), SecretForm.BASE64),
    "base64 of utf-16": (base64.b64encode(TEXT.decode().encode("utf-16-le")), SecretForm.BASE64),
    "gzip": (b"--" + gzip.compress(TEXT), SecretForm.COMPRESSED),
    "gzip cut": (gzip.compress(TEXT)[:-9], SecretForm.COMPRESSED),
    "zlib": (b"--" + zlib.compress(TEXT), SecretForm.COMPRESSED),
    "zip": (zipped(), SecretForm.COMPRESSED),
    "gzip in base64 in gzip": (gzip.compress(base64.b64encode(gzip.compress(TEXT))), SecretForm.COMPRESSED),
}


@pytest.mark.parametrize("case", CASES)
def test_a_secret_is_found_in_every_form(case: str) -> None:
    data, form = CASES[case]
    assert form in forms_in(data)
    assert form in forms_in(bytes(10_000) + data + bytes(10_000))


def test_nothing_is_found_where_nothing_is() -> None:
    for data, _ in CASES.values():
        assert list(scanner().scan(data.translate(bytes(255 - i for i in range(256))))) == []
    assert list(Scanner(Secrets()).scan(TEXT)) == []


def test_digits_in_longer_numbers_are_chance() -> None:
    assert forms_in(b"id 7654321;") == {SecretForm.BYTES}
    assert forms_in(b"1.2.76543210.5") == set()
    assert forms_in(b"1.7654321.5") == set()


def test_a_place_is_told() -> None:
    hits = list(scanner().scan(bytes(5000) + TEXT))
    assert [(hit.at, hit.end, hit.kind) for hit in hits] == [(5012, 5019, SecretKind.NAME)]


def test_many_secrets_are_searched_for_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_scanning, "_AT_ONCE", 1)
    assert len(list(scanner().scan(TEXT + b" 7654321 "))) == 2


def test_a_bomb_is_cut_short() -> None:
    one = scanner()
    assert list(one.scan(gzip.compress(bytes(64 << 20)))) == []
    assert one.unpacked <= 9 << 20
