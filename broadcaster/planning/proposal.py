"""A proposal: an announcement and its policy as one file holds them; the content of a revision."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from broadcaster.announcement import rules
from broadcaster.announcement.model import Announcement, Frozen, Severity
from broadcaster.announcement.rules import Finding
from broadcaster.announcement.source import Source, explain, read_source, to_yaml
from broadcaster.announcement.times import zone_of
from broadcaster.errors import InputError, Place
from broadcaster.planning import policy as policies
from broadcaster.planning.phase import UNEXPECTED, Phase
from broadcaster.planning.policy import KnownChannel, Policy, QuietHours

# Stands in for a zone that is missing or unknown, so that the rest of the file is still checked in the same go.
_STAND_IN = ZoneInfo("UTC")


class Proposal(Frozen):
    """An announcement with the policy that says how it is told."""

    announcement: Announcement
    policy: Policy

    def quiet_hours(self, channel: str, phase: Phase) -> QuietHours | None:
        """When a phase must not go out on a channel; never, for news of a critical outage that nobody expects."""
        if phase in UNEXPECTED and self.announcement.severity is Severity.CRITICAL:
            return None
        return self.policy.quiet_hours.get(channel)

    @property
    def digest(self) -> str:
        """A hash of the content: two proposals with the same digest say the same."""
        return hashlib.sha256(json.dumps(self.to_data(), sort_keys=True).encode()).hexdigest()

    def to_data(self) -> dict[str, Any]:
        """The JSON form that is stored and hashed."""
        return {
            "announcement": self.announcement.model_dump(mode="json"),
            "policy": self.policy.model_dump(mode="json"),
        }

    @classmethod
    def restore(cls, data: dict[str, Any]) -> Proposal:
        """The proposal from its stored JSON form."""
        announcement = Announcement.restore(data["announcement"])
        return cls(announcement=announcement, policy=Policy.model_validate(data["policy"]))

    def to_yaml(self) -> str:
        """The proposal as a file that `read` takes back."""
        data = self.announcement.model_dump(mode="json", exclude_defaults=True)
        data = _local_times(data, self.announcement)
        if self.policy != policies.DEFAULT:
            data["policy"] = self.policy.model_dump(mode="json", exclude_defaults=True)
        return to_yaml(data)


def read(path: Path, known_channels: Mapping[str, KnownChannel]) -> Proposal:
    """Read an announcement's file; raises InputError with every problem in it and where each stands."""
    return parse(read_source(path), known_channels)


def parse(source: Source, known_channels: Mapping[str, KnownChannel]) -> Proposal:
    """Turn a source into a proposal; raises InputError with every problem in it and where each stands."""
    if not isinstance(source.data, dict):
        raise InputError.one("expected fields such as `slug:` and `window:`", place=Place(source.file, 1))
    data = dict(source.data)
    found = [*_zone_findings(data)]
    policy = _parse_policy(data.pop("policy", None), found)
    announcement = _parse_announcement(data, found)
    if announcement:
        found += rules.findings(announcement)
        if policy:
            found += policies.findings(policy, announcement, known_channels)
    problems = [*source.repeats(), *source.problems(tuple(found))]
    if problems or not announcement or not policy:
        raise InputError(problems)
    return Proposal(announcement=announcement, policy=policy)


def _zone_findings(data: dict[str, Any]) -> list[Finding]:
    """What is wrong with the zone; puts the stand-in into `data` when it cannot be used."""
    name = data.get("zone")
    if name is None:
        hint = "such as `zone: Asia/Shanghai`; times without an offset have no meaning before that"
        data["zone"] = _STAND_IN.key
        told = {key: value for key, value in data.items() if key != "policy"}  # its hours are clock times, not instants
        return [Finding(("zone",), "the announcement has no zone", hint), *_naive_times((), told)]
    try:
        zone_of(str(name))
    except ValueError as error:
        data["zone"] = _STAND_IN.key
        return [Finding(("zone",), str(error))]
    return []


_TIME_FIELDS = frozenset({"start", "end", "resume", "last_acceptance", "deadline"})


def _naive_times(path: rules.FieldPath, value: object) -> list[Finding]:
    if isinstance(value, dict):
        pairs: list[tuple[str | int, object]] = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    else:
        is_time = bool(path) and path[-1] in _TIME_FIELDS and isinstance(value, str)
        naive = is_time and not str(value).strip().endswith("Z") and "+" not in str(value) and str(value).count("-") < 3
        return [Finding(path, f"{value!r} has no zone", "add the announcement's `zone`")] if naive else []
    return [finding for key, inner in pairs for finding in _naive_times((*path, key), inner)]


def _parse_policy(data: object, found: list[Finding]) -> Policy | None:
    if data is None:
        return policies.DEFAULT
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        found.extend(explain(error, ("policy",)))
        return None


def _parse_announcement(data: dict[str, Any], found: list[Finding]) -> Announcement | None:
    zone = zone_of(str(data["zone"]))
    try:
        return Announcement.model_validate(data, context={"zone": zone})
    except ValidationError as error:
        found.extend(explain(error))
        return None


def _local_times(value: Any, announcement: Announcement) -> Any:
    if isinstance(value, dict):
        return {
            key: _local(inner, announcement) if key in _TIME_FIELDS else _local_times(inner, announcement)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_local_times(inner, announcement) for inner in value]
    return value


def _local(value: Any, announcement: Announcement) -> Any:
    if not isinstance(value, str):
        return value
    instant = datetime.fromisoformat(value).astimezone(announcement.zone_info)
    # The second of two equal clock times in autumn cannot be written without its offset.
    return instant.isoformat() if instant.fold else f"{instant:%Y-%m-%d %H:%M:%S}".removesuffix(":00")
