"""Providers: one account at one supplier behind a channel, as the site's configuration names it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a channel's calls go. `timeout` is in seconds; the secret never shows in a repr."""

    name: str
    url: str
    secret: str = field(repr=False)
    label: str = ""
    language: str = ""
    timeout: float = 15.0
