"""Captures of other people's programs, when they are there, against the list of what they tell."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.dicom import judging
from tests.dicom.canaries import Scanner
from tests.dicom.outcomes import Engine
from tests.dicom.planting import Kind, Planted
from tests.dicom.rereading import associations_in
from tests.engine.corpora import corpora

NAMES = (
    "d01_cstore_ct_phi.pcap",
    "d05_implicit_vr.pcap",
    "d08b_cfind_patient.pcap",
    "d09_cecho.pcap",
    "d10_assoc_reject.pcap",
    "d12_tls.pcap",
    "d13_ipv6_pynetdicom.pcap",
    "d19_dumpcap_two_if.pcapng",
)
ENCRYPTED = {"d12_tls.pcap"}
STANDARD = "1.2.840.10008."
LEAST = 6
"""Shorter values are found by chance."""


@pytest.fixture(params=NAMES)
def capture(request: pytest.FixtureRequest) -> Path:
    path: Path = corpora("dicom-captures") / request.param
    assert path.is_file()
    return path


def truth(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((path.parent / "truth.json").read_text(encoding="utf-8"))[path.name]
    return told


def identifying(path: Path) -> list[Planted]:
    """What must not stay: canaries, titles, and identifying values that no other element holds as well."""
    told, data = truth(path), path.read_bytes()
    texts = dict.fromkeys((*told["canaries"], *told["ae_titles"]), "canary")
    for instance in told["instances"]:
        for one in instance["identifying"]:
            value = str(one["value"] or "")
            if len(value) >= LEAST and not value.startswith(STANDARD):
                texts.setdefault(value, one["path"])
    elsewhere = b"\n".join(kept(data)).lower()
    return [
        Planted(place=place, kind=Kind.TEXT, text=text, encoding="utf-8")
        for text, place in texts.items()
        if place == "canary" or text.encode().lower() not in elsewhere
    ]


def kept(data: bytes) -> list[bytes]:
    """Values of elements that do not identify."""
    return [
        element.value
        for association in associations_in(data)
        for message in association.messages
        for element in message.elements
        if not judging.identifies(element)
    ]


def test_the_scan_finds_every_canary_of_the_original(capture: Path) -> None:
    told, scanner = truth(capture), Scanner(identifying(capture))
    found = {hit.text for hit in scanner.find(capture.read_bytes())}
    texts = [] if capture.name in ENCRYPTED else [*told["canaries"], *told["ae_titles"]]
    assert {text.lower() for text in texts} - {text.lower() for text in found} == set()


def test_no_canary_and_no_identifying_value_is_left(capture: Path, engine: Engine) -> None:
    outcome = engine.run(capture.read_bytes())
    assert Scanner(identifying(capture)).find(outcome.after) == []
    assert judging.structure(outcome.before, outcome.after) == []
    assert judging.unchanged(outcome.before, outcome.after) == []
    assert outcome.report.encrypted == (capture.name in ENCRYPTED)
