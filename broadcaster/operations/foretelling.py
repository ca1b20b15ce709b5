"""Foretelling: the messages of an announcement as people will get them, also those that only a later change brings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import product

from broadcaster.announcement.facts import FactChange, difference, facts
from broadcaster.channels.base import Channel, RecipientKind
from broadcaster.errors import InputError
from broadcaster.operations.amending import Times, amended
from broadcaster.planning.angle import angles, narrowed
from broadcaster.planning.phase import Phase
from broadcaster.planning.proposal import Proposal
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.message import ADDRESSEE, Message
from broadcaster.rendering.renderer import render
from broadcaster.rendering.view import Occasion

_LATER = timedelta(days=1)
_NOTHING: tuple[FactChange, ...] = ()


def phases_of(proposal: Proposal, channel: str) -> list[Phase]:
    """The phases that the policy tells on a channel."""
    rules = {phase: getattr(proposal.policy, str(phase)) for phase in Phase}
    return [phase for phase, of_phase in rules.items() if any(channel in rule.channels for rule in of_phase)]


def foretold(templates: Templates, channel: Channel, proposal: Proposal) -> Iterator[Message]:
    """Every message of the policy on a channel, by phase and language, with a place for the reader's name.

    `changed` comes as it is when the end moves, and when start and end do; and each of it as those read it whom only
    some impact rows concern. Raises InputError for a broken template."""
    addressee = ADDRESSEE if channel.reaches is RecipientKind.PERSON else None
    for phase in phases_of(proposal, channel.slug):
        occasions = _changes(proposal) if phase is Phase.CHANGED else [(proposal, _NOTHING)]
        for language in proposal.announcement.languages:
            for (said, changes), angle in product(occasions, angles(proposal.announcement)):
                occasion = Occasion(changes=changes, addressee=addressee)
                announcement = narrowed(said.announcement, angle.rows)
                yield render(templates, channel.spec, announcement, phase, language, occasion)


def _changes(proposal: Proposal) -> list[tuple[Proposal, tuple[FactChange, ...]]]:
    """The announcement with other times, and what has changed by that; moves that its rules forbid are left out."""
    window = proposal.announcement.window
    end = window.end + _LATER if window.end else None
    moves = [Times(end=end), Times(start=window.start + _LATER, end=end)]
    found = []
    for times in filter(None, moves):
        try:
            moved = amended(proposal, times)
        except InputError:
            continue
        found.append((moved, difference(facts(proposal.announcement), facts(moved.announcement))))
    return found
