"""What tus says in its headers."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from gql_server.api.tus_headers import Metadata, read_checksum, read_number, write_metadata
from gql_server.domain.errors import InvalidInput


@pytest.mark.parametrize("text", ["", "-1", "1.5", " 1", "²", "٣", "1" * 19])
def test_what_is_no_number_is_refused(text: str) -> None:
    headers = Headers(raw=[(b"upload-offset", text.encode("latin-1", errors="replace"))])
    with pytest.raises(InvalidInput):
        read_number(headers, "upload-offset")


@given(st.integers(min_value=0, max_value=10**18 - 1))
def test_a_number_is_read(number: int) -> None:
    assert read_number(Headers({"upload-offset": str(number)}), "upload-offset") == number


@given(st.text(min_size=1))
def test_a_file_name_comes_back_as_it_was(name: str) -> None:
    assert Metadata.of(write_metadata(name)).filename == name


@given(st.text())
def test_any_metadata_is_read_or_refused(header: str) -> None:
    try:
        Metadata.of(header)
    except InvalidInput as error:
        assert error.field == "Upload-Metadata"  # noqa: PT017  # both outcomes are fine, a crash is not


def test_keys_that_mean_nothing_are_passed_over() -> None:
    assert Metadata.of("is_confidential, filetype YQ==") == Metadata(filename=None, sha256=None, flow=None)


def test_the_digest_of_a_chunk_is_read() -> None:
    digest = bytes(range(32))
    assert read_checksum(Headers({"upload-checksum": f"sha256 {base64.b64encode(digest).decode()}"})) == digest
    assert read_checksum(Headers({})) is None


@pytest.mark.parametrize("header", ["sha256", "sha256 ", "sha256 AAAA", "md5 AAAA", "sha256 é"])
def test_what_is_no_digest_is_refused(header: str) -> None:
    with pytest.raises(InvalidInput):
        read_checksum(Headers(raw=[(b"upload-checksum", header.encode("latin-1"))]))
