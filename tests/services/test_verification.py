"""Verification: what the second child is told, and what it may refuse."""

from dataclasses import replace
from pathlib import Path

import pytest

from gql_server.domain.access import Actor
from gql_server.domain.anonymization import AddressMapping, MacMapping, NamePolicy, NicPolicy, PayloadPolicy
from gql_server.domain.errors import VerificationFailed
from gql_server.domain.jobs import JobState
from gql_server.domain.verification import (
    AddressExpectation,
    MacExpectation,
    VerificationReason,
    VerificationStatus,
)
from gql_server.engine.tasks import AnonymizeTask, Result, Task, TransformMacsTask, Verified, VerifyTask
from gql_server.services import executions
from gql_server.services.resources import Resources
from gql_server.services.verification import require_sound, verify_task
from tests.factories import VERIFICATION
from tests.services.desk import NOTE, copy, ingest, job_now, names_in, start, traces_of, with_child

FAILED = replace(VERIFICATION, status=VerificationStatus.FAILED, reasons=(VerificationReason.ADDRESS_LEAKED,))


@pytest.mark.parametrize(
    ("mapping", "mac_mapping", "addresses", "macs"),
    [
        (
            AddressMapping.IPCRYPT_PFX,
            MacMapping.PERMUTATION,
            AddressExpectation.PREFIX_PRESERVED,
            MacExpectation.MAPPED,
        ),
        (AddressMapping.CRYPTO_PAN, MacMapping.KEEP_OUI, AddressExpectation.CRYPTO_PAN, MacExpectation.OUI_KEPT),
        (AddressMapping.PERMUTATION, MacMapping.PERMUTATION, AddressExpectation.MAPPED, MacExpectation.MAPPED),
        (AddressMapping.EXPLICIT, MacMapping.PERMUTATION, AddressExpectation.EXPLICIT, MacExpectation.MAPPED),
    ],
)
def test_the_second_child_knows_what_was_asked_but_no_key(
    mapping: AddressMapping, mac_mapping: MacMapping, addresses: AddressExpectation, macs: MacExpectation
) -> None:
    task = AnonymizeTask(
        source=Path("in"),
        output_directory=Path("out"),
        mapping=mapping,
        mac_mapping=mac_mapping,
        payload=PayloadPolicy.ZERO,
        names=NamePolicy.MASK,
        rules=(("10.0.0.0/8", "KEEP"),),
        key=bytes(32),
        memory_bytes=1,
    )
    assert verify_task(task, Path("out/capture.pcap")) == VerifyTask(
        source=Path("in"),
        output=Path("out/capture.pcap"),
        addresses=addresses,
        macs=macs,
        payload=PayloadPolicy.ZERO,
        names=NamePolicy.MASK,
        rules=(("10.0.0.0/8", "KEEP"),),
        memory_bytes=1,
    )


def test_of_a_mac_transformation_only_the_named_may_have_changed() -> None:
    rules = (("ac:de:48:00:11:22", "00:00:5e"),)
    task = TransformMacsTask(
        source=Path("in"), output_directory=Path("out"), nic=NicPolicy.MAP, rules=rules, key=bytes(32), memory_bytes=1
    )
    told = verify_task(task, Path("out/capture.pcap"))
    assert (told.addresses, told.macs) == (AddressExpectation.KEPT, MacExpectation.NAMED)
    assert (told.rules, told.mac_rules) == ((), rules)


@pytest.mark.parametrize("status", [each for each in VerificationStatus if each is not VerificationStatus.FAILED])
def test_all_but_a_failed_output_may_be_published(status: VerificationStatus) -> None:
    verification = replace(VERIFICATION, status=status)
    assert require_sound(verification) is verification


def test_a_failed_output_is_refused_by_its_gravest_reason() -> None:
    with pytest.raises(VerificationFailed) as caught:
        require_sound(FAILED)
    assert caught.value.facts() == {"reason": "ADDRESS_LEAKED"}


async def _leaky(task: Task, note: NOTE) -> Result:
    return Verified(verification=FAILED) if isinstance(task, VerifyTask) else await copy(task, note)


async def test_a_job_whose_output_leaks_fails_and_publishes_nothing(resources: Resources, actor: Actor) -> None:
    trace = await ingest(resources, actor)
    job = await start(resources, actor, trace)
    await executions.carry_out(with_child(resources, _leaky), actor.client_id, job.id)
    now = await job_now(resources, job)
    assert now.state is JobState.FAILED
    assert now.error is not None
    assert (now.error.code, now.error.facts()) == ("VERIFICATION_FAILED", {"reason": "ADDRESS_LEAKED"})
    assert await traces_of(resources, actor, job.id) == []
    assert names_in(resources, "traces") == [str(trace.id)]
    assert names_in(resources, "staging") == []


async def test_a_proof_lies_with_the_trace_and_its_execution(resources: Resources, actor: Actor) -> None:
    job = await start(resources, actor, await ingest(resources, actor))
    await executions.carry_out(with_child(resources), actor.client_id, job.id)
    (trace,) = await traces_of(resources, actor, job.id)
    assert trace.verification == VERIFICATION
