"""Associations and devices that no capture holds."""

from gql_server.domain.dicom import (
    AssociationOutcome,
    DicomAssociation,
    DicomDevice,
    DicomProblem,
    PresentationContext,
)
from gql_server.engine.dicom.tasks import DicomExtracted

MANY = 250


def association(number: int) -> DicomAssociation:
    """Return one; every other one is encrypted."""
    return DicomAssociation(
        number=number,
        client="10.0.0.1",
        client_port=40_000 + number,
        server="10.0.0.2",
        server_port=104,
        first_packet=10 * number,
        packets=4,
        outcome=AssociationOutcome.ACCEPTED if number % 2 else AssociationOutcome.ENCRYPTED,
        calling_ae='\u5c71\u7530 "A"\n' * (number % 3),
        called_ae="PACS",
        client_implementation_uid="1.2.3",
        client_implementation_version="V1",
        server_implementation_uid="",
        server_implementation_version="",
        contexts=(
            PresentationContext(
                id=1,
                abstract_syntax="1.2.840.10008.1.1",
                transfer_syntaxes=("1.2.840.10008.1.2", "1.2.840.10008.1.2.1"),
                accepted_syntax=None,
                result=None,
            ),
        ),
        messages={"C-ECHO-RQ": number, "C-ECHO-RSP": number},
        data_sets=0,
        bytes=100 + number,
        bytes_unreadable=0,
        problems=(DicomProblem.STREAM_HOLE.value,),
    )


def device(number: int) -> DicomDevice:
    """Return one."""
    return DicomDevice(
        address=f"10.0.0.{number}",
        ae_titles=("CT1", "CT2"),
        manufacturer=("Example",),
        model_name=(),
        serial_number=(),
        software_versions=("1", "2"),
        station_name=(),
        transducer_data=(),
    )


EXTRACTED = DicomExtracted(
    associations=tuple(map(association, range(1, MANY + 1))), devices=(device(1), device(2)), encrypted=MANY // 2
)
