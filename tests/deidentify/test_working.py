"""The work: made in private, published in one step."""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from scapy.layers.inet import TCP

from gql_server.deidentify.orders import Order
from gql_server.deidentify.working import Bounds, Outcome, open_pool, publish, report_of, work
from gql_server.domain.anonymization import AnonymizationParameters, PayloadPolicy
from gql_server.domain.dicom import DicomOverride, DicomParameters, OverrideAction
from gql_server.domain.errors import (
    CompressionBomb,
    InvalidInput,
    NotACapture,
    ResourceLimit,
    StorageError,
    VerificationFailed,
)
from gql_server.domain.jobs import Progress
from gql_server.domain.verification import VerificationReason, VerificationStatus
from gql_server.engine.dicom.tasks import Deidentified, DeidentifyTask
from gql_server.engine.tasks import Result, Task, Verified, VerifyTask
from gql_server.services.children import ChildPool
from tests.engine.test_dicom_messages import REPORT
from tests.factories import SUMMARY, VERIFICATION
from tests.journeys.material import bomb, hospital
from tests.journeys.packets import packets
from tests.services.desk import NOTHING, until

RULES = (("10.20.0.0/16", "198.18.0.0/16"),)


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(
        source=tmp_path / "in.pcap",
        target=tmp_path / "out.pcap",
        report=tmp_path / "report.json",
        addresses=AnonymizationParameters(),
        dicom=None,
        rules=RULES,
        key=bytes(range(32)),
        key_is_given=True,
    )


@pytest.fixture
def bounds(kernel_root: Path) -> Bounds:
    return Bounds(
        kernel_root=kernel_root,
        memory_bytes=256 << 20,
        unpacked_bytes=1 << 30,
        unpacked_ratio=200,
        time=timedelta(seconds=60),
    )


async def made(order: Order, bounds: Bounds, directory: Path, body: bytes, *, pool: ChildPool | None = None) -> Outcome:
    source = directory / "in.pcap"
    source.write_bytes(body)
    (directory / "staging").mkdir()
    async with pool or open_pool(bounds) as opened:
        return await work(order, bounds, opened, source, directory / "staging")


def spoken(body: bytes) -> bytes:
    """What TCP carries in a capture, without zeros."""
    return b"".join(bytes(packet[TCP].payload) for packet in packets(body) if TCP in packet).replace(b"\0", b"")


class TamperingPool(ChildPool):
    """Changes one byte of the output before it is proven."""

    async def run(self, task: Task, *, on_progress: Callable[[Progress], None], time_limit: timedelta) -> Result:
        if isinstance(task, VerifyTask):
            body = bytearray(task.output.read_bytes())
            body[-1] ^= 1
            task.output.write_bytes(body)
        return await super().run(task, on_progress=on_progress, time_limit=time_limit)


async def test_the_output_lies_in_private_until_it_is_published(order: Order, bounds: Bounds, tmp_path: Path) -> None:
    outcome = await made(order, bounds, tmp_path, hospital())
    assert order.target
    assert order.report
    assert not order.target.exists()
    assert outcome.file.is_relative_to(tmp_path / "staging")
    publish(order, outcome)
    assert order.target.stat().st_size == outcome.made.summary.size_bytes
    assert json.loads(order.report.read_text()) == json.loads(json.dumps(report_of(order, outcome)))


async def test_a_report_says_that_a_key_was_given_and_never_which(order: Order, bounds: Bounds, tmp_path: Path) -> None:
    outcome = await made(order, bounds, tmp_path, hospital())
    text = json.dumps(report_of(order, outcome))
    assert json.loads(text)["key"] == "GIVEN"
    assert json.loads(text)["rules"] == 1
    assert [secret for secret in (order.key.hex(), "10.20", "198.18") if secret in text] == []
    assert report_of(replace(order, key_is_given=False), outcome)["key"] == "FORGOTTEN"


async def test_without_an_output_there_is_no_report(order: Order, bounds: Bounds, tmp_path: Path) -> None:
    outcome = await made(order, bounds, tmp_path, hospital())
    assert order.report
    assert order.target
    order.target.mkdir()
    with pytest.raises(StorageError):
        publish(order, outcome)
    assert not order.report.exists()


async def test_an_output_that_does_not_pass_its_proof_is_refused(order: Order, bounds: Bounds, tmp_path: Path) -> None:
    with pytest.raises(VerificationFailed):
        await made(order, bounds, tmp_path, hospital(), pool=TamperingPool(bounds.kernel_root, warm=0))


class DoubtingPool(ChildPool):
    """Leaves open what some bytes of the output are."""

    async def run(self, task: Task, *, on_progress: Callable[[Progress], None], time_limit: timedelta) -> Result:
        result = await super().run(task, on_progress=on_progress, time_limit=time_limit)
        if not isinstance(result, Verified):
            return result
        status, reasons = VerificationStatus.UNVERIFIABLE, (VerificationReason.BYTES_UNKNOWN,)
        return Verified(verification=replace(result.verification, status=status, reasons=reasons))


async def test_an_output_with_unexplained_bytes_is_refused(order: Order, bounds: Bounds, tmp_path: Path) -> None:
    with pytest.raises(VerificationFailed) as told:
        await made(order, bounds, tmp_path, hospital(), pool=DoubtingPool(bounds.kernel_root, warm=0))
    assert told.value.reason == "BYTES_UNKNOWN"


async def test_the_report_tells_what_the_proof_found(order: Order, bounds: Bounds, tmp_path: Path) -> None:
    kept = await made(order, bounds, tmp_path, hospital())
    told = json.loads(json.dumps(report_of(order, kept)))["verification"]
    assert (told["status"], told["reasons"]) == ("PARTIAL", ["PAYLOAD_KEPT"])
    classes = ("structural", "rewritten", "zeroed", "opaque", "kept_by_rule", "unknown")
    assert sum(told["ledger"][name] for name in classes) == kept.made.summary.size_bytes


async def test_without_payload_the_output_is_proven_entirely(order: Order, bounds: Bounds, tmp_path: Path) -> None:
    zeroed = await made(
        replace(order, addresses=AnonymizationParameters(payload=PayloadPolicy.ZERO)), bounds, tmp_path, hospital()
    )
    assert zeroed.verification.status is VerificationStatus.VERIFIED
    assert zeroed.verification.ledger.opaque == 0
    assert spoken(hospital())
    assert not spoken(zeroed.file.read_bytes())


async def test_a_capture_that_changes_meanwhile_is_refused(order: Order, bounds: Bounds, tmp_path: Path) -> None:
    async def has_begun() -> bool:
        return (tmp_path / "staging" / "original").exists()

    working = asyncio.create_task(made(order, bounds, tmp_path, hospital()))
    await until(has_begun)
    os.utime(tmp_path / "in.pcap", (1, 1))
    with pytest.raises(InvalidInput, match="it changed while it was read"):
        await working


async def test_what_the_children_refuse_is_passed_on(order: Order, bounds: Bounds, tmp_path: Path) -> None:
    with pytest.raises(NotACapture):
        await made(order, bounds, tmp_path, b"no capture")


async def test_the_bounds_reach_the_children(order: Order, bounds: Bounds, tmp_path: Path) -> None:
    with pytest.raises(CompressionBomb) as told:
        await made(order, replace(bounds, unpacked_ratio=7), tmp_path, bomb())
    assert told.value.ratio == 7


async def test_a_work_that_takes_too_long_is_ended(order: Order, bounds: Bounds, tmp_path: Path) -> None:
    with pytest.raises(ResourceLimit):
        await made(order, replace(bounds, time=timedelta(0)), tmp_path, hospital())


class DicomPool(ChildPool):
    """Answers for the child that de-identifies, and for the one that proves it."""

    asked: DeidentifyTask | None = None

    async def run(self, task: Task, *, on_progress: Callable[[Progress], None], time_limit: timedelta) -> Result:
        if isinstance(task, DeidentifyTask):
            self.asked = task
            (task.output_directory / "capture.pcap").write_bytes(task.source.read_bytes())
            summary = replace(SUMMARY, size_bytes=len(hospital()))
            return Deidentified(summary=summary, report=REPORT, addresses=None if task.addresses is None else NOTHING)
        if isinstance(task, VerifyTask):
            return Verified(verification=VERIFICATION)
        return await super().run(task, on_progress=on_progress, time_limit=time_limit)


@pytest.mark.parametrize("addresses", [None, AnonymizationParameters()], ids=["dicom", "both"])
async def test_dicom_is_a_task_of_its_own_and_has_its_place_in_the_report(
    order: Order, bounds: Bounds, tmp_path: Path, addresses: AnonymizationParameters | None
) -> None:
    override = DicomOverride(element="00100010", action=OverrideAction.REPLACE, value="Secret^Name")
    asked = replace(order, addresses=addresses, dicom=DicomParameters(retain_uids=True), overrides=(override,))
    pool = DicomPool(bounds.kernel_root, warm=0)
    outcome = await made(asked, bounds, tmp_path, hospital(), pool=pool)
    assert pool.asked is not None
    assert (pool.asked.dicom, pool.asked.addresses) == (asked.dicom, addresses)
    assert (pool.asked.overrides, pool.asked.rules, pool.asked.key) == ((override,), RULES, order.key)
    text = json.dumps(report_of(asked, outcome))
    told = json.loads(text)
    assert (told["dicom"]["options"]["retain_uids"], told["dicom"]["overrides"]) == (True, 1)
    assert told["dicom"]["does_not_claim"] == list(REPORT.does_not_claim)
    assert ("counts" in told, "mapping" in told) == (addresses is not None, addresses is not None)
    assert "Secret" not in text
