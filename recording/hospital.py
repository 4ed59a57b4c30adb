"""Records the hospital capture from real programs.

`sudo python -m recording.hospital gql_server/demo_capture/hospital.pcap`

It needs Linux, root, tcpdump, dnsmasq, dig, curl and DCMTK, and pydicom in the Python that runs it.
The recording is taken on the modality's own network card.
"""

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from recording.machines import (
    ARCHIVE,
    GATEWAY,
    HARDWARE,
    MODALITY,
    SETTLE_SECONDS,
    give_addresses,
    inside,
    machines,
    module,
    number_everything,
    run,
    running,
)
from recording.study import write_study

ARCHIVE_NAME = "archive.hospital.example"
ARCHIVE_ADDRESS, ARCHIVE_ADDRESS_6 = "10.20.2.20", "2001:db8:20:2::20"
GATEWAY_VLAN_ADDRESS, MODALITY_VLAN_ADDRESS = "10.20.30.1", "10.20.30.10"
DICOM_PORT = "11112"
VLAN = "20"
PAGE = """<!doctype html>
<title>EXAMPLE HOSPITAL worklist</title>
<table>
{rows}
</table>
"""
ROW = "<tr><td>EXAMPLE-{number:04}</td><td>EXAMPLE^PATIENT</td><td>10:{number:02}</td><td>example room</td></tr>"


def on_modality(*words: str) -> None:
    """Run a program on the modality."""
    run(*inside(MODALITY, *words))


def name_server() -> tuple[str, ...]:
    """Return the words of a name server that knows the archive and nothing else."""
    options = ("--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--pid-file=")
    zone = (f"--host-record={ARCHIVE_NAME},{ARCHIVE_ADDRESS},{ARCHIVE_ADDRESS_6}", "--local=/hospital.example/")
    return ("dnsmasq", *options, *zone, "--user=root")


@contextlib.contextmanager
def services(folder: Path) -> Iterator[None]:
    """Keep the archive's and the gateway's servers, and both ends of the VLAN, running."""
    received, pages = folder / "received", folder / "pages"
    received.mkdir()
    pages.mkdir()
    (pages / "worklist.html").write_text(PAGE.format(rows="\n".join(ROW.format(number=n) for n in range(40))))
    web = (sys.executable, "-m", "http.server", "80", "--bind")
    with contextlib.ExitStack() as stack:
        stack.enter_context(running(ARCHIVE, name_server()))
        store = ("storescp", "-aet", "ARCHIVE", "--output-directory", str(received), DICOM_PORT)
        stack.enter_context(running(ARCHIVE, store))
        stack.enter_context(running(ARCHIVE, (*web, "::"), folder=pages))
        for machine, address in ((GATEWAY, GATEWAY_VLAN_ADDRESS), (MODALITY, MODALITY_VLAN_ADDRESS)):
            stack.enter_context(running(machine, module("tagger", "eth0", "vlan20", VLAN)))
            run("ip", "-n", machine, "link", "set", "vlan20", "address", HARDWARE[machine, "eth0"], "up")
            give_addresses(machine, "vlan20", [f"{address}/24"])
        stack.enter_context(running(GATEWAY, (*web, GATEWAY_VLAN_ADDRESS), folder=pages))
        yield
    if len(list(received.iterdir())) != 1:
        sys.exit("the archive did not store the study")


def ask_names() -> None:
    """Ask for both addresses, for the name behind one, and for a name that is not there."""
    asked = (("A", ARCHIVE_NAME), ("AAAA", ARCHIVE_NAME), ("A", "nobody.hospital.example"))
    for kind, name in asked:
        on_modality("dig", f"@{ARCHIVE_ADDRESS}", "-t", kind, name)
    on_modality("dig", f"@{ARCHIVE_ADDRESS}", "-x", ARCHIVE_ADDRESS)


def fetch_page(name: str, address: str) -> None:
    """Fetch the worklist page by HTTP from a name whose address is given."""
    written = f"[{address}]" if ":" in address else address
    on_modality("curl", "--silent", "--fail", "--resolve", f"{name}:80:{written}", f"http://{name}/worklist.html")


def store_study(folder: Path) -> None:
    """Verify the archive by DICOM, then send it the study."""
    study = folder / "study.dcm"
    write_study(study)
    titles = ("-aet", "MODALITY", "-aec", "ARCHIVE")
    on_modality("echoscu", *titles, ARCHIVE_ADDRESS, DICOM_PORT)
    on_modality("storescu", "--required", *titles, ARCHIVE_ADDRESS, DICOM_PORT, str(study))


def fetch_with_offload() -> None:
    """Fetch the page while the modality leaves its checksums to its card."""
    on_modality(*module("offloads", "eth0", "on"))
    fetch_page(ARCHIVE_NAME, ARCHIVE_ADDRESS)
    on_modality(*module("offloads", "eth0", "off"))


def provoke_errors() -> None:
    """Have the archive and the gateway answer with ICMP errors."""
    for address, kind in (
        (ARCHIVE_ADDRESS, "closed-port"),
        (ARCHIVE_ADDRESS, "short-lived"),
        (ARCHIVE_ADDRESS_6, "closed-port"),
        (ARCHIVE_ADDRESS_6, "echo"),
    ):
        on_modality(*module("probes", address, kind))


def record(folder: Path) -> Path:
    """Record one play of everything, and return the capture."""
    capture = folder / "hospital.pcap"
    with machines(), running(MODALITY, ("tcpdump", "-i", "eth0", "-U", "-s", "0", "-Z", "root", "-w", str(capture))):
        number_everything()
        with services(folder):
            time.sleep(SETTLE_SECONDS)
            ask_names()
            store_study(folder)
            fetch_with_offload()
            fetch_page(ARCHIVE_NAME, ARCHIVE_ADDRESS_6)
            fetch_page("gateway.hospital.example", GATEWAY_VLAN_ADDRESS)
            provoke_errors()
            time.sleep(SETTLE_SECONDS)
    return capture


def main() -> None:
    """Record into a folder of its own, then put the capture where it was asked for."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(record(Path(folder)), sys.argv[1])


if __name__ == "__main__":
    main()
