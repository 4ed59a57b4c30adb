"""`gql-server demo`, as a newcomer meets it."""

import hashlib
import os
import re
import socket

import httpx
import pytest

from tests.journeys.conftest import NewInstallation
from tests.journeys.demos import STAYS_UP, Demo, give_away, ordinary_account, relatives
from tests.journeys.doors import await_true
from tests.journeys.material import hospital
from tests.journeys.packets import is_special, replacements

SEVERAL_TIMES = 2


def test_it_tells_each_step_with_its_facts(demonstration: Demo) -> None:
    told = demonstration.told
    body = demonstration.output.read_bytes()
    assert "Uploaded hospital.pcap, 45458 bytes" in told
    assert re.search(r"^Job      COMPLETED .* 159 packets 45458/45458 bytes$", told, re.MULTILINE)
    assert re.search(r"^Event    jobCompleted with outputTraceId\n +[\w-]+$", told, re.MULTILINE)
    assert re.search(r"^Lineage  exec_\w+ used hospital.pcap$", told, re.MULTILINE)
    assert re.search(r"^Lineage  exec_\w+ generated hospital-deidentified.pcap$", told, re.MULTILINE)
    assert "Lineage  hospital-deidentified.pcap derived from hospital.pcap" in told
    assert f"Saved    {demonstration.output}, 159 packets, {len(body)} bytes" in told
    assert f"SHA-256  {hashlib.sha256(hospital()).hexdigest()}\n" in told
    assert f"SHA-256  {hashlib.sha256(body).hexdigest()}\n" in told
    assert "Report   159 packets, addresses in them: " in told


def test_its_preview_is_what_it_saved(demonstration: Demo) -> None:
    previewed = re.findall(r"^ {9}(\S+[.:]\S+) +(\S+[.:]\S+) *$", demonstration.told, re.MULTILINE)
    written = replacements(hospital(), demonstration.output.read_bytes())
    assert len(previewed) == 6
    assert {old: written[old] for old, _ in previewed} == dict(previewed)


def test_every_unicast_address_of_its_output_is_another_one(demonstration: Demo) -> None:
    written = replacements(hospital(), demonstration.output.read_bytes())
    originals = {each for each in written if not is_special(each)}
    assert len(originals) >= 8
    assert originals & set(written.values()) == set()


def test_it_runs_again_and_after_a_power_cut(new_installation: NewInstallation) -> None:
    installation = new_installation()
    with Demo(installation) as killed:
        killed.await_words("Uploaded")
    for _ in range(SEVERAL_TIMES):
        with Demo(installation, ("--exit",)) as again:
            assert "COMPLETED" in again.succeed()


def test_it_stays_up_to_be_tried_until_it_is_interrupted(new_installation: NewInstallation) -> None:
    installation = new_installation()
    with socket.socket() as neighbour:
        neighbour.bind(("127.0.0.1", 0))
        neighbour.listen()
        taken = neighbour.getsockname()[1]
        installation.settings["GQL_SERVER_PORT"] = str(taken)
        with Demo(installation) as demo:
            demo.await_words(STAYS_UP)
            assert f":{taken}/" not in demo.url
            page = httpx.get(demo.url, follow_redirects=True, trust_env=False)
            assert page.status_code == 200
            assert "GraphiQL" in page.text
            assert len(relatives(installation)) > 3
            demo.interrupt()
            assert demo.await_end() in {0, 130}
    await_true(lambda: not relatives(installation), seconds=5, what="the end of its children")


def test_it_ends_in_order_when_interrupted_half_way(new_installation: NewInstallation) -> None:
    installation = new_installation()
    with Demo(installation) as demo:
        demo.await_words("Uploaded")
        demo.interrupt()
        assert demo.await_end() in {0, 1, 130}
        assert "Traceback" not in demo.told
    await_true(lambda: not relatives(installation), seconds=5, what="the end of its children")


def test_it_refuses_an_output_without_a_folder_in_one_line(new_installation: NewInstallation) -> None:
    installation = new_installation()
    with Demo(installation, ("--exit", "--output", "/proc/nowhere/result.pcap")) as demo:
        assert demo.await_end() == 1
    assert demo.told.splitlines()[-1].endswith("choose another file with --output.")
    assert "Traceback" not in demo.told


def test_it_runs_as_an_ordinary_user(new_installation: NewInstallation) -> None:
    if os.geteuid() != 0:
        pytest.skip("all other tests here ran as an ordinary user")
    account = ordinary_account()
    if account is None:
        pytest.skip("the interpreters or the checkout are closed to ordinary users")
    installation = new_installation()
    give_away(installation, account)
    with Demo(installation, ("--exit",), account) as demo:
        assert "COMPLETED" in demo.succeed()
    owners = {path.lstat().st_uid for path in installation.directory.rglob("*") if path != demo.log}
    assert owners == {account.uid}
