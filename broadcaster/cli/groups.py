"""Groups of commands: `audience …`, `keys …`, `wechat …`. As in `main`, each one's work is loaded when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

audience = typer.Typer(help="The people who are told.", no_args_is_help=True)
sms = typer.Typer(help="Text messages through vendors that send reviewed templates.", no_args_is_help=True)
keys = typer.Typer(help="The keys that seal phones and names in the database.", no_args_is_help=True)
wechat = typer.Typer(help="Official accounts at the platform itself.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print data for programs instead of a table.")]
Channel = Annotated[
    str, typer.Option(help="Only on this channel; without it on all that need a phone.", show_default=False)
]
PoolChannel = Annotated[
    str,
    typer.Option(
        "--channel",
        help="Whose people: of a channel with its own, such as followers by openid; else people with a phone.",
        show_default=False,
    ),
]
Encoding = Annotated[
    str | None, typer.Option(help="A CSV file's encoding, such as gb18030; else found out.", show_default=False)
]


@sms.command("templates")
def sms_templates(
    file: Annotated[Path, typer.Argument(help="The announcement's YAML file.")],
    supplier: Annotated[str, typer.Option(help="The vendor: aliyun or tencent.")] = "aliyun",
    templates: Annotated[
        Path | None, typer.Option(help="A folder of templates that override ours file by file.", show_default=False)
    ] = None,
) -> None:
    """Write the texts to submit for review: what a revision may change, and the reader's name, as variables.

    Example: `broadcaster sms templates examples/qingdao-2022/announcement.yaml --supplier tencent`
    """
    from broadcaster.cli import sms as command

    command.templates(file, supplier, templates)


@audience.command("import")
def import_audience(
    file: Annotated[
        Path, typer.Argument(help="CSV (also .gz), Parquet or XLSX with phone (or openid), name, language, tags.")
    ],
    add: Annotated[bool, typer.Option("--add", help="Keep whoever is not in the file.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Import it even when most people would leave.")] = False,
    encoding: Encoding = None,
    channel: PoolChannel = "",
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when any row was rejected.")] = False,
    as_json: Json = False,
) -> None:
    """Make a file the whole audience, as a new version; bad rows go to a rejects file beside it, with line and reason.

    Example: `broadcaster audience import people.csv --strict`
    """
    from broadcaster.cli import audience as command

    manner = command.manner(add=add, replace=replace, encoding=encoding, channel=channel)
    command.import_people(file, manner, strict, as_json=as_json)


@audience.command("versions")
def audience_versions(channel: PoolChannel = "", as_json: Json = False) -> None:
    """List the versions of the audience: when each came, from which file, and what it changed.

    Example: `broadcaster audience versions`
    """
    from broadcaster.cli import audience as command

    command.versions(channel, as_json=as_json)


@audience.command("count")
def count_audience(
    segment: Annotated[str, typer.Argument(help="A filter such as `tag:retired and not language:en`.")] = "everyone",
    channel: PoolChannel = "",
    as_json: Json = False,
) -> None:
    """Count the people in a segment.

    Example: `broadcaster audience count "tag:retired and not language:en"`
    """
    from broadcaster.cli import audience as command

    command.count_people(segment, channel, as_json=as_json)


@audience.command("suppress")
def suppress(
    address: Annotated[
        str | None, typer.Argument(help="The number of whom nothing may be sent to; the openid with such a channel.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Many, from a file with the column phone (or openid), and perhaps reason.")
    ] = None,
    channel: Channel = "",
    reason: Annotated[str, typer.Option(help="Why, for the ledger: `opted out` without it.")] = "",
    encoding: Encoding = None,
    as_json: Json = False,
) -> None:
    """Send nothing more to somebody, from the next call on, whether in the audience or not.

    Example: `broadcaster audience suppress 13800138000 --reason "asked by phone"`
    """
    from broadcaster.cli import suppress as command

    command.suppress(address, file, channel, reason, encoding, as_json=as_json)


@audience.command("unsuppress")
def unsuppress(
    address: Annotated[str, typer.Argument(help="The number (or openid) of who may be written to again.")],
    channel: Channel = "",
) -> None:
    """Let somebody be told again; what was skipped meanwhile stays so.

    Example: `broadcaster audience unsuppress 13800138000`
    """
    from broadcaster.cli import suppress as command

    command.unsuppress(address, channel)


@audience.command("suppressions")
def suppressions(as_json: Json = False) -> None:
    """Count who must not be written to, by channel and reason. Names nobody.

    Example: `broadcaster audience suppressions`
    """
    from broadcaster.cli import suppress as command

    command.suppressions(as_json=as_json)


@keys.command("show")
def show_keys(as_json: Json = False) -> None:
    """Say which keys there are and how many rows need each. Never shows a key.

    Example: `broadcaster keys show`
    """
    from broadcaster.cli import keys as command

    command.show(as_json=as_json)


@keys.command("rotate")
def rotate_keys() -> None:
    """Add a sealing key that seals from now on; the older ones still open.

    Example: `broadcaster keys rotate`
    """
    from broadcaster.cli import keys as command

    command.rotate()


@keys.command("reseal")
def reseal() -> None:
    """Seal what older keys sealed with the current one, a few thousand rows at a time. Can be stopped and run again.

    Example: `broadcaster keys reseal`
    """
    from broadcaster.cli import keys as command

    command.reseal()


@keys.command("drop")
def drop_key(number: Annotated[int, typer.Argument(help="The key's number, as `keys show` has it.")]) -> None:
    """Forget a sealing key that no row needs any more.

    Example: `broadcaster keys drop 1`
    """
    from broadcaster.cli import keys as command

    command.drop(number)


@keys.command("reindex")
def reindex() -> None:
    """Replace the index key: every number gets another blind index. Needs a moment in which nothing is sent.

    Example: `broadcaster keys reindex`
    """
    from broadcaster.cli import keys as command

    command.reindex()


@wechat.command("templates")
def wechat_templates(
    file: Annotated[Path, typer.Argument(help="The announcement's YAML file.")],
    templates: Annotated[
        Path | None, typer.Option(help="A folder of templates that override ours file by file.", show_default=False)
    ] = None,
) -> None:
    """Write the message templates that an account needs for its followers, as options of its provider.

    Example: `broadcaster wechat templates examples/qingdao-2022/announcement.yaml`
    """
    from broadcaster.cli import wechat as command

    command.templates(file, templates)


@wechat.command("preview")
def preview_article(
    file: Annotated[Path, typer.Argument(help="The announcement's YAML file.")],
    phase: Annotated[str, typer.Option(help="Which message.")],
    to: Annotated[str, typer.Option(help="The WeChat name of who sees it; they must follow the account.")],
    account: Annotated[str | None, typer.Option(help="Only from this account of the site.")] = None,
    templates: Annotated[
        Path | None, typer.Option(help="A folder of templates that override ours file by file.", show_default=False)
    ] = None,
) -> None:
    """Show a message to one person as an article of each official account; nobody else sees it.

    Example: `broadcaster wechat preview examples/qingdao-2022/announcement.yaml --phase notice --to zhang-san`
    """
    from broadcaster.cli import wechat as command

    command.preview_article(file, phase, to, account, templates)
