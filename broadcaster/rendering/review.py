"""The review of an announcement: every message that could go out, and everything that is wrong with any of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from broadcaster.announcement.model import Announcement
from broadcaster.announcement.source import Source
from broadcaster.errors import Problem
from broadcaster.planning.angle import angles, narrowed
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
    *,
    personal: Collection[str] = (),
) -> tuple[list[Message], list[Problem]]:
    """Render like `render_all`, and read it all back: broken templates, sizes over a limit, and contradictions.

    On channels that are `personal`, people whom only some impact rows concern are told of these alone: that is read as
    well, and a problem of it that the whole does not have is found.
    """
    wanted_phases, places = tuple(phases), Places(templates, source)
    messages, problems = _read(templates, specs, announcement, places, wanted_phases, languages)
    some = [spec for spec in specs if spec.slug in personal]
    for angle in angles(announcement)[1:]:
        part = narrowed(announcement, angle.rows)
        problems += _read(templates, some, part, places, wanted_phases, languages)[1]
    return messages, list(dict.fromkeys(problems))


def _read(
    templates: Templates,
    specs: Sequence[MessageSpec],
    announcement: Announcement,
    places: Places,
    phases: Iterable[Phase],
    languages: Iterable[str] | None,
) -> tuple[list[Message], list[Problem]]:
    messages, problems = render_all(templates, specs, announcement, phases, languages)
    return messages, [*problems, *contradictions(announcement, messages, specs, places, AT_PLAN_TIME)]
