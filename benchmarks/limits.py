"""What the engine is held to."""

from dataclasses import dataclass
from enum import StrEnum

from benchmarks.contenders import COPY, DEBIAN, INSPECT, NEWER, REWRITE, VERIFY


class Part(StrEnum):
    """What one run can measure."""

    IMIX = "imix"
    LARGE = "large"
    UNIQUE = "unique"
    PCAPNG = "pcapng"
    STREAM = "stream"
    START = "start"
    PAIR = "pair"
    CT = "ct"
    CT_LARGE = "ct-large"
    ELEMENTS = "elements"
    PREVIEW = "preview"


ON_REQUEST = frozenset({Part.CT_LARGE})
"""Measured only when named: it takes 3 GB of memory for its files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One bound on one figure."""

    part: Part
    what: str
    bound: float
    at_most: bool = False
    unit: str = "x"

    def verdict(self, figure: float | None) -> str:
        """Say whether the figure keeps the bound."""
        if figure is None:
            return "not measured"
        kept = figure <= self.bound if self.at_most else figure >= self.bound
        return "ok" if kept else "ABOVE" if self.at_most else "BELOW"


def versus(name: str, against: str) -> str:
    """Name the figure that tells how many times as fast one is as the other."""
    return f"{name} / {against}"


RATE = "engine: rewrite, packets"
PEAK = "a job, most memory held over 6 GB"
PROOF = "a proof, most memory held over unique sources"
COLD = "job start, kernel cache warm"
SECONDS = "a de-identification, least processor time"
DICOM_PEAK = "a de-identification, most memory held"
PREVIEWED = "a preview, least processor time"
PAIRED = "two traces, two workers / one trace"

LIMITS = (
    Limit(part=Part.IMIX, what=versus(REWRITE, NEWER), bound=1.8),
    Limit(part=Part.IMIX, what=versus(REWRITE, DEBIAN), bound=6.0),
    Limit(part=Part.IMIX, what=versus(REWRITE, COPY), bound=0.55),
    Limit(part=Part.IMIX, what=versus(INSPECT, REWRITE), bound=0.5),
    Limit(part=Part.IMIX, what=versus(VERIFY, REWRITE), bound=0.5),
    Limit(part=Part.LARGE, what=versus(REWRITE, COPY), bound=0.70),
    Limit(part=Part.PCAPNG, what=versus(REWRITE, NEWER), bound=1.5),
    Limit(part=Part.UNIQUE, what=RATE, bound=2.5, unit="Mpkt/s"),
    Limit(part=Part.STREAM, what=PEAK, bound=256, at_most=True, unit="MB"),
    Limit(part=Part.STREAM, what=PROOF, bound=256, at_most=True, unit="MB"),
    Limit(part=Part.START, what=COLD, bound=1.5, at_most=True, unit="s"),
    Limit(part=Part.PAIR, what=PAIRED, bound=1.2, at_most=True),
    Limit(part=Part.CT, what=SECONDS, bound=3, at_most=True, unit="s"),
    Limit(part=Part.CT_LARGE, what=DICOM_PEAK, bound=512, at_most=True, unit="MB"),
    Limit(part=Part.ELEMENTS, what=SECONDS, bound=20, at_most=True, unit="s"),
    Limit(part=Part.PREVIEW, what=PREVIEWED, bound=1, at_most=True, unit="s"),
)
