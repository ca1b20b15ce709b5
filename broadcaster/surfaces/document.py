"""The surface document: what a banner or kiosk shows now, and what it will show at each boundary to come.

Phases follow the announcement's window, so that a screen switches by itself at the boundary. From the planned end on it
says that service was due back, until a person says that it is.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import segno

from broadcaster.announcement.lifecycle import State
from broadcaster.announcement.model import Announcement
from broadcaster.channels.base import Channel
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.message import Message
from broadcaster.rendering.renderer import render
from broadcaster.rendering.view import Occasion

REMINDER_BEFORE = timedelta(days=3)
STARTED_FOR = timedelta(days=1)
NEWS_FOR = timedelta(days=7)
REFRESH_AFTER = 30
"""Seconds after which a client looks for a newer document."""

_DISMISSIBLE = frozenset({Phase.NOTICE, Phase.REMINDER, Phase.RESTORED, Phase.CANCELLED})


@dataclass(frozen=True, slots=True)
class Shown:
    """An announcement as a surface needs it: its approved content, and how far its life has come."""

    announcement: Announcement
    revision: int
    state: State
    approved_at: datetime
    finished_at: datetime | None
    cancelled_at: datetime | None
    concluded_at: datetime | None = None
    """When an operator said that it was over; the news is fresh from then on."""


@dataclass(frozen=True, slots=True)
class Span:
    """A phase on a screen, `[start, end)`; an open end is None."""

    phase: Phase
    start: datetime
    end: datetime | None


def spans(shown: Shown) -> list[Span]:
    """Which phase shows when, in time order, without gaps or overlaps."""
    if shown.state is State.COMPLETED and shown.finished_at:
        said_at = shown.concluded_at or shown.finished_at
        return [Span(Phase.RESTORED, said_at, said_at + NEWS_FOR)]
    if shown.state is State.CANCELLED and shown.cancelled_at:
        return [Span(Phase.CANCELLED, shown.cancelled_at, shown.cancelled_at + NEWS_FOR)]
    start, end = shown.announcement.window.start, shown.announcement.window.end
    marks: list[tuple[Phase, datetime]] = [
        (Phase.NOTICE, shown.approved_at),
        (Phase.REMINDER, start - REMINDER_BEFORE),
        (Phase.STARTED, start),
        (Phase.ONGOING, start + STARTED_FOR),
    ]
    if end:
        marks = [mark for mark in marks if mark[1] < end] + [(Phase.OVERRUN, end)]
    # Approved late: what would have shown before the approval never shows.
    after = [mark for mark in marks if mark[1] > shown.approved_at]
    before = [mark for mark in marks if mark[1] <= shown.approved_at]
    current = [(before[-1][0], shown.approved_at)] if before else []
    ordered = [*current, *after]
    closed = [Span(phase, at, until) for (phase, at), (_, until) in pairwise(ordered)]
    return [*closed, Span(*ordered[-1], None)]


def document(
    channel: Channel, templates: Templates, shown: list[Shown], *, seq: int, issued_at: datetime
) -> dict[str, Any]:
    """The document of a surface; `clock` is added when it is served."""
    visible = [entry for row in shown if (entry := _entry(channel, templates, row, issued_at))]
    return {
        "surface": channel.slug,
        "seq": seq,
        "issued_at": milliseconds(issued_at),
        "refresh_after": REFRESH_AFTER,
        "announcements": visible,
    }


def milliseconds(instant: datetime) -> int:
    """An instant as UTC milliseconds, the way clients count."""
    return int(instant.timestamp() * 1000)


def _entry(channel: Channel, templates: Templates, shown: Shown, now: datetime) -> dict[str, Any] | None:
    announcement = shown.announcement
    current = [span for span in spans(shown) if span.end is None or span.end > now]
    if not current:
        return None
    link = announcement.links[0].url if announcement.links else None
    entry = {
        "id": announcement.slug,
        "revision": shown.revision,
        "state": str(shown.state),
        "severity": str(announcement.severity),
        "zone": announcement.zone,
        "languages": list(announcement.languages),
        "link": link,
        "phases": [_phase(channel, templates, shown, span) for span in current],
    }
    return {**entry, "qr": _qr(link)} if channel.shows_qr else entry


def _phase(channel: Channel, templates: Templates, shown: Shown, span: Span) -> dict[str, Any]:
    occasion = Occasion(finished_at=shown.finished_at)
    return {
        "phase": str(span.phase),
        "from": milliseconds(span.start),
        "until": milliseconds(span.end) if span.end else None,
        "dismissible": span.phase in _DISMISSIBLE,
        "text": {
            language: _parts(render(templates, channel.spec, shown.announcement, span.phase, language, occasion))
            for language in shown.announcement.languages
        },
    }


def _parts(message: Message) -> Mapping[str, Any]:
    """A message's parts, with a numbered series (`page_1`, `page_2`, …) as one list."""
    pages = [text for name, text in message.parts.items() if name.startswith("page_") and text]
    single = {name: text for name, text in message.parts.items() if not name.startswith("page_")}
    return {**single, "pages": pages} if pages else single


def _qr(link: str | None) -> str | None:
    if link is None:
        return None
    out = io.BytesIO()
    segno.make(link, error="m").save(out, kind="svg", border=2, xmldecl=False, scale=8)
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode()
