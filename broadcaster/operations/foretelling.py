"""Foretelling: the messages of an announcement as people will get them, also those that only a later change brings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

from broadcaster.announcement.facts import FactChange, facts
from broadcaster.announcement.model import Announcement
from broadcaster.channels.base import Channel, RecipientKind
from broadcaster.errors import InputError
from broadcaster.operations.amending import Times, amended
from broadcaster.planning.angle import WHOLE, angles, narrowed
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import Proposal
from broadcaster.planning.tellings import told_by, untrue
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.message import ADDRESSEE, Message
from broadcaster.rendering.renderer import render
from broadcaster.rendering.view import Occasion

_LATER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Case:
    """An announcement as it may be told, and what has changed by then."""

    announcement: Announcement
    changes: tuple[FactChange, ...] = ()


def phases_of(proposal: Proposal, channel: str) -> list[Phase]:
    """The phases that the policy tells on a channel."""
    rules = {phase: getattr(proposal.policy, str(phase)) for phase in Phase}
    return [phase for phase, of_phase in rules.items() if any(channel in rule.channels for rule in of_phase)]


def foretold(templates: Templates, channel: Channel, proposal: Proposal) -> list[Message]:
    """Every message of the policy on a channel, by phase and language, with a place for the reader's name.

    `changed` comes as those read it who were told another end, or another start and end, or that it was called off.
    People are told from each angle that the announcement has. Raises InputError for a broken template."""
    is_personal = channel.reaches is RecipientKind.PERSON
    addressee = ADDRESSEE if is_personal else None
    found: dict[tuple[object, ...], Message] = {}
    for phase in phases_of(proposal, channel.slug):
        for language in proposal.announcement.languages:
            for case in _cases(proposal, phase, is_personal=is_personal):
                occasion = Occasion(changes=case.changes, addressee=addressee)
                message = render(templates, channel.spec, case.announcement, phase, language, occasion)
                found.setdefault((phase, language, *message.parts.items()), message)
    return list(found.values())


def _cases(proposal: Proposal, phase: Phase, *, is_personal: bool) -> Iterator[_Case]:
    for angle in angles(proposal.announcement) if is_personal else (WHOLE,):
        before = narrowed(proposal.announcement, angle.rows)
        if phase is not Phase.CHANGED:
            yield _Case(before)
            continue
        moved = [narrowed(later, angle.rows) for later in _moved(proposal)]
        for told, after in (*product((Phase.NOTICE, Phase.OVERRUN), moved), (Phase.CANCELLED, before)):
            changes = untrue(told_by(told, facts(before), None), told_by(phase, facts(after), None))
            yield _Case(after, changes)


def _moved(proposal: Proposal) -> Sequence[Announcement]:
    """The announcement with its end moved, and with start and end; moves that its rules forbid are left out."""
    window = proposal.announcement.window
    end = window.end + _LATER if window.end else None
    found = []
    for times in filter(None, (Times(end=end), Times(start=window.start + _LATER, end=end))):
        try:
            found.append(amended(proposal, times).announcement)
        except InputError:
            continue
    return found
