"""Lists of associations and devices, read by page from files.

A list is a JSON array with a row on each line, and beside it an index: where each row begins, in bytes, eight bytes
little-endian each. Files never change, so a row's number is its place for good. Nothing here needs a kernel.
"""

import hashlib
import json
import struct
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from gql_server.domain.dicom import AssociationOutcome, DicomAssociation, DicomDevice, PresentationContext
from gql_server.domain.inspection import FileDigest, RowRequest, Rows
from gql_server.engine.dicom.tasks import DicomExtracted, DicomListed

ASSOCIATIONS_FILE: Final = "associations.json"
ASSOCIATIONS_INDEX: Final = "associations.index"
DEVICES_FILE: Final = "devices.json"
DEVICES_INDEX: Final = "devices.index"

OpenFile = Callable[[str], BinaryIO]
"""Opens a file of the list by its name."""

T = TypeVar("T")

_PLACE: Final = struct.Struct("<Q")


def write_lists(extracted: DicomExtracted, directory: Path) -> DicomListed:
    """Write both lists with their indexes; OSError where the disk refuses, FileExistsError where one is there."""
    files = [
        *_write(directory, ASSOCIATIONS_FILE, ASSOCIATIONS_INDEX, map(asdict, extracted.associations)),
        *_write(directory, DEVICES_FILE, DEVICES_INDEX, map(asdict, extracted.devices)),
    ]
    return DicomListed(
        files=tuple(files),
        associations=len(extracted.associations),
        devices=len(extracted.devices),
        encrypted=extracted.encrypted,
    )


def read_associations(open_file: OpenFile, request: RowRequest) -> Rows[DicomAssociation]:
    """Read associations, in the order of their first packets."""
    return _read(open_file, ASSOCIATIONS_FILE, ASSOCIATIONS_INDEX, request, _association)


def read_devices(open_file: OpenFile, request: RowRequest) -> Rows[DicomDevice]:
    """Read devices."""
    return _read(open_file, DEVICES_FILE, DEVICES_INDEX, request, _device)


def _write(directory: Path, name: str, index: str, rows: Iterable[dict[str, Any]]) -> list[FileDigest]:
    places = bytearray()
    with (directory / name).open("xb") as file:
        file.write(b"[")
        for row in rows:
            file.write(b",\n" if places else b"\n")
            places += _PLACE.pack(file.tell())
            file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))
        file.write(b"\n]\n")
    with (directory / index).open("xb") as file:
        file.write(places)
    return [_digest(directory / name), _digest(directory / index)]


def _digest(path: Path) -> FileDigest:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileDigest(name=path.name, size_bytes=path.stat().st_size, sha256=digest)


def _read(
    open_file: OpenFile, name: str, index: str, request: RowRequest, row_of: Callable[[dict[str, Any]], T]
) -> Rows[T]:
    with open_file(index) as places:
        total = places.seek(0, 2) // _PLACE.size
        start, stop = request.span(total)
        if start == stop:
            return Rows(items=(), start=start, total=total, is_complete=True)
        places.seek(start * _PLACE.size)
        (first,) = _PLACE.unpack(places.read(_PLACE.size))
    with open_file(name) as file:
        file.seek(first)
        lines = (file.readline() for _ in range(stop - start))
        items = tuple(row_of(json.loads(line.rstrip(b",\n"))) for line in lines)
    return Rows(items=items, start=start, total=total, is_complete=True)


def _association(body: dict[str, Any]) -> DicomAssociation:
    known = {
        "outcome": AssociationOutcome(body["outcome"]),
        "contexts": tuple(map(_context, body["contexts"])),
        "problems": tuple(body["problems"]),
    }
    return DicomAssociation(**{**body, **known})


def _context(body: dict[str, Any]) -> PresentationContext:
    return PresentationContext(**{**body, "transfer_syntaxes": tuple(body["transfer_syntaxes"])})


def _device(body: dict[str, Any]) -> DicomDevice:
    known: dict[str, Any] = {name: tuple(value) for name, value in body.items() if isinstance(value, list)}
    return DicomDevice(**{**body, **known})
