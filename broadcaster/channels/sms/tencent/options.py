"""What a provider of Tencent Cloud SMS must be told."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from broadcaster.announcement.text import Words
from broadcaster.channels.reviewed import NUMBERED, Syntax
from broadcaster.channels.sms.mainland import ApprovedText, MainlandOptions


class TencentOptions(MainlandOptions):
    """The key's id, the application, its signature and its templates; the key's secret is the provider's `secret`."""

    syntax: ClassVar[Syntax] = NUMBERED
    secret_id: Words
    sdk_app_id: Annotated[str, Field(pattern=r"^\d{6,20}$")]
    region: Words = "ap-guangzhou"
    parameter_length: Annotated[int, Field(ge=1, le=500)]
    """As the vendor's console shows it: an account of 2024 or later begins with 6."""

    @field_validator("templates")
    @classmethod
    def _numbers(cls, templates: tuple[ApprovedText, ...]) -> tuple[ApprovedText, ...]:
        for template in templates:
            if not template.code.isdecimal():
                raise ValueError(f"the template {template.code}: its code is not a number")
        return templates
