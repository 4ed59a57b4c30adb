"""Whole recordings: what is played, what is planted, what went over the wire."""

import logging
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.dicom.datasets import DEFLATED, FILES, material, stored
from tests.dicom.planting import Oracle
from tests.dicom.programs import UNCOMPRESSED, Archive, Clients
from tests.dicom.recording import RecordingProxy, wire_of
from tests.dicom.wire import Wire

_SMALL: Final = (4, 8, 11, 12)
"""Objects of few bytes: JPEG, JPEG-LS, RLE, a report; each of another patient."""
Play = Callable[[Clients, list[Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A wire and what was planted in it."""

    wire: Wire
    oracle: Oracle
    seed: int


def play_all(clients: Clients, objects: list[Any]) -> None:
    """Every service, every transfer syntax; each association is a connection of its own."""
    clients.echo()
    clients.be_rejected()
    for syntaxes in (set(UNCOMPRESSED) - {DEFLATED}, set(FILES) - set(UNCOMPRESSED), {DEFLATED}):
        clients.store([one for one in objects if one.file_meta.TransferSyntaxUID in syntaxes])
    for syntax in UNCOMPRESSED:
        clients.find(syntax)
    clients.retrieve()
    clients.perform()


def play_few(clients: Clients, objects: list[Any]) -> None:
    """A little of everything that is small."""
    clients.echo()
    clients.store([objects[n] for n in _SMALL])
    clients.find(UNCOMPRESSED[1])
    clients.find(DEFLATED)
    clients.perform()


def record(seed: int, play: Play = play_all, *, port: int = 104, tls: tuple[Any, Any] | None = None) -> Recording:
    """Play scenes over loopback and return them; `tls` is a pair of contexts of server and client."""
    with _quiet():
        made = material(seed)
        objects = list(stored(made))
        server = Archive(made, objects).start(tls[0] if tls else None)
        try:
            with RecordingProxy(server.server_address[1]) as proxy:
                play(Clients(made, proxy.port, tls[1] if tls else None), objects)
        finally:
            server.shutdown()
    return Recording(wire=wire_of(proxy.recorded, seed=seed, server_port=port), oracle=made.oracle, seed=seed)


def record_others(seed: int, commands: Callable[[Path, int], list[list[str]]], directory: Path) -> Recording:
    """Play other programs against the archive; they are given a file to send and a port."""
    with _quiet():
        made = material(seed)
        objects = list(stored(made))
        path = directory / "object.dcm"
        objects[1].save_as(path)
        server = Archive(made, objects).start()
        try:
            with RecordingProxy(server.server_address[1]) as proxy:
                for words in commands(path, proxy.port):
                    subprocess.run([*words, "-aec", made.titles["scp"]], check=True, capture_output=True)
        finally:
            server.shutdown()
    return Recording(wire=wire_of(proxy.recorded, seed=seed), oracle=made.oracle, seed=seed)


@contextmanager
def _quiet() -> Iterator[None]:
    """The libraries warn of values that are unusual on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        level = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(level)
