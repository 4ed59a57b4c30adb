"""DICOM as tshark reads it."""

import re
import subprocess
from collections import Counter
from itertools import zip_longest
from pathlib import Path
from typing import Final

from tests.dicom.reading import connections_in
from tests.dicom.rereading import reread

_SETTINGS: Final = (
    "tcp.reassemble_out_of_order:TRUE",
    "dicom.export_minsize:0",
    "tcp.check_checksum:TRUE",
    "ip.check_checksum:TRUE",
)
_READ: Final = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}
_TAG: Final = re.compile(r"^( +)\(([0-9a-f]{4},[0-9a-f]{4})\) +(\S+) ", re.MULTILINE)
_FIELDS: Final = (
    "tcp.stream",
    "frame.number",
    "frame.len",
    "frame.time_epoch",
    "tcp.seq_raw",
    "tcp.flags",
    "tcp.checksum.status",
    "ip.checksum.status",
    "dicom.pdu.type",
    "dicom.pdu.len",
    "dicom.pdv.len",
    "dicom.pdv.ctx",
    "dicom.pdv.flags",
    "_ws.malformed",
)


def _tshark(path: Path, *words: str) -> str:
    settings = [word for setting in _SETTINGS for word in ("-o", setting)]
    done = subprocess.run(
        ["tshark", "-n", "-r", str(path), *settings, *words],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=True,
    )
    return done.stdout


def fields(path: Path) -> list[list[str]]:
    """Return what tshark reads of each TCP segment; of data that it misreads, no DICOM."""
    words = [word for field in _FIELDS for word in ("-e", field)]
    lines = _tshark(path, "-Y", "tcp", "-T", "fields", *words).splitlines()
    misread, cells = set(_misread(path)), [line.split("\t") for line in lines]
    return [one if int(one[0]) not in misread else one[: _FIELDS.index("dicom.pdu.type")] for one in cells]


def tags(path: Path) -> list[tuple[str, ...]]:
    """Return each tag that tshark reads, with its depth and its length."""
    apart = "".join(f" and tcp.stream != {number}" for number in _misread(path))
    return [one.groups() for one in _TAG.finditer(_tshark(path, "-Y", "dicom" + apart, "-O", "dicom"))]


def _misread(path: Path) -> list[int]:
    """Return the numbers of connections with deflated data sets or encapsulated pixels.

    It takes both for elements. It counts connections as we do.
    """
    return [
        number
        for number, connection in enumerate(connections_in(path.read_bytes()))
        if any(message.syntax and message.syntax not in _READ for message in reread(connection).messages)
    ]


def parity(original: Path, output: Path) -> list[str]:
    """Return where tshark reads another structure than in the original."""
    old, new = fields(original), fields(output)
    if len(old) != len(new):
        return [f"tshark sees {len(new)} segments, not {len(old)}"]
    return [
        f"frame {before[1]}: {name} is {two[:60]}, was {one[:60]}"
        for before, after in zip(old, new, strict=True)
        for name, one, two in zip(_FIELDS, before, after, strict=False)
        if one != two
    ] + [f"{one} is read where {two} was" for one, two in zip_longest(tags(output), tags(original)) if one != two]


def objects(path: Path, directory: Path) -> Counter[int]:
    """Export the DICOM objects of a capture; return how many have which size."""
    directory.mkdir()
    _tshark(path, "-q", "--export-objects", f"dicom,{directory}")
    return Counter(one.stat().st_size for one in directory.iterdir())
