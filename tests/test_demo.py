"""The demo chooses what to show and refuses what cannot work; whole runs are in the journeys."""

import asyncio
from pathlib import Path

import pytest

from gql_server.demo import run_demo, telling_pairs
from gql_server.domain.errors import SetupError

NOBODY_THERE = "http://127.0.0.1:9"


def _pair(kind: str, original: str, replacement: str) -> dict[str, str]:
    return {"kind": kind, "original": original, "replacement": replacement}


def test_the_shown_pairs_are_hosts_that_change_and_routed_ones_come_first() -> None:
    pairs = [
        _pair("MAC", "33:33:00:00:00:16", "33:33:00:00:00:17"),
        _pair("MAC", "00:00:5e:00:53:01", "9c:8e:99:00:00:01"),
        _pair("IPV6", "::", "::"),
        _pair("IPV6", "ff02::16", "ff02::17"),
        _pair("IPV6", "fe80::1", "fe80::2"),
        _pair("IPV6", "2001:db8::1", "2001:db8::9"),
        _pair("IPV4", "255.255.255.255", "255.255.255.255"),
        _pair("IPV4", "224.0.0.251", "224.0.0.252"),
        _pair("IPV4", "192.0.2.1", "198.51.100.1"),
    ]
    shown = [pair["original"] for pair in telling_pairs(pairs)]
    assert shown == ["192.0.2.1", "2001:db8::1", "fe80::1", "00:00:5e:00:53:01"]


def test_no_more_than_two_pairs_of_a_kind_are_shown() -> None:
    pairs = [_pair("IPV4", f"192.0.2.{host}", f"198.51.100.{host}") for host in range(1, 9)]
    assert [pair["original"] for pair in telling_pairs(pairs)] == ["192.0.2.1", "192.0.2.2"]


async def test_an_output_without_a_folder_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    serving = asyncio.create_task(asyncio.Event().wait())
    with pytest.raises(SetupError, match="--output"):
        await run_demo(NOBODY_THERE, tmp_path / "nowhere" / "result.pcap", until=serving)
    serving.cancel()


async def test_a_server_that_ends_while_it_starts_is_told_of(tmp_path: Path) -> None:
    serving = asyncio.create_task(asyncio.sleep(0))
    with pytest.raises(SetupError, match="while it was starting"):
        await run_demo(NOBODY_THERE, tmp_path / "result.pcap", until=serving)
