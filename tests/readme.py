"""The README's table of settings, written from the code.

Run as: python -m tests.readme
"""

from dataclasses import fields
from pathlib import Path

from gql_server.settings import PREFIX, Settings

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN = "<!-- settings: written by `make readme` from gql_server/settings.py -->\n"
END = "<!-- /settings -->"

SAID_OTHERWISE = {"data_directory": "`/var/lib/gql-server` for root, else `~/.local/share/gql-server`"}
"""Defaults that depend on who starts the server."""


def settings_table() -> str:
    rows = ["", "| setting | default | meaning |", "|---|---|---|"]
    for setting in fields(Settings):
        shown = SAID_OTHERWISE.get(setting.name, default_text(setting.default))
        rows.append(f"| `{PREFIX}{setting.name.upper()}` | {shown} | {setting.metadata['meaning']} |")
    return "\n".join([*rows, "", ""])


def default_text(default: object) -> str:
    match default:
        case None | ():
            return "not set"
        case bool():
            return f"`{str(default).lower()}`"
        case _:
            return f"`{default}`"


def with_table(text: str) -> str:
    """Return the README with the table between its marks."""
    head, _, rest = text.partition(BEGIN)
    _, mark, tail = rest.partition(END)
    assert mark, "the README has lost the marks around its table of settings"
    return head + BEGIN + settings_table() + END + tail


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
