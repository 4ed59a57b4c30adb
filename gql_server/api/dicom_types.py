"""DICOM: associations, devices, overrides, proposals."""

import hashlib
from typing import Self

import strawberry

from gql_server.api.context import Info
from gql_server.api.enums import AssociationOutcome, DicomAction, DicomProblem, InspectionOrder, OverrideAction
from gql_server.api.fields import field
from gql_server.api.paging import After, Before, First, Last, page_request
from gql_server.api.row_paging import Connection, RowPage
from gql_server.api.scalars import SafeInt
from gql_server.domain import dicom, traces
from gql_server.domain.ids import TraceId
from gql_server.domain.inspection import Rows
from gql_server.domain.paging import PageRequest
from gql_server.services import dicom as services


@strawberry.type(description="A presentation context of an association (PS3.8).")
class DicomPresentationContext:
    """A context."""

    number: int = strawberry.field(description="Its id within the association.")
    abstract_syntax: str = strawberry.field(description="The UID of what is spoken of.")
    transfer_syntaxes: list[str] = strawberry.field(description="The UIDs of the transfer syntaxes that were proposed.")
    accepted_syntax: str | None = strawberry.field(description="The UID of the one that was accepted.")
    result: int | None = strawberry.field(
        description="0 accepted, 1 rejected by the user, 2 no reason, 3 abstract syntax, 4 transfer syntaxes."
    )

    @classmethod
    def of(cls, row: dicom.PresentationContext) -> Self:
        """Show a context."""
        return cls(
            number=row.id,
            abstract_syntax=row.abstract_syntax,
            transfer_syntaxes=list(row.transfer_syntaxes),
            accepted_syntax=row.accepted_syntax,
            result=row.result,
        )


@strawberry.type(description="How many DIMSE messages there are of one kind.")
class DicomMessageCount:
    """A count."""

    name: str = strawberry.field(description="The kind, such as C-STORE-RQ.")
    messages: SafeInt = strawberry.field(description="How many.")


@strawberry.type(description="A DICOM association, found by its content on any port, or TLS that probably is one.")
class DicomAssociation:
    """An association."""

    number: int = strawberry.field(description="From 1, in the order of the first packets.")
    client_address: str = strawberry.field(description="The address of the side that asked for it.")
    client_port: int = strawberry.field(description="Its port.")
    server_address: str = strawberry.field(description="The other address.")
    server_port: int = strawberry.field(description="Its port.")
    first_packet: SafeInt = strawberry.field(description="The number of its first packet, from 1.")
    packets: SafeInt = strawberry.field(description="TCP segments with payload, both ways.")
    outcome: AssociationOutcome = strawberry.field(description="How its negotiation ended.")
    calling_ae_title: str = strawberry.field(description="The title that the client gives itself.")
    called_ae_title: str = strawberry.field(description="The title that it calls.")
    client_implementation_class_uid: str = strawberry.field(description="The client's implementation.")
    client_implementation_version: str = strawberry.field(description="Its version name.")
    server_implementation_class_uid: str = strawberry.field(description="The server's implementation.")
    server_implementation_version: str = strawberry.field(description="Its version name.")
    presentation_contexts: list[DicomPresentationContext] = strawberry.field(description="What was negotiated.")
    messages: list[DicomMessageCount] = strawberry.field(description="DIMSE messages by kind.")
    data_sets: SafeInt = strawberry.field(description="How many data sets it carries.")
    bytes: SafeInt = strawberry.field(description="Payload of both streams.")
    unreadable_bytes: SafeInt = strawberry.field(description="Those of them that nothing could be made of.")
    problems: list[DicomProblem] = strawberry.field(description="What is unusual about it.")

    @classmethod
    def of(cls, row: dicom.DicomAssociation) -> Self:
        """Show a row."""
        return cls(
            number=row.number,
            client_address=row.client,
            client_port=row.client_port,
            server_address=row.server,
            server_port=row.server_port,
            first_packet=SafeInt(row.first_packet),
            packets=SafeInt(row.packets),
            outcome=row.outcome,
            calling_ae_title=row.calling_ae,
            called_ae_title=row.called_ae,
            client_implementation_class_uid=row.client_implementation_uid,
            client_implementation_version=row.client_implementation_version,
            server_implementation_class_uid=row.server_implementation_uid,
            server_implementation_version=row.server_implementation_version,
            presentation_contexts=[DicomPresentationContext.of(context) for context in row.contexts],
            messages=[
                DicomMessageCount(name=name, messages=SafeInt(count)) for name, count in sorted(row.messages.items())
            ],
            data_sets=SafeInt(row.data_sets),
            bytes=SafeInt(row.bytes),
            unreadable_bytes=SafeInt(row.bytes_unreadable),
            problems=[DicomProblem(problem) for problem in row.problems],
        )


@strawberry.type(description="What data sets say of the device at an address; the first value of a field comes first.")
class DicomDevice:
    """A device."""

    address: str = strawberry.field(description="Its IP address.")
    ae_titles: list[str] = strawberry.field(description="Titles that it gives itself or is called by.")
    manufacturer: list[str] = strawberry.field(description="Manufacturer (0008,0070).")
    model_name: list[str] = strawberry.field(description="ManufacturerModelName (0008,1090).")
    serial_number: list[str] = strawberry.field(description="DeviceSerialNumber (0018,1000).")
    software_versions: list[str] = strawberry.field(description="SoftwareVersions (0018,1020).")
    station_name: list[str] = strawberry.field(description="StationName (0008,1010).")
    transducer_data: list[str] = strawberry.field(description="TransducerData (0018,5010).")

    @classmethod
    def of(cls, row: dicom.DicomDevice) -> Self:
        """Show a row."""
        return cls(
            address=row.address,
            ae_titles=list(row.ae_titles),
            manufacturer=list(row.manufacturer),
            model_name=list(row.model_name),
            serial_number=list(row.serial_number),
            software_versions=list(row.software_versions),
            station_name=list(row.station_name),
            transducer_data=list(row.transducer_data),
        )


@strawberry.type(description="What a person decided about an element, or about all at one path.")
class DicomOverride:
    """An override."""

    element: str = strawberry.field(description="The id of a proposal, or tags joined by dots from the outermost on.")
    action: OverrideAction = strawberry.field(description="What becomes of its value.")
    value: str | None = strawberry.field(description="What REPLACE writes.")

    @classmethod
    def of(cls, row: dicom.DicomOverride) -> Self:
        """Show an override."""
        return cls(element=row.element, action=row.action, value=row.value)


@strawberry.type(description="What would become of a value: one row for all elements of an association that are alike.")
class DicomProposal:
    """A row of a preview."""

    element: str = strawberry.field(description="Its id for `setDicomOverrides`, the same in the whole engagement.")
    association: int = strawberry.field(description="The number of the association.")
    path: str = strawberry.field(description="Tags joined by dots, from the outermost sequence on.")
    tag: str = strawberry.field(description="Eight hexadecimal digits; empty for a field of an association PDU.")
    keyword: str = strawberry.field(description="Its keyword in PS3.6, or the name of the PDU's field.")
    vr: str = strawberry.field(description="Its value representation.")
    table_action: str = strawberry.field(description="The code of PS3.15 Table E.1-1; empty where it has no row.")
    action: DicomAction = strawberry.field(description="What becomes of it.")
    original: str = strawberry.field(description="The value in the trace; a long one is cut.")
    proposed: str = strawberry.field(description="The value that a job would write; a long one is cut.")
    length: int = strawberry.field(description="The bytes that there is room for.")
    fits: bool = strawberry.field(description="Whether the value of an override is short enough.")
    count: SafeInt = strawberry.field(description="The elements that the row stands for.")

    @classmethod
    def of(cls, row: dicom.DicomProposal) -> Self:
        """Show a row."""
        return cls(
            element=row.element,
            association=row.association,
            path=row.path,
            tag=row.tag,
            keyword=row.keyword,
            vr=row.vr,
            table_action=row.table_action,
            action=row.action,
            original=row.original,
            proposed=row.proposed,
            length=row.length,
            fits=row.fits,
            count=SafeInt(row.count),
        )


@strawberry.type
class DicomTrace:
    """The fields of a trace that tell of its DICOM."""

    row: strawberry.Private[traces.Trace]

    @field("Its DICOM associations by number; null until `startDicomExtraction` has completed, and for a tombstone.")
    async def dicom_associations(
        self, info: Info, *, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[DicomAssociation] | None:
        """List them."""
        page = page_request(first=first, after=after, last=last, before=before)
        rows = _listed(page, f"{self.row.dicom_execution_id}/associations")
        context = info.context
        found = await services.list_associations(context.resources, context.actor, self.row, rows.request())
        return rows.connection(found, DicomAssociation.of)

    @field("The devices that its data sets name; null as above.")
    async def dicom_devices(
        self, info: Info, *, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[DicomDevice] | None:
        """List them."""
        page = page_request(first=first, after=after, last=last, before=before)
        rows = _listed(page, f"{self.row.dicom_execution_id}/devices")
        context = info.context
        found = await services.list_devices(context.resources, context.actor, self.row, rows.request())
        return rows.connection(found, DicomDevice.of)

    @field("What its next DICOM de-identification will keep or replace, in the order in which it was given.")
    async def dicom_overrides(
        self, info: Info, *, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[DicomOverride] | None:
        """List them."""
        page = page_request(first=first, after=after, last=last, before=before)
        return await override_connection(info, page, self.row.id)


def _listed(page: PageRequest, name: str) -> RowPage:
    return RowPage(page=page, order=InspectionOrder.PACKETS, name=name)


async def override_connection(info: Info, page: PageRequest, trace_id: TraceId) -> Connection[DicomOverride] | None:
    """List the overrides of a trace; a cursor into others than are set now is refused."""
    found = await services.find_overrides(info.context.resources, info.context.actor, trace_id)
    digest = hashlib.sha256(repr(found).encode()).hexdigest()
    rows = _listed(page, f"{trace_id}/overrides/{digest}")
    request = rows.request()
    start, stop = request.span(len(found))
    return rows.connection(
        Rows(items=found[start:stop], start=start, total=len(found), is_complete=True), DicomOverride.of
    )
