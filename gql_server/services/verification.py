"""Verification: an output is proven before it is published."""

from pathlib import Path
from typing import assert_never

from gql_server.domain.anonymization import AddressMapping, MacMapping, PayloadPolicy
from gql_server.domain.dicom import ForeignPolicy
from gql_server.domain.dicom_verification import expectation_of
from gql_server.domain.errors import VerificationFailed
from gql_server.domain.verification import AddressExpectation, MacExpectation, Verification, VerificationStatus
from gql_server.engine.dicom.tasks import DeidentifyTask
from gql_server.engine.tasks import AnonymizeTask, TransformMacsTask, VerifyTask


def verify_task(
    task: AnonymizeTask | TransformMacsTask | DeidentifyTask, output: Path, overridden: tuple[str, ...] = ()
) -> VerifyTask:
    """Return what a second child, which knows no key, is to find in the output of a transformation.

    `overridden` as below.
    """
    match task:
        case AnonymizeTask():
            return VerifyTask(
                source=task.source,
                output=output,
                addresses=_addresses_of(task.mapping),
                macs=_macs_of(task.mac_mapping),
                payload=task.payload,
                names=task.names,
                rules=task.rules,
                memory_bytes=task.memory_bytes,
            )
        case TransformMacsTask():
            return VerifyTask(
                source=task.source,
                output=output,
                addresses=AddressExpectation.KEPT,
                macs=MacExpectation.NAMED,
                payload=task.payload,
                mac_rules=task.rules,
                memory_bytes=task.memory_bytes,
            )
        case DeidentifyTask():
            return deidentification_task(task, output, overridden)
        case _:
            assert_never(task)


def payload_of(foreign: ForeignPolicy) -> PayloadPolicy:
    """Return what should have become of payload that is no DICOM."""
    return PayloadPolicy.ZERO if foreign is ForeignPolicy.ZERO else PayloadPolicy.KEEP


def deidentification_task(task: DeidentifyTask, output: Path, overridden: tuple[str, ...] = ()) -> VerifyTask:
    """Return what a second child is to find in the output of a de-identification.

    `overridden` are the paths of elements that a person decided about, those of overrides by id among them.
    """
    expected = expectation_of(task.dicom, overridden)
    payload = payload_of(task.dicom.foreign)
    if task.addresses is None:
        return VerifyTask(
            source=task.source,
            output=output,
            addresses=AddressExpectation.KEPT,
            macs=MacExpectation.NAMED,
            payload=payload,
            dicom=expected,
            memory_bytes=task.memory_bytes,
        )
    asked = task.addresses
    return VerifyTask(
        source=task.source,
        output=output,
        addresses=_addresses_of(asked.mapping),
        macs=_macs_of(asked.mac_mapping),
        payload=payload if payload is PayloadPolicy.ZERO else asked.payload,
        names=asked.names,
        rules=task.rules,
        dicom=expected,
        memory_bytes=task.memory_bytes,
    )


def _addresses_of(mapping: AddressMapping) -> AddressExpectation:
    match mapping:
        case AddressMapping.IPCRYPT_PFX:
            return AddressExpectation.PREFIX_PRESERVED
        case AddressMapping.CRYPTO_PAN:
            return AddressExpectation.CRYPTO_PAN
        case AddressMapping.PERMUTATION:
            return AddressExpectation.MAPPED
        case AddressMapping.EXPLICIT:
            return AddressExpectation.EXPLICIT
        case _:
            assert_never(mapping)


def _macs_of(mapping: MacMapping) -> MacExpectation:
    return MacExpectation.OUI_KEPT if mapping is MacMapping.KEEP_OUI else MacExpectation.MAPPED


def require_sound(verification: Verification) -> Verification:
    """Return the verification of an output that may be published.

    Raises:
        VerificationFailed: something is wrong with it.
    """
    if verification.status is VerificationStatus.FAILED:
        raise VerificationFailed(reason=verification.reasons[0].value if verification.reasons else "")
    return verification
