"""The command line. Each command's work is in its own module, loaded when it runs, so that `--help` stays fast."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from broadcaster.cli import endpoints, groups, revisions
from broadcaster.cli.failures import explained

app = typer.Typer(
    name="broadcaster",
    help="Tells millions of people about a planned service outage: before, during and after it, on every channel.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(revisions.app)
app.add_typer(groups.audience, name="audience")
app.add_typer(groups.sms, name="sms")
app.add_typer(groups.keys, name="keys")
app.add_typer(groups.wechat, name="wechat")
app.add_typer(endpoints.app, name="endpoint")

File = Annotated[Path, typer.Argument(help="The announcement's YAML file.")]
Slug = Annotated[str, typer.Argument(help="The announcement's slug.")]
Json = Annotated[bool, typer.Option("--json", help="Print data for programs instead of a table.")]
HeldSlug = Annotated[str | None, typer.Argument(help="The announcement's slug.", show_default=False)]
HeldBroadcast = Annotated[str | None, typer.Option("--broadcast", help="One broadcast: its id, or how it begins.")]
Everything = Annotated[bool, typer.Option("--everything", help="Whatever there is to send.")]
TemplateFolder = Annotated[
    Path | None, typer.Option(help="A folder of templates that override ours file by file.", show_default=False)
]


def run() -> None:
    """The console script: runs a command and turns every failure into a message and an exit code."""
    explained(app)


@app.command()
def check(file: File, templates: TemplateFolder = None, as_json: Json = False) -> None:
    """Validate a file, render every message that could go out, and print their measures.

    Example: `broadcaster check examples/qingdao-2022/announcement.yaml`
    """
    from broadcaster.cli import check as command

    command.check(file, templates, as_json=as_json)


@app.command()
def render(
    file: File,
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    channel: Annotated[str | None, typer.Option(help="Only this channel.")] = None,
    phase: Annotated[str | None, typer.Option(help="Only this phase.")] = None,
    language: Annotated[str | None, typer.Option(help="Only this language.")] = None,
    templates: TemplateFolder = None,
) -> None:
    """Write every message as a file, and an index.html with all of them side by side.

    Example: `broadcaster render examples/qingdao-2022/announcement.yaml --out var/gallery`
    """
    from broadcaster.cli import check as command

    command.render(file, out, channel, phase, language, templates)


@app.command()
def status(
    slug: Annotated[str | None, typer.Argument(help="The announcement's slug; all of them without it.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Keep the table up to date until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Show how every announcement stands, or every broadcast of one and what came of it.

    Example: `broadcaster status qingdao-2022 --watch`
    """
    from broadcaster.cli import status as command

    command.status(slug, watch=watch, as_json=as_json)


@app.command()
def report(
    slug: Slug,
    out: Annotated[
        Path | None, typer.Option(help="Where the page is written; else SLUG-report.html.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Write who was told what, when and how late as one HTML page with charts; reads the announcement's whole ledger.

    Example: `broadcaster report qingdao-2022 --out report.html`
    """
    from broadcaster.cli import report as command

    command.write(slug, out, as_json=as_json)


@app.command()
def ledger(
    phone: Annotated[str | None, typer.Option(help="The person's number.", show_default=False)] = None,
    openid: Annotated[str | None, typer.Option(help="Or the follower's openid.", show_default=False)] = None,
    announcement: Annotated[str | None, typer.Option(help="Only what was said of this announcement.")] = None,
    as_json: Json = False,
) -> None:
    """Show what one person was told, when, and what became of it.

    Example: `broadcaster ledger --phone 13800138000 --announcement qingdao-2022`
    """
    from broadcaster.channels.base import AddressKind
    from broadcaster.cli import ledger as command

    command.ledger({AddressKind.PHONE: phone, AddressKind.OPENID: openid}, announcement, as_json=as_json)


@app.command()
def failures(
    slug: Slug,
    broadcast: Annotated[str | None, typer.Option(help="Only this broadcast: its id, or how it begins.")] = None,
    as_json: Json = False,
) -> None:
    """Count who was not reached, by channel, provider, outcome and reason; `export --failures` names them.

    Example: `broadcaster failures qingdao-2022`
    """
    from broadcaster.cli import ledger as command

    command.failures(slug, broadcast, as_json=as_json)


@app.command("retry-failed")
def retry_failed(
    broadcast: Annotated[str, typer.Argument(help="The broadcast's id, or how it begins.")],
    reason: Annotated[str, typer.Option(help="Why, for the event log and `status`.")] = "",
    as_json: Json = False,
) -> None:
    """Tell those whom a broadcast and its retries failed to reach once more: as a broadcast of its own, due now.

    Example: `broadcaster retry-failed 7d60 --reason "the provider is mended"`
    """
    from broadcaster.cli import retry as command

    command.retry_failed(broadcast, reason, as_json=as_json)


@app.command()
def export(
    slug: Slug,
    out: Annotated[Path, typer.Option(help="The file: .csv, .csv.gz or .parquet.")],
    failures: Annotated[bool, typer.Option("--failures", help="Only who was not reached.")] = False,
    with_phones: Annotated[
        bool, typer.Option("--with-phones", help="Phones and openids in full; the event log says who had them.")
    ] = False,
) -> None:
    """Write who was told what, one row a delivery; phones and openids are masked.

    Example: `broadcaster export qingdao-2022 --out qingdao.csv.gz`
    """
    from broadcaster.cli import export as command

    command.export(slug, out, failures=failures, with_phones=with_phones)


@app.command()
def purge(
    older_than: Annotated[str, typer.Option(help="How long ago it was completed or cancelled, such as 365d.")],
    announcement: Annotated[str | None, typer.Option(help="Only this announcement.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
    as_json: Json = False,
) -> None:
    """Delete who was told what of announcements that are long over; totals and events are kept.

    Example: `broadcaster purge --older-than 365d --dry-run`
    """
    from broadcaster.cli import retention as command

    command.purge(older_than, announcement, dry_run=dry_run, as_json=as_json)


@app.command()
def pause(
    slug: HeldSlug = None,
    broadcast: HeldBroadcast = None,
    everything: Everything = False,
    reason: Annotated[str, typer.Option(help="Why, for whoever looks next.")] = "",
) -> None:
    """Hold an announcement, one broadcast, or everything back; calls under way still end. Surfaces go on showing it.

    Example: `broadcaster pause qingdao-2022`
    """
    from broadcaster.cli import hold as command

    command.pause(slug, broadcast, reason, everything=everything)


@app.command()
def halt(
    reason: Annotated[str, typer.Option(help="Why: shown wherever its state is shown.")],
    slug: HeldSlug = None,
    broadcast: HeldBroadcast = None,
    everything: Everything = False,
) -> None:
    """Like pause, for when something is wrong: `status` and the metrics call it halted until somebody resumes it.

    Example: `broadcaster halt --everything --reason "wrong hotline number in the text"`
    """
    from broadcaster.cli import hold as command

    command.halt(slug, broadcast, reason, everything=everything)


@app.command()
def resume(
    slug: HeldSlug = None,
    broadcast: HeldBroadcast = None,
    everything: Everything = False,
    skip_due_before: Annotated[
        str | None, typer.Option(help="After a restore: until when the old database may have sent.", show_default=False)
    ] = None,
) -> None:
    """Let what was paused or halted go on; what expired meanwhile is skipped and says so.

    Example: `broadcaster resume qingdao-2022`
    """
    from broadcaster.cli import hold as command

    command.resume(slug, broadcast, skip_due_before, everything=everything)


@app.command()
def verify(
    slug: HeldSlug = None,
    everything: Annotated[bool, typer.Option("--all", help="Whatever announcement there is.")] = False,
    as_json: Json = False,
) -> None:
    """Read every surface back as the public gets it, and compare it with what should show; exit 1 when one differs.

    Example: `broadcaster verify qingdao-2022`
    """
    from broadcaster.cli import verify as command

    command.verify(slug, everything=everything, as_json=as_json)


@app.command()
def restored(
    backup_at: Annotated[str, typer.Option("--from", help="When the backup was made.")],
) -> None:
    """Hold everything back after a backup was restored, before anything is started on it.

    Example: `broadcaster restored --from "2022-02-24 03:00"`
    """
    from broadcaster.cli import restore as command

    command.restored(backup_at)


@app.command()
def rehearse(
    file: File,
    script: Annotated[
        Path | None, typer.Option(help="What the operator does, and when; else: finish at the planned end.")
    ] = None,
    data: Annotated[Path, typer.Option(help="Where the rehearsal keeps its services, logs and report.")] = Path(
        "var/rehearsal"
    ),
    recipients: Annotated[int, typer.Option(min=0, max=1_000_000, help="How many people to generate.")] = 20_000,
    people: Annotated[Path | None, typer.Option(help="A CSV file of people instead of generated ones.")] = None,
    begin: Annotated[
        str | None, typer.Option("--from", help="When it begins; else eight days before the start, 10:00.")
    ] = None,
    site: Annotated[
        Path | None, typer.Option(help="A site whose providers are all on this machine, instead of the sandbox's.")
    ] = None,
    templates: TemplateFolder = None,
    vendors: Annotated[
        bool, typer.Option("--vendors", help="Aliyun and WeChat on their wire formats, instead of our own.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the sandbox up afterwards, until Ctrl-C.")] = False,
) -> None:
    """Run a whole campaign on a virtual clock, with real workers, against the sandbox. Reaches this machine only.

    Example: `broadcaster rehearse examples/qingdao-2022/announcement.yaml --recipients 2000`
    """
    from broadcaster.cli import rehearse as command

    command.rehearse(command.Request(file, script, data, recipients, people, begin, site, templates, keep, vendors))


@app.command()
def up(
    port: Annotated[int, typer.Option(help="The port of the web application.")] = 8000,
    sandbox_port: Annotated[
        int, typer.Option(help="The port of the sandbox, when there is no site configuration.")
    ] = 8100,
) -> None:
    """Run everything on this machine until Ctrl-C: web, workers, beat, and the sandbox when no site is configured.

    Example: `broadcaster up`
    """
    from broadcaster.cli import up as command

    command.up(port, sandbox_port)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what is configured, what answers, and what is missing.

    Example: `broadcaster doctor`
    """
    from broadcaster.cli import doctor as command

    command.doctor(as_json=as_json)


@app.command()
def migrate() -> None:
    """Bring the database to the tables of this version. `up` does it by itself; a production install calls it once.

    Example: `DATABASE_URL=postgresql://… broadcaster migrate`
    """
    from broadcaster.cli import operate as command

    command.migrate()
