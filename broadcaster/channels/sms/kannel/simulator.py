"""A Kannel gateway with phones behind it: the checks of smsbox, what phones show, and delivery reports by GET.

Numbers that end in 999 are on its black list; those that end in 888 are accepted and reported as not delivered.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

from broadcaster import clock
from broadcaster.channels.callback import Callback
from broadcaster.channels.simulation import (
    REFUSED_ENDING,
    UNREACHABLE_ENDING,
    Exhibit,
    Reception,
    Simulator,
    Stage,
    Target,
)
from broadcaster.channels.sms.kannel import wire
from broadcaster.channels.sms.kannel.options import KannelOptions
from broadcaster.rendering.measures import SmsEncoding, sms_size


def create(stage: Stage) -> Simulator:
    """The stand-in of one gateway."""
    app = FastAPI()

    @app.post(wire.PATH)
    async def sendsms(request: Request) -> PlainTextResponse:
        """One message: its text is the body, everything else stands in headers."""
        given = {name.removeprefix("x-kannel-"): value for name, value in request.headers.items()}
        wrong = _wrong(stage, given)
        if wrong is None:
            _take(stage, given, (await request.body()).decode())
        status, body = wrong or (202, "0: Accepted for delivery")
        return PlainTextResponse(body, status)

    return Simulator(app, _target)


def _target(method: str, path: str, _query: Mapping[str, str], headers: Mapping[str, str]) -> Target | None:
    """A request without a number is a probe: nobody would be told anything by it."""
    return Target.CALLS if method == "POST" and path == wire.PATH and "x-kannel-to" in headers else None


def _wrong(stage: Stage, given: Mapping[str, str]) -> tuple[int, str] | None:
    """What smsbox says of a request that it does not take, in the order in which it looks."""
    options, password = cast("KannelOptions", stage.provider.options), stage.provider.secret
    known = hmac.compare_digest(password.encode(), given.get("password", "").encode())
    if not known or given.get("username") != options.username:
        return 403, "Authorization failed for sendsms"
    if "to" not in given:
        return 400, "Missing receiver(s) number(s), rejected"
    if not given.get("from"):
        return 400, "Sender missing and no global set, rejected"
    if given["to"].endswith(REFUSED_ENDING) or not given["to"].removeprefix("+").isdecimal():
        return 400, "Number(s) has/have been denied by white- and/or black-lists."
    return None


def _take(stage: Stage, given: Mapping[str, str], text: str) -> None:
    """Show the message, and send the report that was asked for."""
    to, report_url = given["to"], given["dlr-url"]
    asked = dict(parse_qsl(urlsplit(report_url.replace("%%", "%")).query))
    shown = text if given["coding"] == "2" else _in_gsm(text)
    stage.show(asked["broadcast"], "", Reception((Exhibit(asked["id"], to, "", {"text": shown}),)))
    failed = to.endswith(UNREACHABLE_ENDING) or stage.is_away(to)
    status = wire.UNDELIVERABLE if failed else wire.DELIVERED
    if int(given["dlr-mask"]) & status:
        filled = {**asked, "status": str(status), "at": str(int(clock.now().timestamp()))}
        stage.call_back(lambda: Callback("GET", filled, {}, b""))


def _in_gsm(text: str) -> str:
    """What is left of a text in the GSM alphabet."""
    return "".join(character if sms_size(character).encoding is SmsEncoding.GSM7 else "?" for character in text)
