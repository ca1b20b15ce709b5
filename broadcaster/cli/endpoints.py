"""The group `endpoint …`. As in `main`, each command's work is loaded when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Partners that are told by webhook.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The endpoint's name.")]
Json = Annotated[bool, typer.Option("--json", help="Print data for programs instead of words.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="A name of its own, such as icbc-qingdao.")],
    url: Annotated[str, typer.Option(help="Where its events go.")],
    label: Annotated[str, typer.Option(help="What people call the partner; its name without it.")] = "",
    language: Annotated[
        str, typer.Option(help="The language of its events, such as zh-Hans; the announcement's first without it.")
    ] = "",
    event: Annotated[
        list[str] | None,
        typer.Option(help="A type of event that it takes, once for each. All of them without it.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Register a partner's endpoint. Its secret is made here and shown this once.

    Example: `broadcaster endpoint add icbc-qingdao --url https://partner.example/outages --label 工商银行`
    """
    from broadcaster.cli import endpoint as command

    command.add(name, url, label, language, event or [], as_json=as_json)


@app.command("test")
def test(name: Name, as_json: Json = False) -> None:
    """Send a signed `endpoint.test` and say what came back. Exits with 1 when it was not accepted.

    Example: `broadcaster endpoint test icbc-qingdao`
    """
    from broadcaster.cli import endpoint as command

    command.test(name, as_json=as_json)


@app.command("rotate")
def rotate(
    name: Name,
    keep_hours: Annotated[
        float, typer.Option(min=0, max=24 * 90, help="How long the present secret counts beside the new one.")
    ] = 24,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="End the secret before the present one, when that still counts.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a new secret, shown this once. Events are signed with both until the old one ends.

    Example: `broadcaster endpoint rotate icbc-qingdao --keep-hours 48`
    """
    from broadcaster.cli import endpoint as command

    command.rotate(name, keep_hours, at_once=at_once, as_json=as_json)


@app.command("disable")
def disable(
    name: Name,
    reason: Annotated[str, typer.Option(help="Why, for the ledger and for whoever looks at it next.")] = "",
) -> None:
    """Tell an endpoint nothing more, from the next call on.

    Example: `broadcaster endpoint disable icbc-qingdao --reason "moves to another address"`
    """
    from broadcaster.cli import endpoint as command

    command.disable(name, reason)


@app.command("enable")
def enable(name: Name) -> None:
    """Tell an endpoint again: first, in one event, what is true now.

    Example: `broadcaster endpoint enable icbc-qingdao`
    """
    from broadcaster.cli import endpoint as command

    command.enable(name)


@app.command("list")
def show_all(as_json: Json = False) -> None:
    """List the endpoints: who works, who fails since when, who is disabled and why. Never shows a secret.

    Example: `broadcaster endpoint list`
    """
    from broadcaster.cli import endpoint as command

    command.show_all(as_json=as_json)


@app.command("replay")
def replay(
    name: Name,
    since: Annotated[str, typer.Option(help="From when on, with its offset: 2022-03-01T08:00+08:00.")],
    until: Annotated[str | None, typer.Option(help="Until when; now without it.", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """Send what is true now of every announcement of which the endpoint was to be told in a range, marked as a replay.

    Example: `broadcaster endpoint replay icbc-qingdao --since 2022-03-01T08:00+08:00`
    """
    from broadcaster.cli import endpoint as command

    command.replay(name, since, until, as_json=as_json)


@app.command("schema")
def schema() -> None:
    """Print the schemas of the events, as an OpenAPI 3.1 document. The same is in docs/webhooks.openapi.json.

    Example: `broadcaster endpoint schema`
    """
    from broadcaster.cli import endpoint as command

    command.schema()
