"""What the printed report shows of surfaces and posts. Pure: rows for the templates, which only draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from broadcaster.reporting.words import ABSENT, moment

_READ_AT = {"": "the public address 公众地址"}
_NOT_YET = "not read back since the last change 变更后尚未回读"


def values(data: Mapping[str, Any]) -> dict[str, Any]:
    """`screens`, `readings`, `posts` and `false_statements` of a report's data; each may be empty."""
    surfaces: Sequence[Mapping[str, Any]] = data.get("surfaces", ())
    return {
        "screens": [_screen(row["channel"], one) for row in surfaces for one in row["screens"]],
        "readings": [_reading(row["channel"], one) for row in surfaces for one in row["read"]],
        "posts": [_post(row, data["posts"]) for row in data.get("posts", ())],
        "false_statements": list(_false_statements(data)),
    }


def _screen(channel: str, screen: Mapping[str, Any]) -> dict[str, Any]:
    since, fetched = screen["stale_since"], screen["fetched_at"]
    return {
        "channel": channel,
        "name": screen["name"],
        "fetched": moment(fetched) if fetched else "never under its name 从未以其名称读取",
        "stale": moment(since) if since else "",
    }


def _reading(channel: str, one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "channel": channel,
        "address": _READ_AT.get(one["endpoint"], one["endpoint"]),
        "result": one["result"] or _NOT_YET,
        "confirmed": one["result"] == "confirmed",
        "at": moment(one["at"]) if one["at"] else ABSENT,
        "differences": one["differences"],
    }


def _post(row: Mapping[str, Any], posts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A post, and by which later one of the same account it was replaced."""
    successor = next((one for one in posts if one["broadcast"] == row["successor"]), None)
    still = row["superseded"] and row["action"] not in ("deleted", "linked")
    return {
        **row,
        "at": moment(row["at"]),
        "what": f"{row['action']} for {successor['phase']} of revision {successor['revision']}" if successor else "",
        "still_out": still,
    }


def _false_statements(data: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    longest = data.get("longest_false_statement_minutes", {})
    for channel, minutes in data.get("false_statement_minutes", {}).items():
        yield {"channel": channel, "minutes": f"{minutes:,.2f}", "longest": f"{longest.get(channel, 0.0):,.2f}"}
