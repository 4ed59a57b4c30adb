"""Real programs on loopback, with a recording proxy between them."""

import contextlib
import random
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from tests.dicom.wire import Conversation, Ends, Wire

_HOST: Final = "127.0.0.1"
_PIECE: Final = 1 << 16
_PATIENCE_SECONDS: Final = 20
SERVER: Final = "10.20.30.40"
CLIENT: Final = "10.20.30.41"


@dataclass(slots=True, kw_only=True)
class Recorded:
    """The bytes of one connection, both ways, in their order."""

    turns: list[tuple[bool, bytearray]] = field(default_factory=list)
    """Whether from the client, and what; sides take turns."""

    def add(self, data: bytes, *, from_client: bool) -> None:
        """Add bytes to the turn of their side."""
        if not self.turns or self.turns[-1][0] != from_client:
            self.turns.append((from_client, bytearray()))
        self.turns[-1][1].extend(data)


class RecordingProxy:
    """Hands connections on to a server and keeps what they said."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._lock = threading.Lock()
        self._pumps: list[threading.Thread] = []
        self._listener = socket.create_server((_HOST, 0))
        self._listener.settimeout(_PATIENCE_SECONDS)
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self.recorded: list[Recorded] = []
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(_PATIENCE_SECONDS)
        self._listener.close()
        for pump in self._pumps:
            pump.join(_PATIENCE_SECONDS)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((_HOST, self._target_port))
                kept = Recorded()
                self.recorded.append(kept)
                pumps = [
                    threading.Thread(target=self._pump, args=(client, server, kept, True), daemon=True),
                    threading.Thread(target=self._pump, args=(server, client, kept, False), daemon=True),
                ]
                for pump in pumps:
                    pump.start()
                closing = threading.Thread(target=_close_after, args=(pumps, client, server), daemon=True)
                closing.start()
                self._pumps.append(closing)

    def _pump(self, source: socket.socket, target: socket.socket, kept: Recorded, from_client: bool) -> None:  # noqa: FBT001  # a thread's target
        with contextlib.suppress(OSError):
            while data := source.recv(_PIECE):
                with self._lock:
                    kept.add(data, from_client=from_client)
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


def _close_after(pumps: list[threading.Thread], *sockets: socket.socket) -> None:
    for pump in pumps:
        pump.join()
    for one in sockets:
        one.close()


def messages_of(data: bytes) -> Iterator[bytes]:
    """Cut what a side sent in one turn as a program writes it: PDU by PDU; what are no PDUs stays whole."""
    at = 0
    while at + 6 <= len(data) and 1 <= data[at] <= 7 and data[at + 1] == 0:
        end = at + 6 + int.from_bytes(data[at + 2 : at + 6], "big")
        if end > len(data):
            break
        yield data[at:end]
        at = end
    if at < len(data):
        yield data[at:]


def wire_of(recorded: list[Recorded], *, seed: int, server_port: int = 104) -> Wire:
    """Return connections one after the other as segments, with sequence numbers from a seed."""
    numbers = random.Random(seed)
    segments, ends = [], []
    for index, kept in enumerate(recorded):
        sequences = (numbers.randrange(1 << 31), numbers.randrange(1 << 31))
        talk = Conversation(connection=index, sequences=sequences)
        for from_client, data in kept.turns:
            for message in messages_of(bytes(data)):
                talk.send(message, from_client=from_client)
        talk.close()
        segments += talk.segments
        port = 40000 + numbers.randrange(20000)
        ends.append(Ends(client=CLIENT, client_port=port, server=SERVER, server_port=server_port))
    return Wire(segments=tuple(segments), ends=tuple(ends))
