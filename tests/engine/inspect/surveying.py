"""Surveys of captures in memory, and what they found."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from gql_server.domain.inspection import (
    Conversation,
    FileDigest,
    InspectionOrder,
    IpMacPair,
    ProtocolCount,
    RowRequest,
    Talker,
)
from gql_server.engine.capture.windows import CaptureWindows
from gql_server.engine.inspect import reading
from gql_server.engine.inspect.survey import Survey, SurveyLimits
from tests.captures import packets, pcap
from tests.engine.doubles import BytesSource

ALL = RowRequest(size=1 << 30)
ALL_BY_PACKETS = RowRequest(size=1 << 30, order=InspectionOrder.PACKETS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All that a survey wrote down."""

    conversations: tuple[Conversation, ...]
    talkers: tuple[Talker, ...]
    pairs: tuple[IpMacPair, ...]
    protocols: dict[str, ProtocolCount]
    summary: dict[str, Any]
    files: tuple[FileDigest, ...]
    content: dict[str, bytes]

    def names(self) -> set[str]:
        """Return the protocols that were met."""
        return set(self.protocols)


def opener(directory: Path) -> Callable[[str], BinaryIO]:
    """Return what opens the files of a directory."""
    return lambda name: (directory / name).open("rb")


def survey(
    capture: bytes,
    *,
    window: int = 1 << 20,
    piece: int = 1 << 30,
    strip: bool = False,
    limits: SurveyLimits | None = None,
) -> Survey:
    """Survey a capture."""
    found = Survey(limits)
    for one in CaptureWindows(BytesSource(capture, piece), strip=strip, window_bytes=window):
        found.add(one)
    return found


def write(surveyed: Survey) -> Found:
    """Have a survey write its files, and read them."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        files = surveyed.finish(directory)
        open_file = opener(directory)
        protocols = reading.read_protocols(open_file, ALL).items
        return Found(
            conversations=reading.read_conversations(open_file, ALL).items,
            talkers=reading.read_talkers(open_file, ALL).items,
            pairs=reading.read_pairs(open_file, ALL).items,
            protocols={each.name: each for each in protocols},
            summary=json.loads((directory / "inspection.json").read_bytes()),
            files=files,
            content={path.name: path.read_bytes() for path in directory.iterdir()},
        )


def find(
    capture: bytes,
    *,
    window: int = 1 << 20,
    piece: int = 1 << 30,
    strip: bool = False,
    limits: SurveyLimits | None = None,
) -> Found:
    """Survey a capture and read what was written."""
    return write(survey(capture, window=window, piece=piece, strip=strip, limits=limits))


def find_in(*frames: bytes, link_type: int = 1) -> Found:
    """Survey packets, a second apart."""
    return find(pcap(packets(*frames), link_type=link_type))
