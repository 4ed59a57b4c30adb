"""Identifiers, one type a noun."""

from typing import NewType
from uuid import UUID, uuid4

ClientId = NewType("ClientId", UUID)
UserId = NewType("UserId", UUID)
EngagementId = NewType("EngagementId", UUID)
FlowId = NewType("FlowId", UUID)
UploadId = NewType("UploadId", UUID)
TraceId = NewType("TraceId", UUID)
JobId = NewType("JobId", UUID)
ExecutionId = NewType("ExecutionId", UUID)
ArtifactId = NewType("ArtifactId", UUID)
KeyId = NewType("KeyId", UUID)


def new_id() -> UUID:
    """Return a fresh random id; random, so that a unique constraint tells nobody anything."""
    return uuid4()
