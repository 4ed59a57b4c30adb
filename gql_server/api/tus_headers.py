"""What tus says in its headers."""

import base64
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Self

from starlette.datastructures import Headers

from gql_server.domain.errors import InvalidInput

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
CHUNK_TYPE = "application/offset+octet-stream"
SHA256_BYTES = 32
MAX_DIGITS = 18


def read_number(headers: Headers, name: str) -> int:
    """Read a header that holds a whole number.

    Raises:
        InvalidInput: it is missing or something else.
    """
    text = headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise InvalidInput(field=name, reason="a whole number is wanted")
    return int(text)


def read_checksum(headers: Headers) -> bytes | None:
    """Read the digest that the body is to have.

    Raises:
        InvalidInput: it is no SHA-256.
    """
    header = headers.get("upload-checksum")
    if header is None:
        return None
    algorithm, _, digest = header.partition(" ")
    try:
        checksum = base64.b64decode(digest, validate=True)
    except ValueError as error:
        raise InvalidInput(field="Upload-Checksum", reason="the digest is not base64") from error
    if algorithm != "sha256" or len(checksum) != SHA256_BYTES:
        raise InvalidInput(field="Upload-Checksum", reason="only sha256 is taken")
    return checksum


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a client says of the file."""

    filename: str | None
    sha256: str | None
    flow: str | None

    @classmethod
    def of(cls, header: str | None) -> Self:
        """Read an Upload-Metadata header; keys that mean nothing here are passed over.

        Raises:
            InvalidInput: it is malformed.
        """
        values: dict[str, str] = {}
        for pair in (header or "").split(","):
            key, _, encoded = pair.strip().partition(" ")
            if not key:
                continue
            try:
                values[key] = base64.b64decode(encoded.strip(), validate=True).decode()
            except ValueError as error:
                raise InvalidInput(field="Upload-Metadata", reason="a value is not text in base64") from error
        return cls(
            filename=values.get("filename") or values.get("name"), sha256=values.get("sha256"), flow=values.get("flow")
        )


def write_metadata(filename: str) -> str:
    """Write an Upload-Metadata header."""
    return f"filename {base64.b64encode(filename.encode()).decode()}"


def write_time(time: datetime) -> str:
    """Write an HTTP date."""
    return format_datetime(time, usegmt=True)
