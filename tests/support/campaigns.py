"""Rehearsals by the command line, with real processes, and what came of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from ruamel.yaml import YAML

from tests.support.cli import Cli, Ran
from tests.support.examples import EXAMPLE

RECIPIENTS = 500
CHANNELS = ("banner", "kiosk", "sms", "webhook", "wechat")


@dataclass(frozen=True, slots=True)
class Played:
    """A rehearsal that came to its end."""

    data: Path
    ran: Ran

    @property
    def report(self) -> dict[str, Any]:
        """Its report."""
        found: dict[str, Any] = json.loads((self.data / "report.json").read_text(encoding="utf-8"))
        return found

    def told(self, channel: str) -> list[str]:
        """The phases that a channel's recipients were told, in order."""
        rows = [row for row in self.report["broadcasts"] if row["channel"] == channel and row["accepted"]]
        return [row["phase"] for row in sorted(rows, key=lambda row: row["opened_at"])]


def rehearse(data: Path, script: str | None = None, *, vendors: bool = False) -> Played:
    """Rehearse the example to its end; `script` is what the operator does, else he finishes at the planned end.

    With `vendors`, messages go out on the wire formats of vendors, as in `make demo`."""
    return Played(data, Cli(data).run(*arguments(data, script), *(["--vendors"] if vendors else [])))


def arguments(data: Path, script: str | None = None, recipients: int = RECIPIENTS) -> list[str | Path]:
    """The command."""
    command: list[str | Path] = ["rehearse", EXAMPLE, "--data", data, "--recipients", str(recipients)]
    if script is None:
        return command
    data.mkdir(parents=True, exist_ok=True)
    file = data / "script.yaml"
    file.write_text(script, encoding="utf-8")
    return [*command, "--script", file]


def received(data: Path) -> int:
    """How many messages the public has seen of a running rehearsal; 0 while its sandbox does not answer yet."""
    try:
        site = YAML(typ="safe", pure=True).load((data / "site.yaml").read_text(encoding="utf-8"))
        sandbox = str(site["channels"]["sms"]["providers"][0]["url"]).removesuffix("/sms/sandbox-sms")
        return int(requests.get(f"{sandbox}/api/totals", timeout=10).json()["received"])
    except (OSError, TypeError):  # not written, or half written; requests' own errors are OSErrors
        return 0
