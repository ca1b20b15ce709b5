"""Fitness: whether everything that a proposal could ever say can be said, and agrees with its facts."""

from __future__ import annotations

from broadcaster.announcement.source import Source
from broadcaster.channels.registry import PERSONAL, specs_for
from broadcaster.errors import InputError
from broadcaster.planning.proposal import Proposal
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.review import review


def refuse_unfit(templates: Templates, proposal: Proposal, source: Source | None = None) -> None:
    """Raise InputError with all that a review of its messages finds; `source` gives the problems their lines.

    Before anything is proposed, moved, reinstated or rehearsed.
    """
    _, problems = review(templates, specs_for(proposal.policy), proposal.announcement, source, personal=PERSONAL)
    if problems:
        raise InputError(problems)
