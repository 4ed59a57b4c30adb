"""The child process: warm, does one task, ends.

It loads the kernels, says Ready and waits on its standard input for one task. From then on it lives under its own
limits. When its input ends, its parent is gone or wants no more of it, and it ends at once, whatever it is doing.
What it writes on standard error never holds a byte of a capture.

Run as: python -m gql_server.engine.child
"""

import errno
import gc
import os
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from time import monotonic
from typing import Final, NoReturn, assert_never

from gql_server.domain.errors import GqlServerError, ResourceLimit, StorageFull
from gql_server.engine.dicom.tasks import DeidentifyTask, ExtractDicomTask, PreviewDicomTask
from gql_server.engine.limits import die_with_parent, limit_this_process
from gql_server.engine.loading import ADDRESSES, DicomKernels, load_kernels
from gql_server.engine.messages import Finished, Message, Ready, Refused, decode_task, encode_message
from gql_server.engine.tasks import (
    AnonymizeTask,
    CompareTask,
    DicomTask,
    DissectTask,
    InspectTask,
    PreviewTask,
    Progressed,
    Result,
    Task,
    TransformMacsTask,
    VerifyTask,
)

DONE: Final = 0
FAILED: Final = 1
ABANDONED: Final = 3
"""The parent went away."""

_PROGRESS_SECONDS: Final = 0.1
_READ_BYTES: Final = 1 << 16
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

Progress = Callable[[Progressed], None]


def main() -> NoReturn:
    """Do one task and end without clean-up: nothing of this process is worth it."""
    die_with_parent()
    lines: SimpleQueue[bytes] = SimpleQueue()
    try:
        carry_out = _prepare(os.environ["NUMBA_CACHE_DIR"])
        threading.Thread(target=_watch_input, args=(lines,), daemon=True).start()
        _say(Ready())
        _say(_answer(lines.get(), carry_out))
    except BaseException as error:  # noqa: BLE001  # the text of an unforeseen error may hold anything
        sys.stderr.write(f"engine child: {type(error).__name__}\n")
        sys.stderr.flush()
        os._exit(FAILED)
    os._exit(DONE)


def _prepare(directory: str) -> Callable[[Task, Progress], Result]:
    load_kernels(directory, ADDRESSES)
    # What is imported stays as long as the process: to collect among it takes a tenth of the start.
    gc.disable()
    carry_out = _import_tasks(DicomKernels(directory))
    gc.freeze()
    gc.enable()
    return carry_out


def _import_tasks(dicom: DicomKernels) -> Callable[[Task, Progress], Result]:
    # Importing compiles, so it happens behind `load_kernels` and not at the top of this file.
    from gql_server.engine.addresses.anonymizing import anonymize, preview, transform_macs  # noqa: PLC0415  # see above
    from gql_server.engine.inspect.inspecting import inspect  # noqa: PLC0415  # see above
    from gql_server.engine.inspect.locating import locate_packets  # noqa: F401, PLC0415  # for its kernels
    from gql_server.engine.verify.verifying import verify  # noqa: PLC0415  # see above

    def carry_out(task: Task, progress: Progress) -> Result:
        if _concerns_dicom(task):
            dicom.load()
        match task:
            case InspectTask():
                return inspect(task, progress)
            case AnonymizeTask():
                return anonymize(task, progress)
            case TransformMacsTask():
                return transform_macs(task, progress)
            case PreviewTask():
                return preview(task, progress)
            case VerifyTask():
                return verify(task, progress)
            case _:
                return _load_and_do(task, progress)

    return carry_out


def _concerns_dicom(task: Task) -> bool:
    return task.dicom is not None if isinstance(task, VerifyTask) else isinstance(task, DicomTask)


def _load_and_do(task: DissectTask | CompareTask | DicomTask, progress: Progress) -> Result:
    """Do what takes more than a child that waits has loaded."""
    return _look_inside(task) if isinstance(task, DissectTask | CompareTask) else _read_dicom(task, progress)


def _look_inside(task: DissectTask | CompareTask) -> Result:
    # scapy takes a second to import and never leaves its fence: only a child that needs it pays.
    from gql_server.engine.inspect.fence import Fence  # noqa: PLC0415  # see above

    fence = Fence()
    fence.raise_up()
    from gql_server.engine.inspect.comparing import compare  # noqa: PLC0415  # see above
    from gql_server.engine.inspect.dissecting import dissect  # noqa: PLC0415  # see above

    fence.close()
    return dissect(task) if isinstance(task, DissectTask) else compare(task)


def _read_dicom(task: DicomTask, progress: Progress) -> Result:
    # pydicom and its tables take most of a second to import: only a child that needs them pays.
    from gql_server.engine.dicom.deidentifying import deidentify  # noqa: PLC0415  # see above
    from gql_server.engine.dicom.extracting import extract  # noqa: PLC0415  # see above
    from gql_server.engine.dicom.listing import write_lists  # noqa: PLC0415  # see above
    from gql_server.engine.dicom.pages import page_of, whole  # noqa: PLC0415  # see above
    from gql_server.engine.dicom.previewing import preview  # noqa: PLC0415  # see above

    match task:
        case DeidentifyTask():
            return deidentify(task, progress)
        case PreviewDicomTask():
            return page_of(preview(whole(task), progress), task)
        case ExtractDicomTask():
            return write_lists(extract(task, progress), task.output_directory)
        case _:
            assert_never(task)


def _watch_input(lines: "SimpleQueue[bytes]") -> None:
    """Hand over the first line; end the process when the input ends."""
    received = b""
    handed = False
    while piece := os.read(0, _READ_BYTES):
        if not handed:
            received += piece
            line, end, _ = received.partition(b"\n")
            if end:
                lines.put(line)
                handed = True
                received = b""
    os._exit(ABANDONED)


def _answer(line: bytes, carry_out: Callable[[Task, Progress], Result]) -> Message:
    task = decode_task(line)
    limit_this_process(task.memory_bytes + _mapped_bytes(task))
    try:
        return Finished(result=carry_out(task, _Pace()))
    except GqlServerError as error:
        return Refused.of(error)
    except MemoryError:
        return Refused.of(ResourceLimit(resource="memory"))
    except OSError as error:
        if error.errno in _NO_ROOM:
            return Refused.of(StorageFull())
        raise


def _mapped_bytes(task: Task) -> int:
    """Return the address space that a map of a working copy takes; its pages are the file's, not the child's."""
    return task.source.stat().st_size if isinstance(task, DicomTask) else 0


class _Pace:
    """Says progress, the first at once and then ten times a second at most."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, progressed: Progressed) -> None:
        now = monotonic()
        if now >= self._next:
            self._next = now + _PROGRESS_SECONDS
            _say(progressed)


def _say(message: Message) -> None:
    line = encode_message(message)
    while line:
        line = line[os.write(1, line) :]


if __name__ == "__main__":
    main()
