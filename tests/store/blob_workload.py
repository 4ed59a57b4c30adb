"""Everything that a store of bytes does, once.

    python -m tests.store.blob_workload ROOT GENERATION [STEP=VALUE...]

Each line is said at once: `ok STEP VALUE` is a promise, `refused STEP CODE` says that there is none; a refused step
is tried once more.
A later generation goes on after a crash: it knows only what was acknowledged, as a server knows only its rows.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from gql_server.domain.errors import StorageError
from gql_server.domain.ids import JobId, TraceId, UploadId
from gql_server.store.blobs import LocalBlobs

DATA = bytes(range(251)) * 12
CHUNK_ENDS = (1000, 1001, len(DATA))
TRACE_FILES = {"capture.pcap": DATA[::-1], "manifest.json": b'{"trace": true}'}
EXECUTION_FILES = {"manifest.json": b'{"execution": true}', "report.json": b'{"report": true}'}

Result = TypeVar("Result")


class Workload:
    """The steps, and the promises so far."""

    def __init__(self, root: Path, generation: int, acknowledged: dict[str, str]) -> None:
        self._next = generation << 64
        self._acknowledged = acknowledged
        self._blobs = self._insist("layout", lambda: LocalBlobs(root, reserve_bytes=0))

    def run(self) -> None:
        """Do each step that is not acknowledged yet."""
        self._step("token", self._blobs.read_or_create_token)
        self._step("upload", self._create)
        for index in range(len(CHUNK_ENDS)):
            self._step(f"chunk{index}", lambda index=index: self._append(index))  # type: ignore[misc]
        self._step("trace", self._publish)
        self._step("execution", self._execute)
        self._step("doomed", self._publish)
        self._step("removed", self._remove)

    def _step(self, name: str, act: Callable[[], str]) -> None:
        if name not in self._acknowledged:
            self._acknowledged[name] = self._insist(name, act)
            _say(f"ok {name} {self._acknowledged[name]}")

    def _insist(self, name: str, act: Callable[[], Result]) -> Result:
        try:
            return act()
        except StorageError as error:
            _say(f"refused {name} {error.code}")
            return act()

    def _new_id(self) -> UUID:
        self._next += 1
        return UUID(int=self._next)

    def _create(self) -> str:
        upload_id = UploadId(self._new_id())
        self._blobs.create_upload(upload_id)
        return str(upload_id)

    def _append(self, index: int) -> str:
        start, end = (0, *CHUNK_ENDS)[index : index + 2]
        upload_id = UploadId(UUID(self._acknowledged["upload"]))
        return str(self._blobs.append_chunk(upload_id, offset=start, data=DATA[start:end]))

    def _publish(self) -> str:
        trace_id = TraceId(self._new_id())
        staging = self._blobs.stage(JobId(UUID(int=1)), 1)
        # As an engine's child writes it: what publishes must not trust it to have fsynced.
        (staging / "capture.pcap").write_bytes(TRACE_FILES["capture.pcap"])
        self._blobs.write_file_durably(staging / "manifest.json", TRACE_FILES["manifest.json"])
        self._blobs.publish(staging, trace_id)
        return str(trace_id)

    def _execute(self) -> str:
        name = f"exec_20260101T000000Z_{self._new_id().int % (1 << 20):08x}"
        self._blobs.create_execution(name)
        for file_name, data in EXECUTION_FILES.items():
            self._blobs.write_execution_file(name, file_name, data)
        self._blobs.seal_execution(name)
        return name

    def _remove(self) -> str:
        self._blobs.remove_trace(TraceId(UUID(self._acknowledged["doomed"])))
        return self._acknowledged["doomed"]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Workload(Path(sys.argv[1]), int(sys.argv[2]), dict(part.split("=", 1) for part in sys.argv[3:])).run()
