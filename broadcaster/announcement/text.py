"""Localized texts: BCP 47 language tag → text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

# The subset of BCP 47 that announcements use: language, optional script, optional region (zh-Hans, en, zh-Hans-CN).
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$")]
Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
"""Text that is not empty."""


def _not_empty(value: dict[str, str]) -> dict[str, str]:
    if not value:
        raise ValueError("expected at least one language, such as zh-Hans: …")
    return value


LocalizedText = Annotated[dict[Language, Words], AfterValidator(_not_empty)]
"""The same words in several languages."""


def missing_languages(text: Mapping[str, str], languages: tuple[str, ...]) -> tuple[str, ...]:
    """Which of `languages` the text lacks, in their order."""
    return tuple(language for language in languages if language not in text)
