"""Every setting, read from the environment once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

PREFIX = "GQL_SERVER_"


def default_data_directory(environment: Mapping[str, str]) -> Path:
    """Return where data lies unless said otherwise: a place that PostgreSQL can enter, also when started by root."""
    if os.geteuid() == 0:
        return Path("/var/lib/gql-server")
    home = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "gql-server"


def _setting(default: Any, meaning: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"meaning": meaning, "secret": secret}, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One attribute a setting; GQL_SERVER_<NAME> in the environment."""

    data_directory: Path | None = _setting(None, "Where captures, executions and the embedded database lie")
    host: str = _setting("127.0.0.1", "Address to listen on; only loopback until authentication is set up")
    port: int = _setting(8000, "Port to listen on")
    database_url: str | None = _setting(
        None, "PostgreSQL 15 or newer for the app role; unset: the embedded database", secret=True
    )
    owner_database_url: str | None = _setting(None, "The same database for the owner of the tables", secret=True)
    system_database_url: str | None = _setting(None, "The same database for the system role", secret=True)
    worker_slots: int = _setting(2, "Jobs that one worker process does at a time")
    warm_children: int = _setting(1, "Child processes kept ready for the next job")
    lease_seconds: int = _setting(30, "How long a worker may be silent before another takes its job over")
    job_memory_mebibytes: int = _setting(512, "Memory a job may use beyond its program")
    job_seconds: int = _setting(21600, "How long one attempt at a job may take")
    upload_bytes: int = _setting(64 << 30, "Largest upload")
    unpacked_bytes: int = _setting(256 << 30, "Largest capture after decompression")
    unpacked_ratio: int = _setting(200, "Largest capture after decompression, as a multiple of the upload")
    uploads_per_user: int = _setting(20, "Uploads one user may have under way")
    upload_seconds: int = _setting(86400, "How long an upload may lie without a byte added")
    reserve_bytes: int = _setting(1 << 30, "Free space that is never used up")
    allowed_hosts: tuple[str, ...] = _setting((), "Host names, beside loopback's, that requests may ask for")
    allowed_origins: tuple[str, ...] = _setting((), "Web origins, beside our own, that may ask")
    graphiql: bool = _setting(default=True, meaning="Whether GraphiQL is served")
    log_format: str = _setting("auto", "json, text, or auto: text on a terminal")
    log_level: str = _setting("INFO", "Least level that is logged")

    @property
    def directory(self) -> Path:
        """The data directory in force."""
        return self.data_directory or default_data_directory(os.environ)

    @property
    def lease_time(self) -> timedelta:
        """The lease as a duration."""
        return timedelta(seconds=self.lease_seconds)

    @property
    def upload_time(self) -> timedelta:
        """How long an idle upload is kept, as a duration."""
        return timedelta(seconds=self.upload_seconds)

    @property
    def job_time(self) -> timedelta:
        """How long an attempt may take, as a duration."""
        return timedelta(seconds=self.job_seconds)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Raises:
            ValueError: a value is not of its kind, or a GQL_SERVER_ name is no setting; the text says which.
        """
        known = {PREFIX + each.name.upper(): each for each in fields(cls)}
        for name in environment:
            if name.startswith(PREFIX) and name not in known and name not in _OTHER_NAMES:
                raise ValueError(f"{name} is no setting; see the README for those there are")
        values = {
            known[name].name: _parse(name, str(known[name].type), environment[name])
            for name in known
            if name in environment
        }
        return cls(**values)


_OTHER_NAMES = frozenset({PREFIX + "CHECKED_KERNELS", PREFIX + "LONG_TESTS", PREFIX + "CORPORA"})


def _parse(name: str, kind: str, text: str) -> Any:
    if "Path" in kind:
        return Path(text).expanduser().absolute()
    if "tuple" in kind:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if "bool" in kind:
        if text.lower() not in {"true", "false", "1", "0", "yes", "no"}:
            raise ValueError(f"{name} must be true or false")
        return text.lower() in {"true", "1", "yes"}
    if "int" in kind:
        if not text.isdecimal():
            raise ValueError(f"{name} must be a whole number")
        return int(text)
    return text
