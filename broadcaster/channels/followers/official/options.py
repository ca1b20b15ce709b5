"""What a site says of the account that sends template messages: the AppID, and its templates at the platform."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from broadcaster.announcement.model import Frozen
from broadcaster.announcement.text import Language, Words
from broadcaster.channels.official.options import Account
from broadcaster.channels.provider import Provider
from broadcaster.channels.reviewed import Syntax, Template, faults
from broadcaster.planning.phase import Phase

SYNTAX = Syntax(re.compile(r"\{\{([a-z][a-zA-Z0-9_]{0,39})\.DATA\}\}"), numbered=False, adjacent=False, signed=False)
"""`{{thing1.DATA}}`"""


class ApprovedTemplate(Frozen):
    """A template of the account: its id, and its content as the platform lists it, `label：{{thing1.DATA}}` a line."""

    template_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{20,64}$")]
    language: Language
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)] = tuple(Phase)
    """For which messages it is; all of them when left out."""
    text: Words


class TemplateOptions(Account):
    """An account that sends template messages to its followers."""

    templates: Annotated[tuple[ApprovedTemplate, ...], Field(min_length=1)]
    """Several for one phase and language are variants: the first that gives the text is used."""
    limits: dict[str, Annotated[int, Field(ge=1, le=500)]] = Field(default_factory=dict)
    """Kind of keyword → the most characters, where the platform's own number is another than ours."""

    @field_validator("templates")
    @classmethod
    def _usable(cls, templates: tuple[ApprovedTemplate, ...]) -> tuple[ApprovedTemplate, ...]:
        for template in templates:
            if not Template.parse(template.text, SYNTAX).names:
                raise ValueError(f"the template {template.template_id} has no keyword such as {{{{thing1.DATA}}}}")
            for fault in faults(template.text, SYNTAX):
                raise ValueError(f"the template {template.template_id}: {fault}")
        return templates


def options_of(provider: Provider) -> TemplateOptions:
    """The provider's options, as the site read them."""
    assert isinstance(provider.options, TemplateOptions)  # noqa: S101 - the site gives each supplier its own kind
    return provider.options
