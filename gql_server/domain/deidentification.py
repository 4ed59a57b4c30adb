"""De-identification: DICOM, and addresses with it if asked."""

from dataclasses import dataclass
from typing import Any

from gql_server.domain.anonymization import AnonymizationParameters, anonymization_of
from gql_server.domain.dicom import DicomParameters, dicom_parameters_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DeidentificationParameters:
    """What a de-identification was asked to do; the key is named, never held."""

    dicom: DicomParameters
    addresses: AnonymizationParameters | None = None
    """None leaves addresses as they are."""


def deidentification_of(stored: dict[str, Any]) -> DeidentificationParameters:
    """Read stored parameters."""
    addresses = stored["addresses"]
    return DeidentificationParameters(
        dicom=dicom_parameters_of(stored["dicom"]),
        addresses=None if addresses is None else anonymization_of(addresses),
    )
