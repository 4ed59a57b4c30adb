from pathlib import Path

import pytest

from tests.deidentify.runs import Desk


@pytest.fixture
def desk(tmp_path: Path, kernel_root: Path) -> Desk:
    made = Desk(directory=tmp_path, kernel_root=kernel_root)
    made.lay_out()
    return made
