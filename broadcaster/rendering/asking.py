"""What an operator's webhook is told, in words: the question to the owner, and what the public sees meanwhile. Pure.

Plain sentences for the organisation's own people. What the public reads is in the templates; a site may change those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from broadcaster.announcement.lifecycle import State
from broadcaster.announcement.model import Announcement
from broadcaster.rendering.view import zone_name
from broadcaster.rendering.wording import wording


@dataclass(frozen=True, slots=True)
class _Sentences:
    """One language's sentences, before the planned end and after it; `halted` is of a broadcast."""

    question: str
    overdue_question: str
    meanwhile: str
    overdue_meanwhile: str
    halted: str


_SENTENCES = {
    "zh": _Sentences(
        "{subject}计划暂停至{end}（{zone}）。届时能否恢复？需要更长时间，请延长；已经恢复，请结束。",
        "{subject}原定暂停至{end}（{zone}），目前无人确认已恢复。是否已经恢复？已经恢复，请结束；需要更长时间，请延长。",
        "在此之前，公众看到的是暂停至{end}；到时仍无答复，则为原定暂停至{end}、尚未确认恢复。无人确认，不会告知任何人已恢复。",
        "公众看到的是原定暂停至{end}、尚未确认恢复。无人确认，不会告知任何人已恢复。",
        "{subject}：一次播发已自行中止，其余接收者在继续之前不会收到。",
    ),
    "en": _Sentences(
        "The suspension of {subject} is planned to end at {end} ({zone}). Will service be back then?"
        " If it takes longer, extend it; if service is back already, finish it.",
        "The suspension of {subject} was due to end at {end} ({zone}), and nobody has said that service is back."
        " Is it? If so, finish it; if it takes longer, extend it.",
        "Until then the public reads that service is suspended until {end}. After it, without an answer, they read that"
        " this was due to end at {end} and is not yet confirmed as over. Nobody is told that service is restored before"
        " somebody says so.",
        "The public reads that this was due to end at {end} and is not yet confirmed as over. Nobody is told that"
        " service is restored before somebody says so.",
        "{subject}: a broadcast is halted. The rest of its recipients get nothing before it is resumed.",
    ),
}


def question(announcement: Announcement, revision: int, state: State, lead: str) -> dict[str, Any]:
    """The data of a question to the owner of an announcement whose end is planned; `lead` as `2 days before`."""
    overdue, slug, end = state is State.OVERRUN, announcement.slug, announcement.window.end
    asked = "overdue_question" if overdue else "question"
    seen = "overdue_meanwhile" if overdue else "meanwhile"
    return {
        "announcement": slug,
        "revision": revision,
        "state": str(state),
        "planned_end": end.isoformat() if end else None,
        "lead": lead,
        "question": _said(announcement, asked),
        "public_sees": _said(announcement, seen),
        "commands": {
            "finish": f"broadcaster finish {slug}",
            "finish_earlier": f'broadcaster finish {slug} --at "YYYY-MM-DD HH:MM"',
            "extend": f'broadcaster extend {slug} --until "YYYY-MM-DD HH:MM"',
        },
    }


def halted(announcement: Announcement, revision: int, broadcast: dict[str, Any]) -> dict[str, Any]:
    """The data of a broadcast that was halted: `broadcast` says which, why and by whom."""
    return {
        "announcement": announcement.slug,
        "revision": revision,
        **broadcast,
        "text": _said(announcement, "halted"),
        "commands": {
            "look": f"broadcaster status {announcement.slug}",
            "resume": f"broadcaster resume --broadcast {broadcast['broadcast']}",
        },
    }


def given_up(endpoint: str, label: str, reason: str, at: str) -> dict[str, Any]:
    """The data of a partner's endpoint that is told nothing more; `at` is when that began."""
    return {
        "endpoint": endpoint,
        "label": label,
        "reason": reason,
        "disabled_at": at,
        "text": {
            "zh-Hans": f"合作方“{label}”的接口已停用，不再向其发送任何通知。请联系对方，修复后重新启用。",
            "en": f"The endpoint of {label} is disabled: it is told nothing more. Ask them to mend it, then enable it.",
        },
        "commands": {
            "look": "broadcaster endpoint list",
            "test": f"broadcaster endpoint test {endpoint}",
            "enable": f"broadcaster endpoint enable {endpoint}",
        },
    }


def _said(announcement: Announcement, sentence: str) -> dict[str, str]:
    return {language: _filled(announcement, language, sentence) for language in announcement.languages}


def _filled(announcement: Announcement, language: str, sentence: str) -> str:
    sentences = _SENTENCES.get(language.partition("-")[0], _SENTENCES["en"])
    end = announcement.window.end
    text: str = getattr(sentences, sentence)
    return text.format(
        subject=announcement.subject[language],
        end=wording(language).end(end, year=True) if end else "–",
        zone=zone_name(announcement, language),
    )
