"""Every error a caller may meet, as one tree.

    GqlServerError
    ├── NotFound, InvalidId, InvalidInput, InvalidCursor, Forbidden, IdempotencyConflict
    ├── UploadError       OffsetMismatch, ChecksumMismatch, DigestMismatch, UploadTooLarge, LengthExceeded,
    │                     UploadIncomplete, UploadClosed, UploadBusy, TooManyUploads
    ├── StorageError      StorageFull, BlobMissing, StoreNotShared
    ├── CaptureError      NotACapture, CaptureCut, RecordTooLarge, RecordMalformed, BlockMalformed,
    │                     UnsupportedCapture, CompressionBomb, CompressionDamaged
    ├── RulesError        RuleMalformed, RulesOverlap, RuleTargetTooSmall, RuleTargetsCollide, RuleFamiliesDiffer,
    │                     MacTargetTaken
    ├── JobError          JobNotCancellable, JobCancelled, ChildCrashed, ResourceLimit, AttemptsExhausted, TraceInUse,
    │                     TraceDeleted, TraceHasNoOrigin, OriginDeleted, KeyDestroyed, VerificationFailed, LeaseLost
    ├── DicomError        in `dicom_errors.py`
    └── SetupError        what keeps the server from starting; a sentence that says what to do

A class's docstring is its message; `{name}` stands for that fact. Facts hold no patient data, addresses or contents.
Each class has one code: an error crosses a process or a wire as its code and facts (`error_tree.py`).
"""

from dataclasses import dataclass, fields
from typing import ClassVar, dataclass_transform

from gql_server.domain.error_codes import ErrorCode

Fact = str | int


@dataclass_transform(eq_default=False)
@dataclass(eq=False)
class GqlServerError(Exception):
    """The server could not do what was asked."""

    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL

    def __init_subclass__(cls) -> None:
        # Each error is a dataclass of its facts; one with facts of its own takes them by keyword or position.
        dataclass(eq=False)(cls)

    def __str__(self) -> str:
        return (type(self).__doc__ or "").format(**self.facts())

    def facts(self) -> dict[str, Fact]:
        """Return the facts by name, fit for JSON."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class NotFound(GqlServerError):
    """There is no such {noun}."""

    code = ErrorCode.NOT_FOUND
    noun: str


class InvalidId(GqlServerError):
    """This is not the id of a {noun}."""

    code = ErrorCode.INVALID_ID
    noun: str


class InvalidInput(GqlServerError):
    """{field}: {reason}."""

    code = ErrorCode.INVALID_INPUT
    field: str
    reason: str


class InvalidCursor(GqlServerError):
    """This cursor was not made by this server."""

    code = ErrorCode.INVALID_CURSOR


class Forbidden(GqlServerError):
    """Your role does not allow this."""

    code = ErrorCode.FORBIDDEN


class IdempotencyConflict(GqlServerError):
    """This idempotency key was already used with other arguments."""

    code = ErrorCode.IDEMPOTENCY_CONFLICT


class UploadError(GqlServerError):
    """The upload could not go on."""


class OffsetMismatch(UploadError):
    """The upload stands at byte {offset}; send from there."""

    code = ErrorCode.OFFSET_MISMATCH
    offset: int


class ChecksumMismatch(UploadError):
    """The chunk does not match its checksum; nothing was kept, the upload stands at byte {offset}."""

    code = ErrorCode.CHECKSUM_MISMATCH
    offset: int


class DigestMismatch(UploadError):
    """The received bytes do not have the declared SHA-256."""

    code = ErrorCode.DIGEST_MISMATCH


class UploadTooLarge(UploadError):
    """An upload may have at most {limit_bytes} bytes."""

    code = ErrorCode.UPLOAD_TOO_LARGE
    limit_bytes: int


class LengthExceeded(UploadError):
    """The chunk reaches beyond the declared length of {length_bytes} bytes."""

    code = ErrorCode.LENGTH_EXCEEDED
    length_bytes: int


class UploadIncomplete(UploadError):
    """{offset} of {length_bytes} bytes have been received; send the rest first."""

    code = ErrorCode.UPLOAD_INCOMPLETE
    offset: int
    length_bytes: int


class UploadClosed(UploadError):
    """The upload is {state}; nothing can be added to it."""

    code = ErrorCode.UPLOAD_CLOSED
    state: str


class UploadBusy(UploadError):
    """Another request is writing to this upload."""

    code = ErrorCode.UPLOAD_BUSY


class TooManyUploads(UploadError):
    """You have {limit} uploads under way; finish or abort one first."""

    code = ErrorCode.TOO_MANY_UPLOADS
    limit: int


class StorageError(GqlServerError):
    """The bytes could not be stored or found."""


class StorageFull(StorageError):
    """There is not enough room on the server's disk."""

    code = ErrorCode.STORAGE_FULL


class BlobMissing(StorageError):
    """The file of this {noun} is not in the store."""

    code = ErrorCode.BLOB_MISSING
    noun: str


class StoreNotShared(StorageError):
    """The data directory is not the one this database was set up with; all servers and workers must share one."""

    code = ErrorCode.STORE_NOT_SHARED


class CaptureError(GqlServerError):
    """The capture could not be read."""


class NotACapture(CaptureError):
    """This is not a capture: byte {offset} does not begin a pcap or pcapng file."""

    code = ErrorCode.NOT_A_CAPTURE
    offset: int


class CaptureCut(CaptureError):
    """The capture ends inside the record that begins at byte {offset}, after {packets} whole packets."""

    code = ErrorCode.CAPTURE_CUT
    offset: int
    packets: int


class RecordTooLarge(CaptureError):
    """The record at byte {offset} declares {declared_bytes} bytes; at most {limit_bytes} are allowed."""

    code = ErrorCode.RECORD_TOO_LARGE
    offset: int
    declared_bytes: int
    limit_bytes: int


class RecordMalformed(CaptureError):
    """The record at byte {offset} is malformed: {reason}."""

    code = ErrorCode.RECORD_MALFORMED
    offset: int
    reason: str


class BlockMalformed(CaptureError):
    """The pcapng block at byte {offset} is malformed: {reason}."""

    code = ErrorCode.BLOCK_MALFORMED
    offset: int
    reason: str


class UnsupportedCapture(CaptureError):
    """The capture uses something not supported at byte {offset}: {reason}."""

    code = ErrorCode.UNSUPPORTED_CAPTURE
    offset: int
    reason: str


class CompressionBomb(CaptureError):
    """The file unpacks to over {limit_bytes} bytes or over {ratio} times its size; refused at byte {offset}."""

    code = ErrorCode.COMPRESSION_BOMB
    offset: int
    limit_bytes: int
    ratio: int


class CompressionDamaged(CaptureError):
    """The compressed file is damaged or cut near byte {offset}."""

    code = ErrorCode.COMPRESSION_DAMAGED
    offset: int


class RulesError(GqlServerError):
    """The rules contradict themselves."""


class RuleMalformed(RulesError):
    """Rule {index}: {reason}."""

    code = ErrorCode.RULE_MALFORMED
    index: int
    reason: str


class RulesOverlap(RulesError):
    """Rules {index} and {other} name the same source."""

    code = ErrorCode.RULES_OVERLAP
    index: int
    other: int


class RuleTargetTooSmall(RulesError):
    """Rule {index}: the target holds fewer addresses than the source."""

    code = ErrorCode.RULE_TARGET_TOO_SMALL
    index: int


class RuleTargetsCollide(RulesError):
    """Rules {index} and {other} would map two addresses to the same one."""

    code = ErrorCode.RULE_TARGETS_COLLIDE
    index: int
    other: int


class RuleFamiliesDiffer(RulesError):
    """Rule {index} leads from one IP version to the other."""

    code = ErrorCode.RULE_FAMILIES_DIFFER
    index: int


class MacTargetTaken(RulesError):
    """The address that MAC rule {index} makes is another device's in this capture."""

    code = ErrorCode.MAC_TARGET_TAKEN
    index: int


class JobError(GqlServerError):
    """The job could not be done."""


class JobNotCancellable(JobError):
    """The job is {state} and cannot be cancelled any more."""

    code = ErrorCode.JOB_NOT_CANCELLABLE
    state: str


class JobCancelled(JobError):
    """The job was cancelled."""

    code = ErrorCode.JOB_CANCELLED


class ChildCrashed(JobError):
    """The process that worked on the job ended without a verdict."""

    code = ErrorCode.CHILD_CRASHED


class ResourceLimit(JobError):
    """The job needed more {resource} than it may use."""

    code = ErrorCode.RESOURCE_LIMIT
    resource: str


class AttemptsExhausted(JobError):
    """The job failed {attempts} times without a verdict and is given up."""

    code = ErrorCode.ATTEMPTS_EXHAUSTED
    attempts: int


class TraceInUse(JobError):
    """A job is using this trace; cancel it or wait for it."""

    code = ErrorCode.TRACE_IN_USE


class TraceDeleted(JobError):
    """The trace was deleted; only its place in the lineage is left."""

    code = ErrorCode.TRACE_DELETED


class TraceHasNoOrigin(JobError):
    """The trace was not made from another one."""

    code = ErrorCode.TRACE_HAS_NO_ORIGIN


class OriginDeleted(JobError):
    """The trace that this one was made from was deleted."""

    code = ErrorCode.ORIGIN_DELETED


class KeyDestroyed(JobError):
    """The key of this engagement was destroyed."""

    code = ErrorCode.KEY_DESTROYED


class VerificationFailed(JobError):
    """The output did not pass its verification ({reason}); nothing was published."""

    code = ErrorCode.VERIFICATION_FAILED
    reason: str


class LeaseLost(JobError):
    """Another worker has taken the job over."""

    code = ErrorCode.LEASE_LOST


class SetupError(GqlServerError):
    """{advice}."""

    code = ErrorCode.SETUP
    advice: str
