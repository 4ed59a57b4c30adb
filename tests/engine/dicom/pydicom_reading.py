"""What pydicom makes of its own test files, element by element."""

import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.encaps import generate_fragments
from pydicom.filereader import read_dataset, read_file_meta_info
from pydicom.uid import UID

from gql_server.engine.dicom.elements import vr_number

UNDEFINED = 0xFFFFFFFF
FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.dcm"))
PIXELS = 0x7FE00010
ANY_LENGTH = -2
"""Of an element that pydicom has converted by itself."""
UN = vr_number("UN")


@dataclass(frozen=True, slots=True)
class Body:
    """The data set of a file."""

    syntax: str
    data: bytes
    """As it stands in the file: deflated, if its syntax says so."""
    plain: bytes


def body_of(name: str) -> Body | None:
    """Return the data set of a file; None for what has no file meta information."""
    raw = (FOLDER / name).read_bytes()
    if raw[128:132] != b"DICM":
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        meta = read_file_meta_info(FOLDER / name)
    syntax = meta.get("TransferSyntaxUID")
    begin = _end_of_meta(raw)
    if syntax is None or begin is None:
        return None
    data = raw[begin:]
    plain = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data) if UID(syntax).is_deflated else data
    return Body(str(syntax), data, plain)


def _end_of_meta(raw: bytes) -> int | None:
    """Return where group 0002 ends: explicit VR little endian, its length first."""
    if raw[132:140] != b"\x02\0\0\0UL\x04\0":
        return None
    return 144 + int.from_bytes(raw[140:144], "little")


Row = tuple[int, int, int, int]
"""Depth, tag, VR (0 where the file does not say) and length (that of sequences is -1)."""


def rows_of(body: Body) -> list[Row]:
    """Return what pydicom reads."""
    syntax = UID(body.syntax)
    implicit = not syntax.is_private and syntax.is_implicit_VR
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = read_dataset(BytesIO(body.plain), implicit, syntax.is_private or syntax.is_little_endian)
        rows: list[Row] = []
        _flatten(found, 0, rows)
    return rows


def _flatten(data: Any, depth: int, rows: list[Row]) -> None:
    for tag in sorted(data.keys()):
        element = data.get_item(tag)
        vr = 0 if element.VR is None else vr_number(element.VR)
        raw = isinstance(element, RawDataElement)
        if raw and element.length == UNDEFINED and int(tag) == PIXELS:
            rows += [(depth, PIXELS, vr, len(part)) for part in generate_fragments(element.value)]
        elif element.VR == "SQ" or (element.VR is None and data[tag].VR == "SQ"):
            rows.append((depth, int(tag), vr_number("SQ"), -1))
            for item in data[tag].value or ():
                _flatten(item, depth + 1, rows)
        else:
            rows.append((depth, int(tag), vr, element.length if raw else ANY_LENGTH))


def agree(found: Row, told: Row) -> bool:
    """Say whether two rows are the same as far as the second one tells."""
    same_length = found[3] == told[3] or told[3] == ANY_LENGTH
    return found[:2] == told[:2] and same_length and told[2] in {0, UN, found[2]}
