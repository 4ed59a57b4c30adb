"""Running servers for the journeys."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gql_server.domain.ids import new_id
from tests.journeys.demos import Demo
from tests.journeys.doors import Installation, Server

NewInstallation = Callable[..., Installation]


@pytest.fixture(scope="session")
def new_installation(open_directory: Path, kernel_root: Path) -> NewInstallation:
    """Make a data directory that shares the compiled kernels with all others."""

    def make(**settings: str) -> Installation:
        directory = open_directory / f"installation {new_id().hex[:8]}"
        directory.mkdir(mode=0o711)
        (directory / "kernels").symlink_to(kernel_root)
        return Installation(directory, {f"GQL_SERVER_{name.upper()}": value for name, value in settings.items()})

    return make


@pytest.fixture(scope="session")
def installation(new_installation: NewInstallation) -> Installation:
    return new_installation(lease_seconds="3")


@pytest.fixture(scope="session")
def server(installation: Installation) -> Iterator[Server]:
    """One server with a worker inside, for all journeys that do not hurt it."""
    with installation.server() as running:
        yield running


@pytest.fixture(scope="session")
def demonstration(new_installation: NewInstallation) -> Demo:
    """A run of the demo that has succeeded."""
    with Demo(new_installation(), ("--exit",)) as demo:
        demo.succeed()
    return demo
