"""Recorded clients, played again to live servers: pynetdicom, and DCMTK's storescp."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydicom.uid import UID
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt

from tests.dicom.programs import SERVICES
from tests.dicom.reading import connections_in
from tests.dicom.recording import messages_of
from tests.dicom.rereading import commands_of

_HOST: Final = "127.0.0.1"
_PATIENCE_SECONDS: Final = 10
_ANSWER: Final = 0x8000
_PENDING: Final = (0xFF00, 0xFF01)
_STORE: Final = 0x8001
_RELEASE: Final = 5


@dataclass(slots=True, kw_only=True)
class Replay:
    """What a server made of the clients of a capture."""

    statuses: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Answers by command and status."""
    pdus: Counter[int] = field(default_factory=Counter)
    """PDUs of the server by type, pending answers aside."""
    elements: int = 0
    """That the server read in what it was sent."""


def replay(data: bytes) -> Replay:
    """Play every client of a capture to a live pynetdicom server."""
    found = Replay()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = _server(found)
        try:
            for client in _clients(data):
                _play(client, server.server_address[1], found)
        finally:
            server.shutdown()
    return found


def _clients(data: bytes) -> Iterator[list[bytes]]:
    """Yield the PDUs of each side that asks for an association."""
    for connection in connections_in(data):
        for stream in connection:
            if stream.data[:1] == b"\x01":
                yield list(messages_of(stream.whole))


def _server(found: Replay) -> Any:
    entity = AE(ae_title="ANYBODY")
    for context in AllStoragePresentationContexts:
        storage = UID(str(context.abstract_syntax))
        entity.add_supported_context(storage, ALL_TRANSFER_SYNTAXES, scu_role=True, scp_role=True)
    for service in SERVICES:
        entity.add_supported_context(service, ALL_TRANSFER_SYNTAXES)

    def count(data: Any) -> int:
        found.elements += sum(1 for _ in data.iterall())
        return 0

    def find(event: Any) -> Iterator[tuple[int, None]]:
        yield count(event.identifier), None

    handlers: list[Any] = [
        (evt.EVT_C_ECHO, lambda _: 0),
        (evt.EVT_C_STORE, lambda event: count(event.dataset)),
        (evt.EVT_C_FIND, find),
        (evt.EVT_C_GET, lambda event: iter([count(event.identifier)])),
        (evt.EVT_C_MOVE, lambda event: iter([(None, None)][count(event.identifier) :])),
        (evt.EVT_N_CREATE, lambda event: (count(event.attribute_list), event.attribute_list)),
        (evt.EVT_N_SET, lambda event: (count(event.modification_list), None)),
        (evt.EVT_N_ACTION, lambda event: (count(event.action_information), None)),
        (evt.EVT_USER_ID, lambda _: (True, None)),
    ]
    return entity.start_server((_HOST, 0), block=False, evt_handlers=handlers)


def _play(pdus: list[bytes], port: int, found: Replay) -> None:
    with socket.create_connection((_HOST, port), timeout=_PATIENCE_SECONDS) as connection:
        command = 0
        for sent in pdus:
            connection.sendall(sent)
            if sent[0] == 1:
                if not _negotiated(connection, found):
                    return
                continue
            for asked, ends in commands_of(sent):
                command = asked or command
                if ends and command and not command & _ANSWER:
                    _await_answer(connection, found)
                    command = 0
        if pdus[-1][0] == _RELEASE and (last := _receive(connection)) is not None:
            found.pdus[last[0]] += 1


def _negotiated(connection: socket.socket, found: Replay) -> bool:
    answer = _receive(connection)
    assert answer is not None, "the server closed the connection"
    found.pdus[answer[0]] += 1
    return answer[0] == 2


def _await_answer(connection: socket.socket, found: Replay) -> None:
    """Read until an answer that is not pending."""
    while True:
        answer = _receive(connection)
        assert answer is not None, "the server closed the connection"
        if answer[0] != 4:
            found.pdus[answer[0]] += 1
            return
        for field_, status in re.findall(rb"\0\0\0\x01\x02\0\0\0(..).*?\0\0\0\x09\x02\0\0\0(..)", answer, re.DOTALL):
            numbers = (int.from_bytes(field_, "little"), int.from_bytes(status, "little"))
            if numbers[1] not in _PENDING:
                found.statuses[numbers] += 1
                return


def _receive(connection: socket.socket) -> bytes | None:
    """Receive one PDU; None at the end."""
    head = _exactly(connection, 6)
    if len(head) < 6:
        return None
    return head + _exactly(connection, int.from_bytes(head[2:], "big"))


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := connection.recv(count - len(data))):
        data += more
    return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What storescp made of the stores of a capture."""

    files: int
    complaints: list[str]
    statuses: Counter[tuple[int, int]]


def storescp() -> str | None:
    """Return where DCMTK's server is, if it is there; pynetdicom installs a program of that name too."""
    for directory in os.get_exec_path():
        program = shutil.which("storescp", path=directory)
        if program and not Path(program).read_bytes().startswith(b"#!"):
            return program
    return None


def receive(data: bytes, directory: Path) -> Received:
    """Play the clients that store to DCMTK's storescp."""
    program, port = storescp(), _free_port()
    assert program is not None
    directory.mkdir()
    found = Replay()
    words = [program, "--output-directory", str(directory), "+xa", "--promiscuous", str(port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            _await_listening(port)
            for client in _clients(data):
                if any(asked == _STORE & ~_ANSWER for sent in client for asked, _ in commands_of(sent)):
                    _play(client, port, found)
        finally:
            process.terminate()
        told = process.communicate()[0].decode("latin-1").splitlines()
    complaints = [line for line in told if line.startswith(("E:", "W:"))]
    return Received(files=len(list(directory.iterdir())), complaints=complaints, statuses=found.statuses)


def _free_port() -> int:
    with socket.create_server((_HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _await_listening(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection((_HOST, port), timeout=_PATIENCE_SECONDS):
            return
        # The program says nothing when it begins to listen.
        subprocess.run(["sleep", "0.02"], check=True)
    raise AssertionError("storescp does not listen")
