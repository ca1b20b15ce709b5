"""What a Kannel gateway must be told beside its address and password."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from broadcaster.channels.options import Options
from broadcaster.channels.supplier import Secret

Word = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")]
"""Printable ASCII without blanks: what a header of a request can carry as it is."""
Sender = Annotated[str, StringConstraints(pattern=r"^[!-~]([ -~]{0,18}[!-~])?$")]
"""A number of up to 20 digits, or a name of up to 11 letters where the carrier shows one."""

REPORTS = "reports"
SECRETS = {REPORTS: Secret("signs the addresses that delivery reports come back to, such as `openssl rand -hex 32`")}
"""A password is short and chosen by people: what is derived from it must not be seen on the way by anybody."""


class KannelOptions(Options):
    """An account of a Kannel's smsbox (`group = sendsms-user`)."""

    username: Word
    sender: Sender
    """Whom the message is from: Kannel refuses one without, unless it has a sender of its own for everybody."""


def wrong_secret(secret: str) -> str | None:
    """What is wrong with a password."""
    if not secret:
        return "it is empty"
    if not all("!" <= character <= "~" for character in secret):
        return "Kannel is given it in a header: printable ASCII without blanks only"
    return None
