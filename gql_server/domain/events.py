"""Events: committed facts, and cursors into them."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from gql_server.domain.errors import GqlServerError, InvalidCursor
from gql_server.domain.ids import ClientId, FlowId, JobId, TraceId
from gql_server.domain.jobs import Progress


class EventKind(StrEnum):
    """What happened; a past tense each."""

    JOB_SUBMITTED = "JOB_SUBMITTED"
    JOB_STARTED = "JOB_STARTED"
    JOB_PROGRESSED = "JOB_PROGRESSED"
    JOB_RETRIED = "JOB_RETRIED"
    JOB_CANCEL_REQUESTED = "JOB_CANCEL_REQUESTED"
    JOB_COMPLETED = "JOB_COMPLETED"
    JOB_FAILED = "JOB_FAILED"
    JOB_CANCELLED = "JOB_CANCELLED"


FINAL_EVENTS = frozenset({EventKind.JOB_COMPLETED, EventKind.JOB_FAILED, EventKind.JOB_CANCELLED})


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the event log: after the event with this transaction id and number.

    Both are compared as numbers. A cursor never names a place that an uncommitted transaction could still fill,
    because events are read only below the snapshot's horizon (`store/events.py`).
    """

    xid: int
    id: int

    def encode(self) -> str:
        """Return the opaque form that clients keep."""
        return base64.urlsafe_b64encode(f"e1:{self.xid}:{self.id}".encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read the opaque form.

        Raises:
            InvalidCursor: the text was not made by `encode`.
        """
        try:
            padded = text + "=" * (-len(text) % 4)
            version, xid, number = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").split(":")
            cursor = cls(int(xid), int(number))
        except (binascii.Error, UnicodeDecodeError, ValueError) as error:
            raise InvalidCursor from error
        if version != "e1" or not (0 <= cursor.xid < 2**63 and 0 <= cursor.id < 2**63) or cursor.encode() != text:
            raise InvalidCursor
        return cursor


START = Cursor(0, 0)
"""Before every event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One committed fact about a job."""

    cursor: Cursor
    client_id: ClientId
    flow_id: FlowId
    job_id: JobId
    seq: int
    """Number of the event within its job, from 1, without gaps."""
    kind: EventKind
    at: datetime
    progress: Progress | None
    output_trace_id: TraceId | None
    error: GqlServerError | None
