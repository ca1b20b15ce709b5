"""What a provider of Alibaba Cloud SMS must be told."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from broadcaster.announcement.text import Words
from broadcaster.channels.reviewed import NAMED, Syntax
from broadcaster.channels.sms.mainland import MainlandOptions


class AliyunOptions(MainlandOptions):
    """The account's key id, its signature and its templates; the key's secret is the provider's `secret`."""

    syntax: ClassVar[Syntax] = NAMED
    access_key_id: Words
    parameter_length: Annotated[int, Field(ge=1, le=500)] = 35
    """What the vendor takes by default of a variable that is no number, code or address."""
