"""The command deidentify: everything or nothing, in one line."""

import gzip
import hashlib
import json
import os
import pty
import signal
import subprocess
import threading
from pathlib import Path

import pytest
import zstandard

from gql_server.deidentify.command import kernel_root
from gql_server.domain.errors import SetupError
from tests.captures import SectionOf, ethernet, packets, pcapng, tcp4
from tests.deidentify.runs import KEY, ROOT, Desk, halt_at_work, is_gone
from tests.journeys.doors import PATIENCE_SECONDS
from tests.journeys.material import bomb, cut, hospital, records, repeated
from tests.journeys.packets import is_special, replacements
from tests.journeys.studies import DESCRIPTION, PATIENT, SERIAL, stored_in, study
from tests.store.embedded_users import wait_until


def test_every_host_address_is_replaced_and_nothing_else_is_left_behind(desk: Desk) -> None:
    before = desk.names()
    result = desk.deidentified(desk.capture, desk.output)
    assert len(records(result)) == len(records(hospital()))
    replaced = replacements(hospital(), result)
    assert [old for old, new in replaced.items() if old == new and not is_special(old)] == []
    assert desk.names() == before | {"out.pcap"}
    assert desk.output.stat().st_mode & 0o777 == 0o600
    assert desk.capture.read_bytes() == hospital()


def test_all_ways_in_lead_to_the_same_output(desk: Desk) -> None:
    key = ("--key-file", desk.key_file)
    packed, pipe = desk.directory / "packed", desk.directory / "pipe"
    packed.write_bytes(gzip.compress(hospital()))
    os.mkfifo(pipe)
    threading.Thread(target=lambda: pipe.write_bytes(zstandard.compress(hospital())), daemon=True).start()
    outputs = [
        desk.deidentified(desk.capture, "-", *key),
        desk.deidentified(packed, desk.output, *key),
        desk.deidentified(pipe, desk.output, *key),
        desk.deidentified("-", "-", *key, given=hospital()),
    ]
    assert len(set(outputs)) == 1
    assert len(records(outputs[0])) == len(records(hospital()))


def test_pcapng_stays_pcapng(desk: Desk) -> None:
    packet = ethernet(tcp4())
    desk.capture.write_bytes(pcapng(SectionOf(contents=packets(packet))))
    result = desk.deidentified(desk.capture, desk.output)
    assert result[:4] == b"\x0a\x0d\x0d\x0a"
    assert len(result) == len(desk.capture.read_bytes())
    assert packet not in result


def test_one_key_gives_one_mapping_however_it_is_spelled(desk: Desk) -> None:
    first = desk.deidentified(desk.capture, desk.output, "--key-file", desk.key_file)
    desk.key_file.write_text(f"{KEY.hex().upper()}\n")
    assert desk.deidentified(desk.capture, desk.output, "--key-file", desk.key_file) == first


def test_without_a_key_file_every_run_has_a_key_of_its_own(desk: Desk) -> None:
    assert desk.deidentified(desk.capture, "-") != desk.deidentified(desk.capture, "-")


def test_rules_are_obeyed(desk: Desk) -> None:
    rules = desk.directory / "rules"
    rules.write_text("# the wards\n\n10.20.0.0/16 198.18.0.0/16  # a range for tests\n")
    replaced = replacements(hospital(), desk.deidentified(desk.capture, desk.output, "--rules", rules))
    assert replaced["10.20.30.10"] == "198.18.30.10"


def test_the_report_tells_choices_counts_and_digests_and_no_address(desk: Desk) -> None:
    report = desk.directory / "report.json"
    choices = ("--mapping", "crypto-pan", "--macs", "keep-oui", "--payload", "zero", "--names", "mask")
    desk.deidentified(desk.capture, desk.output, "--report", report, *choices)
    text = report.read_text()
    told = json.loads(text)
    chosen = [told[name] for name in ("mapping", "mac_mapping", "payload", "names")]
    assert chosen == ["CRYPTO_PAN", "KEEP_OUI", "ZERO", "MASK"]
    assert (told["key"], told["input"]["packets"], told["counts"]["packets"]) == ("FORGOTTEN", 159, 159)
    assert told["output"]["sha256"] == hashlib.sha256(desk.output.read_bytes()).hexdigest()
    assert [old for old in replacements(hospital(), desk.output.read_bytes()) if len(old) > 6 and old in text] == []


def test_the_two_prefix_preserving_mappings_differ(desk: Desk) -> None:
    key = ("--key-file", desk.key_file)
    default = desk.deidentified(desk.capture, "-", *key)
    assert desk.deidentified(desk.capture, "-", *key, "--mapping", "ipcrypt-pfx") == default
    assert desk.deidentified(desk.capture, "-", *key, "--mapping", "crypto-pan") != default


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"no capture at all", ("NOT_A_CAPTURE: ", "byte 0 ")),
        (b"", ("NOT_A_CAPTURE: ", "byte 0 ")),
        (cut()[0], ("CAPTURE_CUT: ", f"byte {cut()[1]},")),
        (gzip.compress(hospital())[:-20], ("COMPRESSION_DAMAGED: ", "byte")),
        (bomb(), ("COMPRESSION_BOMB: ", "200 times")),
    ],
    ids=["text", "nothing", "cut", "damaged", "bomb"],
)
def test_a_bad_capture_is_refused_with_its_code_and_place_and_the_old_output_stays(
    desk: Desk, body: bytes, words: tuple[str, ...]
) -> None:
    desk.capture.write_bytes(body)
    desk.output.write_bytes(b"old")
    line = desk.refused(desk.capture, desk.output, "--report", desk.directory / "report.json")
    assert line.startswith(words[0])
    assert words[1] in line
    assert desk.output.read_bytes() == b"old"


def test_a_bad_stream_leaves_nothing_on_the_standard_output(desk: Desk) -> None:
    assert desk.refused("-", "-", given=cut()[0]).startswith("CAPTURE_CUT: ")


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("\n# nothing\n10.0.0.1/8 keep\n", "RULE_MALFORMED: Rule 3: "),
        ("10.0.0.0/8\n", "RULE_MALFORMED: Rule 1: "),
        ("10.0.0.0/8 zero\n\n10.0.0.0/8 map\n", "RULES_OVERLAP: Rules 3 and 1 "),
    ],
)
def test_a_bad_rule_is_named_by_its_line(desk: Desk, rules: str, words: str) -> None:
    path = desk.directory / "rules"
    path.write_text(rules)
    line = desk.refused(desk.capture, desk.output, "--rules", path)
    assert line.startswith(words)
    assert "10.0.0" not in line


def test_dicom_is_deidentified_with_addresses_or_alone(desk: Desk) -> None:
    desk.capture.write_bytes(study())
    report, overrides = desk.directory / "report.json", desk.directory / "overrides"
    overrides.write_text("00081030 keep\n00100020 replace CASE-1\n")
    words = ("--dicom", "--overrides", overrides, "--report", report, "--profile-options", "retain-device")
    for addresses in ((), ("--addresses",)):
        result = desk.deidentified(desk.capture, desk.output, *addresses, *words)
        written = stored_in(result)
        assert (written.StudyDescription, written.PatientID) == (DESCRIPTION, "CASE-1")
        assert (written.DeviceSerialNumber, set(written.PixelData)) == (SERIAL, {0})
        assert PATIENT.encode() not in result
        told = json.loads(report.read_text())
        assert (told["dicom"]["data_sets"], told["dicom"]["overrides_used"]) == (1, 2)
        assert ("counts" in told) == bool(addresses)
        assert [word for word in (PATIENT, DESCRIPTION, SERIAL, "CASE-1") if word in report.read_text()] == []


def test_a_bad_override_is_named_by_its_line(desk: Desk) -> None:
    path = desk.directory / "overrides"
    path.write_text("00081030 keep\n00100010 replace\tSecret^Name\n")
    line = desk.refused(desk.capture, desk.output, "--dicom", "--overrides", path)
    assert line.startswith("OVERRIDE_MALFORMED: Override 2 is malformed: ")
    assert "Secret" not in line


def test_options_that_do_not_go_together_are_refused_before_anything_is_read(desk: Desk) -> None:
    assert desk.refused(desk.capture, desk.output, "--keep-pixels").startswith("INVALID_INPUT: --keep-pixels: ")
    line = desk.refused(desk.capture, desk.output, "--dicom", "--profile-options", "retain-names")
    assert line.startswith("INVALID_INPUT: --profile-options: 'retain-names' is none of ")


def test_a_key_that_others_may_read_is_refused(desk: Desk) -> None:
    desk.key_file.chmod(0o640)
    line = desk.refused(desk.capture, desk.output, "--key-file", desk.key_file)
    assert line.startswith("INVALID_INPUT: --key-file: others may read it")


def test_no_room_is_told_and_the_old_output_stays(desk: Desk) -> None:
    desk.capture.write_bytes(gzip.compress(repeated(50)))
    desk.output.write_bytes(b"old")
    before = desk.names()
    # A limit on the size of files is a full disk that every user can have.
    limited = ["bash", "-c", 'ulimit -f 200; exec "$@"', "-", *desk.command(desk.capture, desk.output)]
    told = subprocess.run(limited, env=desk.environment(), cwd=ROOT, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == "STORAGE_FULL: There is not enough room on the server's disk.\n"
    assert (desk.output.read_bytes(), desk.names()) == (b"old", before)


def test_the_old_output_is_replaced_at_the_end_alone(desk: Desk) -> None:
    desk.output.write_bytes(b"old")
    process = desk.start("-", desk.output, stdin=subprocess.PIPE)
    assert process.stdin
    process.stdin.write(hospital()[:1000])
    process.stdin.flush()
    wait_until(lambda: any((stage / "received").exists() for stage in desk.staged()))
    assert desk.staged()[0].stat().st_mode & 0o777 == 0o700
    assert desk.output.read_bytes() == b"old"
    told = process.communicate(hospital()[1000:], timeout=PATIENCE_SECONDS)
    assert (process.returncode, told) == (0, (b"", b""))
    assert len(desk.output.read_bytes()) == len(hospital())
    assert desk.staged() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_it_waits_for_input_ends_it_and_leaves_nothing(desk: Desk, number: signal.Signals) -> None:
    before = desk.names()
    process = desk.start("-", desk.output, stdin=subprocess.PIPE)
    wait_until(lambda: any((stage / "received").exists() for stage in desk.staged()))
    process.send_signal(number)
    assert process.wait(timeout=PATIENCE_SECONDS) == 130
    assert process.stderr
    assert process.stderr.read() == b"JOB_CANCELLED: The job was cancelled.\n"
    assert desk.names() == before
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_work_ends_the_children_too_and_leaves_nothing(desk: Desk, number: signal.Signals) -> None:
    before = desk.names()
    process = desk.start(desk.capture, desk.output)
    children = halt_at_work(desk, process)
    process.send_signal(number)
    process.send_signal(signal.SIGCONT)
    _, told = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, told) == (130, b"JOB_CANCELLED: The job was cancelled.\n")
    assert all(is_gone(pid) for pid in children)
    assert desk.names() == before


def test_kill_9_leaves_no_output_and_the_next_run_removes_the_rest(desk: Desk) -> None:
    before = desk.names()
    process = desk.start(desk.capture, desk.output)
    children = halt_at_work(desk, process)
    process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)
    wait_until(lambda: all(is_gone(pid) for pid in children))
    assert not desk.output.exists()
    assert len(desk.staged()) == 1
    desk.deidentified(desk.capture, desk.output)
    assert desk.names() == before | {"out.pcap"}


def test_neither_key_nor_rules_stand_where_other_users_look(desk: Desk) -> None:
    rules = desk.directory / "rules"
    rules.write_text("10.20.0.0/16 198.18.0.0/16\n")
    process = desk.start(desk.capture, desk.output, "--key-file", desk.key_file, "--rules", rules)
    children = halt_at_work(desk, process)
    shown = b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for pid in children for name in ("environ", "cmdline"))
    process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)
    assert b"NUMBA_CACHE_DIR" in shown
    assert [secret for secret in (KEY, KEY.hex().encode(), b"198.18") if secret in shown] == []


def test_a_terminal_sees_how_far_it_is(desk: Desk) -> None:
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        desk.command(desk.capture, desk.output), env=desk.environment() | {"TERM": "xterm"}, cwd=ROOT, stderr=inner
    )
    os.close(inner)
    told = b""
    try:
        while piece := os.read(outer, 4096):
            told += piece
    except OSError:
        pass  # the end, as Linux tells it
    os.close(outer)
    assert process.wait(timeout=PATIENCE_SECONDS) == 0
    assert b"Checking" in told
    assert b"159 packets" in told


def test_a_capture_is_never_written_to_a_terminal(desk: Desk) -> None:
    outer, inner = pty.openpty()
    told = subprocess.run(
        desk.command(desk.capture, "-"),
        env=desk.environment(),
        cwd=ROOT,
        stdout=inner,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(inner)
    os.close(outer)
    assert (told.returncode, told.stderr) == (1, b"INVALID_INPUT: OUT: the standard output is a terminal.\n")


def test_a_reader_that_goes_away_is_a_failure(desk: Desk) -> None:
    desk.capture.write_bytes(repeated(50))
    process = desk.start(desk.capture, "-", "--report", desk.directory / "report.json")
    assert process.stdout
    process.stdout.close()
    assert process.wait(timeout=PATIENCE_SECONDS) == 1
    assert process.stderr
    assert process.stderr.read() == b"INVALID_INPUT: OUT: nobody reads the standard output any more.\n"
    process.stderr.close()
    assert not (desk.directory / "report.json").exists()


def test_a_standard_output_without_room_is_a_failure(desk: Desk) -> None:
    with Path("/dev/full").open("wb") as full:
        told = subprocess.run(
            desk.command(desk.capture, "-"),
            env=desk.environment(),
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert told.returncode == 1
    assert told.stderr.startswith(b"STORAGE_FULL: ")


def test_kernels_are_the_server_s_or_lie_in_the_user_s_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_server = tmp_path / "kernels"
    assert kernel_root(of_server, {"XDG_CACHE_HOME": "/x"}) == Path("/x/gql-server/kernels")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert kernel_root(of_server, {}) == tmp_path / ".cache" / "gql-server" / "kernels"
    of_server.mkdir()
    assert kernel_root(of_server, {"XDG_CACHE_HOME": "/x"}) == of_server


def test_kernels_of_another_user_are_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    assert kernel_root(tmp_path, {"XDG_CACHE_HOME": "/x"}) == Path("/x/gql-server/kernels")


def test_a_cache_that_cannot_be_made_is_named(desk: Desk) -> None:
    (desk.directory / "data" / "kernels").unlink()
    (desk.directory / "file").touch()
    environment = desk.environment() | {"XDG_CACHE_HOME": str(desk.directory / "file")}
    told = subprocess.run(
        desk.command(desk.capture, desk.output), env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    assert told.stderr.startswith(SetupError.code)
    assert "XDG_CACHE_HOME" in told.stderr
