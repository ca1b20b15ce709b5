"""The messages of a broadcast, rendered once for a process and revision."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from broadcaster.channels.base import Channel, RecipientKind
from broadcaster.errors import StateError
from broadcaster.planning.angle import WHOLE, Angle, narrowed
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import Proposal
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.message import ADDRESSEE, Message
from broadcaster.rendering.renderer import render
from broadcaster.rendering.view import Occasion
from broadcaster.storage import announcements

_KEPT = 64


@dataclass(frozen=True, slots=True)
class Edition:
    """What a broadcast says: the revision's content and its message in each language."""

    proposal: Proposal
    messages: Mapping[str, Message]
    finished_at: datetime | None = None
    """When service came back, in one that says so."""

    def language_for(self, wanted: str) -> str:
        """The wanted language when the announcement has it, one of the same primary language, else the first."""
        if wanted in self.messages:
            return wanted
        primary = wanted.partition("-")[0]
        same = [language for language in self.messages if language.partition("-")[0] == primary]
        return (same or list(self.messages))[0]


class Press:
    """Renders editions and keeps the newest ones."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._kept: OrderedDict[tuple[object, ...], Edition] = OrderedDict()

    def edition(
        self,
        connection: Connection,
        slug: str,
        revision: int,
        channel: Channel,
        phase: Phase,
        angle: Angle = WHOLE,
    ) -> Edition:
        """The edition of one phase on one channel, for readers who are told from this angle.

        Raises StateError when the revision does not exist.
        """
        finished_at = _finished_at(connection, slug) if phase is Phase.RESTORED else None
        key = (slug, revision, channel.slug, phase, finished_at, angle)
        if key not in self._kept:
            occasion = Occasion(finished_at, angle.changes, _addressee(channel))
            self._kept[key] = self._render(connection, slug, revision, channel, phase, occasion, angle.rows)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    def _render(  # noqa: PLR0917 - what a message depends on
        self,
        connection: Connection,
        slug: str,
        revision: int,
        channel: Channel,
        phase: Phase,
        occasion: Occasion,
        rows: Sequence[str],
    ) -> Edition:
        stored = announcements.revision(connection, slug, revision)
        if stored is None:
            raise StateError(f"{slug} has no revision {revision}")
        announcement = narrowed(stored.proposal.announcement, rows)
        messages = {
            language: render(self._templates, channel.spec, announcement, phase, language, occasion)
            for language in announcement.languages
        }
        return Edition(stored.proposal, messages, occasion.finished_at)


def _finished_at(connection: Connection, slug: str) -> datetime | None:
    standing = announcements.find(connection, slug)
    return standing.finished_at if standing else None


def _addressee(channel: Channel) -> str | None:
    """Posts and surfaces are for everybody; a person's message leaves a place for the name."""
    return ADDRESSEE if channel.reaches is RecipientKind.PERSON else None
