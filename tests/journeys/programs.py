"""Programs beside Python that some journeys need."""

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.journeys.doors import PATIENCE_SECONDS

TESTS = Path(__file__).resolve().parents[1]


def require(*programs: str) -> None:
    """Step aside where a program is missing; where CI promised to install it, fail."""
    missing = [program for program in programs if shutil.which(program) is None]
    _miss(missing, "apt-get install tshark nodejs npm chromium")


def require_node(folder: str) -> Path:
    """Return a folder of the tests whose Node packages are installed; step aside as `require` does."""
    require("node")
    place = TESTS / folder
    _miss([] if (place / "node_modules").is_dir() else [f"tests/{folder}/node_modules"], "make browser")
    return place


def _miss(missing: list[str], remedy: str) -> None:
    if not missing:
        return
    sentence = f"{', '.join(missing)} not installed (`{remedy}`)"
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


class NodeScript:
    """A script in Node that tells in JSON lines what it does; it ends with the test."""

    def __init__(self, script: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            ["node", script.name, *arguments],
            cwd=script.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout
        self._patience = threading.Timer(PATIENCE_SECONDS, self._process.kill)

    def __enter__(self) -> Self:
        self._patience.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._patience.cancel()
        self._process.kill()
        self._process.wait()
        self._output.close()

    def read(self, step: str) -> dict[str, Any]:
        """Return the next line, which must tell of this step."""
        line = self._output.readline()
        assert line, f"the script ended before it came to {step}; see its complaint above"
        told: dict[str, Any] = json.loads(line)
        assert told["step"] == step, told
        return told

    def await_end(self) -> None:
        """Wait for a good end without another line."""
        assert self._output.read() == ""
        assert self._process.wait() == 0
