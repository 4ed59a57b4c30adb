"""DICOM: queries and mutations."""

from functools import partial
from typing import Annotated, Self

import strawberry

from gql_server.api.context import Info
from gql_server.api.dicom_types import DicomProposal
from gql_server.api.enums import (
    AddressMapping,
    DamagePolicy,
    DatePolicy,
    ForeignPolicy,
    MacMapping,
    NamePolicy,
    OverrideAction,
    PixelPolicy,
)
from gql_server.api.errors import UserError, settle
from gql_server.api.fields import THE_INPUT, field, mutation
from gql_server.api.ids import GlobalId
from gql_server.api.jobs import OF_IDEMPOTENCY_KEY, OF_NAME
from gql_server.api.paging import check_page_size
from gql_server.api.scalars import SafeInt
from gql_server.api.traces import ERRORS, TracesId
from gql_server.api.types import Job, Trace
from gql_server.domain import dicom as rows
from gql_server.domain.anonymization import AnonymizationParameters
from gql_server.domain.deidentification import DeidentificationParameters
from gql_server.domain.dicom import DicomParameters
from gql_server.domain.ids import TraceId
from gql_server.domain.inspection import Rows
from gql_server.domain.paging import MAX_PAGE_SIZE
from gql_server.services import dicom as services


@strawberry.input(description="How DICOM is de-identified; the default keeps the least.")
class DicomOptionsInput:
    """Policies, and options of PS3.15."""

    pixels: PixelPolicy = strawberry.field(default=PixelPolicy.ZERO, description="What becomes of pixel data.")
    foreign: ForeignPolicy = strawberry.field(
        default=ForeignPolicy.ZERO,
        description="What becomes of bytes that no transformation claims: payload other than DICOM, trailers and more.",
    )
    dates: DatePolicy = strawberry.field(default=DatePolicy.REMOVE, description="What becomes of dates and times.")
    damage: DamagePolicy = strawberry.field(
        default=DamagePolicy.FAIL, description="What becomes of DICOM that was captured whole and cannot be read."
    )
    retain_uids: bool = strawberry.field(default=False, description="Keep UIDs.")
    retain_device: bool = strawberry.field(default=False, description="Keep what identifies devices.")
    retain_patient_characteristics: bool = strawberry.field(
        default=False, description="Keep age, sex, size, weight and such."
    )
    clean_descriptors: bool = strawberry.field(
        default=False, description="Keep descriptions, but only words of the standard's own vocabulary in them."
    )

    @classmethod
    def parameters_of(cls, asked: Self | None) -> DicomParameters:
        """Return what was asked as the domain says it; None is the default."""
        if asked is None:
            return DicomParameters()
        return DicomParameters(
            pixels=asked.pixels,
            foreign=asked.foreign,
            dates=asked.dates,
            damage=asked.damage,
            retain_uids=asked.retain_uids,
            retain_device=asked.retain_device,
            retain_patient_characteristics=asked.retain_patient_characteristics,
            clean_descriptors=asked.clean_descriptors,
        )


OF_DICOM = "How DICOM is de-identified; left out, by the defaults."
Options = Annotated[DicomOptionsInput | None, strawberry.argument(description=OF_DICOM)]
RowsWanted = Annotated[int, strawberry.argument(description="How many rows at most, 1 to 100.")]
Skipped = Annotated[int, strawberry.argument(description="How many rows to leave out before them.")]


@strawberry.type(description="What would become of the elements of a trace, exactly as a job would write it now.")
class DicomDeidentificationPreview:
    """A preview."""

    proposals: list[DicomProposal] = strawberry.field(description="The rows asked for, by association.")
    total: SafeInt = strawberry.field(description="How many rows there are.")
    errors: list[UserError] = strawberry.field(description="What kept it from being made; empty when it was.")


@strawberry.type
class DicomQueries:
    """Queries about DICOM."""

    @field(
        "What a DICOM de-identification of this trace would do, element by element, without doing it. It shows "
        "originals, so it is not for VIEWERs."
    )
    async def preview_dicom_deidentification(
        self,
        info: Info,
        trace_id: TracesId,
        dicom: Options = None,
        first: RowsWanted = MAX_PAGE_SIZE,
        skip: Skipped = 0,
    ) -> DicomDeidentificationPreview:
        """Ask a child process.

        Raises:
            InvalidInput: the number of rows is out of bounds.
        """
        check_page_size("first", first)

        async def preview() -> Rows[rows.DicomProposal]:
            return await services.preview_dicom_deidentification(
                info.context.resources,
                info.context.actor,
                trace_id=TraceId(trace_id.of("Trace")),
                parameters=DicomOptionsInput.parameters_of(dicom),
                first=first,
                skip=skip,
            )

        found, errors = await settle(info.context, preview)
        return DicomDeidentificationPreview(
            proposals=[] if found is None else [DicomProposal.of(row) for row in found.items],
            total=SafeInt(0 if found is None else found.total),
            errors=errors,
        )


@strawberry.input(description="What `startDicomExtraction` is to do.")
class StartDicomExtractionInput:
    """Which trace."""

    trace_id: GlobalId = strawberry.field(description="The trace; it stays as it is.")
    idempotency_key: str | None = strawberry.field(default=None, description=OF_IDEMPOTENCY_KEY)


@strawberry.input(description="What `startDicomDeidentification` is to do.")
class StartDicomDeidentificationInput:
    """Which trace and how."""

    trace_id: GlobalId = strawberry.field(description="The trace; it stays as it is.")
    dicom: DicomOptionsInput | None = strawberry.field(default=None, description=OF_DICOM)
    name: str | None = strawberry.field(default=None, description=OF_NAME)
    idempotency_key: str | None = strawberry.field(default=None, description=OF_IDEMPOTENCY_KEY)


@strawberry.input(
    description="What `startDeidentification` is to do. `dicom.foreign` says what becomes of other payload."
)
class StartDeidentificationInput:
    """Which trace and how."""

    trace_id: GlobalId = strawberry.field(description="The trace; it stays as it is.")
    mapping: AddressMapping = strawberry.field(
        default=AddressMapping.IPCRYPT_PFX, description="How addresses without a rule are mapped."
    )
    mac_mapping: MacMapping = strawberry.field(
        default=MacMapping.PERMUTATION, description="How MAC addresses are mapped."
    )
    names: NamePolicy = strawberry.field(
        default=NamePolicy.KEEP, description="What becomes of names in DNS and DHCP, where foreign bytes are kept."
    )
    dicom: DicomOptionsInput | None = strawberry.field(default=None, description=OF_DICOM)
    name: str | None = strawberry.field(default=None, description=OF_NAME)
    idempotency_key: str | None = strawberry.field(default=None, description=OF_IDEMPOTENCY_KEY)


@strawberry.input(description="An override: keep or replace the value of an element, or of all at one path.")
class DicomOverrideInput:
    """An override."""

    element: str = strawberry.field(
        description="The `element` of a proposal, or a path such as 00400275.00400007: tags from the outermost on."
    )
    action: OverrideAction = strawberry.field(description="What becomes of the value.")
    value: str | None = strawberry.field(
        default=None, description="What REPLACE writes: at most as long as what it replaces, which it is padded to."
    )


@strawberry.input(description="What `setDicomOverrides` is to do.")
class SetDicomOverridesInput:
    """All overrides at once."""

    trace_id: GlobalId = strawberry.field(description="The trace whose next DICOM de-identification is meant.")
    overrides: list[DicomOverrideInput] = strawberry.field(
        description="All overrides, at most 10,000; they take the place of those before."
    )


@strawberry.type(description="What became of `startDicomExtraction`.")
class StartDicomExtractionPayload:
    """The outcome."""

    job: Job | None = strawberry.field(description="The job, at once; it makes no trace, but tells of the one it read.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="What became of `startDicomDeidentification`.")
class StartDicomDeidentificationPayload:
    """The outcome."""

    job: Job | None = strawberry.field(description="The job, at once; `jobCompleted` tells when it is done.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="What became of `startDeidentification`.")
class StartDeidentificationPayload:
    """The outcome."""

    job: Job | None = strawberry.field(description="The job, at once; `jobCompleted` tells when it is done.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="What became of `setDicomOverrides`.")
class SetDicomOverridesPayload:
    """The outcome."""

    trace: Trace | None = strawberry.field(description="The trace with its overrides; null when they were not taken.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type
class DicomMutations:
    """Mutations about DICOM."""

    @mutation(
        "List the DICOM associations and devices of a trace: `dicomAssociations` and `dicomDevices` show them "
        "once the job is completed. It makes no other trace."
    )
    async def start_dicom_extraction(
        self,
        info: Info,
        input: Annotated[StartDicomExtractionInput, THE_INPUT],  # noqa: A002  # the name is the contract's
    ) -> StartDicomExtractionPayload:
        """Start it."""
        act = partial(services.start_dicom_extraction, info.context.resources, info.context.actor)
        row, errors = await settle(
            info.context,
            lambda: act(trace_id=TraceId(input.trace_id.of("Trace")), idempotency_key=input.idempotency_key),
        )
        return StartDicomExtractionPayload(job=None if row is None else Job.of(row), errors=errors)

    @mutation(
        "Make a new trace in which DICOM is de-identified in place, by PS3.15 Table E.1-1 and the options. The "
        "overrides of the trace as they are now are taken along; addresses stay."
    )
    async def start_dicom_deidentification(
        self,
        info: Info,
        input: Annotated[StartDicomDeidentificationInput, THE_INPUT],  # noqa: A002  # the name is the contract's
    ) -> StartDicomDeidentificationPayload:
        """Start it."""
        act = partial(services.start_deidentification, info.context.resources, info.context.actor)
        row, errors = await settle(
            info.context,
            lambda: act(
                trace_id=TraceId(input.trace_id.of("Trace")),
                parameters=DeidentificationParameters(dicom=DicomOptionsInput.parameters_of(input.dicom)),
                name=input.name,
                idempotency_key=input.idempotency_key,
            ),
        )
        return StartDicomDeidentificationPayload(job=None if row is None else Job.of(row), errors=errors)

    @mutation(
        "Make a new trace in which every IP and MAC address is replaced and DICOM is de-identified, in one job and "
        "under one key. The address rules and overrides of the trace as they are now are taken along."
    )
    async def start_deidentification(
        self,
        info: Info,
        input: Annotated[StartDeidentificationInput, THE_INPUT],  # noqa: A002  # the name is the contract's
    ) -> StartDeidentificationPayload:
        """Start it."""
        act = partial(services.start_deidentification, info.context.resources, info.context.actor)
        addresses = AnonymizationParameters(mapping=input.mapping, mac_mapping=input.mac_mapping, names=input.names)
        dicom = DicomOptionsInput.parameters_of(input.dicom)
        row, errors = await settle(
            info.context,
            lambda: act(
                trace_id=TraceId(input.trace_id.of("Trace")),
                parameters=DeidentificationParameters(dicom=dicom, addresses=addresses),
                name=input.name,
                idempotency_key=input.idempotency_key,
            ),
        )
        return StartDeidentificationPayload(job=None if row is None else Job.of(row), errors=errors)

    @mutation("Check and store what the trace's next DICOM de-identification will keep or replace.")
    async def set_dicom_overrides(
        self,
        info: Info,
        input: Annotated[SetDicomOverridesInput, THE_INPUT],  # noqa: A002  # the name is the contract's
    ) -> SetDicomOverridesPayload:
        """Set them."""
        act = partial(services.set_dicom_overrides, info.context.resources, info.context.actor)
        overrides = [(each.element, each.action.value, each.value) for each in input.overrides]
        row, errors = await settle(
            info.context, lambda: act(trace_id=TraceId(input.trace_id.of("Trace")), overrides=overrides)
        )
        return SetDicomOverridesPayload(trace=None if row is None else Trace.of(row), errors=errors)
