"""Errors of de-identifying DICOM, a branch of the one tree.

GqlServerError
└── DicomError            DicomUndecodable, UidCollision, OverrideMalformed, OverrideTooLong, DatesOutOfRange
"""

from gql_server.domain.error_codes import ErrorCode
from gql_server.domain.errors import GqlServerError


class DicomError(GqlServerError):
    """The DICOM in this capture cannot be de-identified."""


class DicomUndecodable(DicomError):
    """DICOM of association {association} cannot be read ({problem}) from packet {packet} on; nothing was published."""

    code = ErrorCode.DICOM_UNDECODABLE
    association: int
    problem: str
    packet: int


class UidCollision(DicomError):
    """Two UIDs would share a pseudonym; nothing was published."""

    code = ErrorCode.UID_COLLISION


class OverrideMalformed(DicomError):
    """Override {index} is malformed: {reason}."""

    code = ErrorCode.OVERRIDE_MALFORMED
    index: int
    """From 0."""
    reason: str


class OverrideTooLong(DicomError):
    """The replacement of override {index} is longer than what it replaces, which has {length} bytes."""

    code = ErrorCode.OVERRIDE_TOO_LONG
    index: int
    length: int


class DatesOutOfRange(DicomError):
    """Packet times cannot be shifted: packet {packet} would leave the range of its format."""

    code = ErrorCode.DATES_OUT_OF_RANGE
    packet: int
