"""DICOM in a verification: what the second reader read."""

from typing import Self

import strawberry

from gql_server.api.enums import DicomAction, SecretForm, SecretKind, SecretPlace
from gql_server.api.scalars import SafeInt
from gql_server.domain import dicom_verification as domain


@strawberry.type(description="Elements of one tag that met the same end.")
class VerifiedElements:
    """A count."""

    tag: str = strawberry.field(
        description="Eight hexadecimal digits; xxxx0000 stands for all private tags, 0000xxxx for all unknown ones."
    )
    vr: str = strawberry.field(description="Their value representation.")
    action: DicomAction = strawberry.field(description="What became of their values.")
    elements: SafeInt = strawberry.field(description="How many.")
    bytes: SafeInt = strawberry.field(description="Bytes of their values.")

    @classmethod
    def of(cls, row: domain.VerifiedElements) -> Self:
        """Show a count."""
        return cls(tag=row.tag, vr=row.vr, action=row.action, elements=SafeInt(row.elements), bytes=SafeInt(row.bytes))


@strawberry.type(description="Pixel data of one modality.")
class VerifiedPixels:
    """A count."""

    modality: str = strawberry.field(description="Empty where the data set has none, OTHER for no code of PS3.3.")
    data_sets: SafeInt = strawberry.field(description="How many data sets.")
    bytes: SafeInt = strawberry.field(description="Bytes of pixel data.")
    kept_bytes: SafeInt = strawberry.field(description="Those of them that stayed.")

    @classmethod
    def of(cls, row: domain.VerifiedPixels) -> Self:
        """Show a count."""
        return cls(
            modality=row.modality,
            data_sets=SafeInt(row.data_sets),
            bytes=SafeInt(row.bytes),
            kept_bytes=SafeInt(row.bytes_kept),
        )


@strawberry.type(description="Places where an original value stands, of one kind, form and place.")
class SecretFinding:
    """A finding."""

    kind: SecretKind = strawberry.field(description="What the value is.")
    form: SecretForm = strawberry.field(description="The form in which it was found.")
    place: SecretPlace = strawberry.field(description="Where, which explains it.")
    hits: SafeInt = strawberry.field(description="How often.")
    first_packet: SafeInt = strawberry.field(description="The first packet it is in, from 1; 0 outside packets.")
    first_offset: SafeInt = strawberry.field(description="Where in the file the first one begins.")

    @classmethod
    def of(cls, row: domain.SecretFinding) -> Self:
        """Show a finding."""
        return cls(
            kind=row.kind,
            form=row.form,
            place=row.place,
            hits=SafeInt(row.hits),
            first_packet=SafeInt(row.first_packet),
            first_offset=SafeInt(row.first_offset),
        )


@strawberry.type(description="The search for original values over the whole file and over every stream put together.")
class SecretScan:
    """A scan."""

    secrets: SafeInt = strawberry.field(description="Distinct values that were searched for.")
    raw_bytes: SafeInt = strawberry.field(description="Bytes of the file.")
    reassembled_bytes: SafeInt = strawberry.field(description="Bytes of streams.")
    unpacked_bytes: SafeInt = strawberry.field(description="Bytes out of percent, base64, gzip, zlib and ZIP.")
    findings: list[SecretFinding] = strawberry.field(description="What was found, and why it may stand there.")

    @classmethod
    def of(cls, scan: domain.SecretScan) -> Self:
        """Show a scan."""
        return cls(
            secrets=SafeInt(scan.secrets),
            raw_bytes=SafeInt(scan.bytes_raw),
            reassembled_bytes=SafeInt(scan.bytes_reassembled),
            unpacked_bytes=SafeInt(scan.bytes_unpacked),
            findings=[SecretFinding.of(finding) for finding in scan.findings],
        )


@strawberry.type(description="What the second reader found of the DICOM in both files; no value of a data set.")
class DicomVerification:
    """The counts."""

    connections: SafeInt = strawberry.field(description="TCP connections whose payload is DICOM.")
    streams: SafeInt = strawberry.field(description="Their streams that carry any.")
    messages: SafeInt = strawberry.field(description="DIMSE messages.")
    data_sets: SafeInt = strawberry.field(description="Data sets.")
    elements: list[VerifiedElements] = strawberry.field(description="Elements by tag and what became of them.")
    pixels: list[VerifiedPixels] = strawberry.field(description="Pixel data by modality.")
    dicom_bytes: SafeInt = strawberry.field(description="Payload of these connections, retransmitted copies included.")
    kept_bytes: SafeInt = strawberry.field(description="Bytes of values that stayed.")
    kept_pixel_bytes: SafeInt = strawberry.field(description="Bytes of pixel data that stayed.")
    undecodable_bytes: SafeInt = strawberry.field(description="Bytes that cannot be read, and are zero now.")
    left_bytes: SafeInt = strawberry.field(description="Bytes that cannot be read and are not zero: 0 on every trace.")
    copies: SafeInt = strawberry.field(description="Pieces of streams that were captured again.")
    uids: SafeInt = strawberry.field(description="Distinct UIDs with a pseudonym.")
    names: SafeInt = strawberry.field(description="Distinct names with a pseudonym.")
    identifiers: SafeInt = strawberry.field(description="Distinct identifiers with a pseudonym.")
    times_shifted: bool = strawberry.field(description="Whether packet times moved.")
    scan: SecretScan = strawberry.field(description="The search for original values.")

    @classmethod
    def of(cls, found: domain.DicomVerification) -> Self:
        """Show the counts."""
        return cls(
            connections=SafeInt(found.connections),
            streams=SafeInt(found.streams),
            messages=SafeInt(found.messages),
            data_sets=SafeInt(found.data_sets),
            elements=[VerifiedElements.of(row) for row in found.elements],
            pixels=[VerifiedPixels.of(row) for row in found.pixels],
            dicom_bytes=SafeInt(found.bytes_dicom),
            kept_bytes=SafeInt(found.bytes_kept),
            kept_pixel_bytes=SafeInt(found.bytes_pixels_kept),
            undecodable_bytes=SafeInt(found.bytes_undecodable),
            left_bytes=SafeInt(found.bytes_left),
            copies=SafeInt(found.copies),
            uids=SafeInt(found.uids),
            names=SafeInt(found.names),
            identifiers=SafeInt(found.identifiers),
            times_shifted=found.times_shifted,
            scan=SecretScan.of(found.scan),
        )
