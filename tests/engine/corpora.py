"""Where the shared test data lies, when it is there."""

import os
from pathlib import Path

import pytest

VARIABLE = "GQL_SERVER_CORPORA"
_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "corpora"


def corpora(part: str) -> Path:
    """Return a folder of the shared test data; the test that asks is skipped where there is none."""
    folder = Path(os.environ.get(VARIABLE, _BESIDE)) / part
    if not folder.is_dir():
        pytest.skip(f"needs the shared test data: set {VARIABLE} to its folder")
    return folder
