"""The texts of a notice as the product renders them, for arms that send without it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench import announcements
from broadcaster.channels.registry import CHANNELS
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.message import ADDRESSEE
from broadcaster.rendering.renderer import render
from broadcaster.rendering.view import Occasion


def notice_texts(templates: Path) -> Mapping[str, str]:
    """Language → text of the SMS notice, with a place for the recipient's name."""
    announcement = announcements.at_once("floor").announcement
    folder, occasion = Templates(templates), Occasion(addressee=ADDRESSEE)
    return {
        language: render(folder, CHANNELS["sms"].spec, announcement, Phase.NOTICE, language, occasion).parts["text"]
        for language in announcement.languages
    }
