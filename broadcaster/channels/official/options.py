"""What a site says of an official account beside its AppSecret."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, cast

from pydantic import Field, StringConstraints

from broadcaster.channels.options import Options
from broadcaster.channels.provider import Provider
from broadcaster.channels.supplier import Secret

CALLBACK_TOKEN = "callback-token"  # noqa: S105 - the name of a secret
AES_KEY = "aes-key"

SECRETS: Mapping[str, Secret] = {
    CALLBACK_TOKEN: Secret("the Token of the account's server configuration, which signs its events"),
    AES_KEY: Secret("the EncodingAESKey of the account's server configuration, in the safe mode", required=False),
}


class Superseded(StrEnum):
    """What an account does with an article whose facts are no longer true, once its successor is out."""

    DELETE = "delete"
    LEAVE = "leave"


class Account(Options):
    """An official account."""

    appid: Annotated[str, StringConstraints(pattern=r"^wx[0-9a-zA-Z]{4,30}$")]


def appid_of(provider: Provider) -> str:
    """What the platform knows an account by; the site was read with these options."""
    return cast("Account", provider.options).appid


class AccountOptions(Account):
    """An official account that puts out articles."""

    superseded: Superseded = Superseded.DELETE


def account_of(provider: Provider) -> AccountOptions:
    """What the site says of an account that puts out articles."""
    return cast("AccountOptions", provider.options)


class MassOptions(AccountOptions):
    """An official account that sends its articles to its followers."""

    tag: Annotated[int, Field(ge=0)] | None = None
    """Only to followers with this tag of the platform; to all of them when absent."""


def tag_of(provider: Provider) -> int | None:
    """To whose followers an account sends: those with this tag, or all of them."""
    return cast("MassOptions", provider.options).tag
