"""A PostgreSQL of the system's, in a private cluster."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg
import pytest

from tests.journeys.doors import await_true, free_port
from tests.readme import README

OLDEST = 15
PASSWORD = "made up for tests"
SUPERUSER = "postgres"

_NOBODY = 65534
_SQL = re.compile(r"```sql\n(CREATE ROLE .*?)```", re.DOTALL)
_SETTING = re.compile(r"^export (GQL_SERVER_\w+)='(.*)'$", re.MULTILINE)


def find_programs() -> Path:
    """Return where the newest PostgreSQL's programs are; step aside where there is none, but never in CI."""
    found = {int(path.parent.name): path for path in Path("/usr/lib/postgresql").glob("[0-9]*/bin")}
    usable = {version: path for version, path in found.items() if version >= OLDEST and (path / "initdb").exists()}
    if usable:
        return usable[max(usable)]
    if (server := shutil.which("postgres")) is not None and shutil.which("initdb") is not None:
        said = subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout
        if int(re.findall(r"\d+", said)[0]) >= OLDEST:
            return Path(server).resolve().parent
    sentence = f"no PostgreSQL from {OLDEST} on is installed (`apt-get install postgresql`)"
    assert os.environ.get("CI") != "true", sentence
    pytest.skip(sentence)


def statements_of_readme() -> list[str]:
    """Return the SQL that the README gives to operators, with a password."""
    (block,) = _SQL.findall(README.read_text(encoding="utf-8"))
    return [part.strip().replace("'...'", f"'{PASSWORD}'") for part in block.split(";") if part.strip()]


class ExternalPostgres:
    """One cluster; it ends with the test."""

    def __init__(self, root: Path) -> None:
        self._programs = find_programs()
        self._root = root
        self._port = free_port()
        self._user = _NOBODY if os.geteuid() == 0 else None

    def __enter__(self) -> Self:
        self._root.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(self._root, self._user, self._user)
        cluster = str(self._root / "cluster")
        self._run(
            "initdb", "-D", cluster, "-U", SUPERUSER, "-A", "scram-sha-256", "--auth-local=trust", "-N", "-E", "UTF8"
        )
        places = ("-p", str(self._port), "-k", str(self._root), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off")
        with (self._root / "log").open("wb") as log:
            command = [str(self._programs / "postgres"), "-D", cluster, *places]
            self._process = subprocess.Popen(command, user=self._user, stdout=log, stderr=log, cwd="/")
        await_true(self._answers, what="the start of PostgreSQL")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def execute(self, *statements: str) -> None:
        """Execute statements as the superuser."""

        async def execute() -> None:
            connection = await asyncpg.connect(
                host=str(self._root), port=self._port, user=SUPERUSER, database="postgres"
            )
            for statement in statements:
                await connection.execute(statement)
            await connection.close()

        asyncio.run(execute())

    def settings(self) -> Mapping[str, str]:
        """Return the settings that the README names, for this cluster."""
        named = dict(_SETTING.findall(README.read_text(encoding="utf-8")))
        password = PASSWORD.replace(" ", "%20")
        here = f"127.0.0.1:{self._port}"
        return {name: url.replace(":...@", f":{password}@").replace("db.example", here) for name, url in named.items()}

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._root / "log").read_text()
        try:
            self.execute("SELECT 1")
        except (OSError, asyncpg.PostgresError):
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        subprocess.run(command, user=self._user, check=True, capture_output=True, cwd="/")
