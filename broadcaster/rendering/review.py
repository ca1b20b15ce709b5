"""The review of an announcement: every message that could go out, and everything that is wrong with any of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from broadcaster.announcement.model import Announcement
from broadcaster.announcement.source import Source
from broadcaster.errors import Problem
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.lint.lint import contradictions
from broadcaster.rendering.lint.places import Places
from broadcaster.rendering.message import Message, MessageSpec
from broadcaster.rendering.renderer import AT_PLAN_TIME, render_all


def review(
    templates: Templates,
    specs: Sequence[MessageSpec],
    announcement: Announcement,
    source: Source | None = None,
    phases: Iterable[Phase] = tuple(Phase),
    languages: Iterable[str] | None = None,
) -> tuple[list[Message], list[Problem]]:
    """Render like `render_all`, and read it all back: broken templates, sizes over a limit, and contradictions."""
    messages, problems = render_all(templates, specs, announcement, phases, languages)
    places = Places(templates, source)
    return messages, [*problems, *contradictions(announcement, messages, specs, places, AT_PLAN_TIME)]
