"""The commands that change what an announcement says, in the order of its life. As in `main`, each one's work is loaded
when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from broadcaster.operations.revise import Consent

app = typer.Typer()

File = Annotated[Path, typer.Argument(help="The announcement's YAML file.")]
Slug = Annotated[str, typer.Argument(help="The announcement's slug.")]
Json = Annotated[bool, typer.Option("--json", help="Print data for programs instead of a table.")]
PlanMark = Annotated[
    str | None, typer.Option("--plan", help="Only if this is still the plan that was shown.", show_default=False)
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")]
ResumeAt = Annotated[
    str | None, typer.Option(help="When service is expected back, if not at the end.", show_default=False)
]
DespiteNewer = Annotated[
    bool, typer.Option("--despite-newer", help="Also when another revision was approved since this one was made.")
]
DropLanguages = Annotated[
    bool, typer.Option("--drop-languages", help="Also without a language in which people were told.")
]


@app.command()
def plan(
    file: File,
    as_json: Json = False,
    at: Annotated[str | None, typer.Option(help="Plan as if it were then, in the announcement's zone.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Keep the plan in this file, for `apply` to carry out.", show_default=False)
    ] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 0 when there is nothing to do, 3 when there is.")
    ] = False,
) -> None:
    """Compare a file with what stands: what would change, and who would have to be corrected. Changes nothing.

    Example: `broadcaster plan examples/qingdao-2022/announcement.yaml --at "2022-02-18 10:00"`
    """
    from broadcaster.cli import plan as command

    command.plan(file, at, out, exit_code=detailed_exitcode, as_json=as_json)


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="The announcement's YAML file, or a plan that `plan --out` kept.")],
    plan: PlanMark = None,
    despite_newer: DespiteNewer = False,
    drop_languages: DropLanguages = False,
    as_json: Json = False,
) -> None:
    """Store a file as a proposed revision; with a plan's mark, or a plan file, carry out exactly what was shown.

    Example: `broadcaster apply examples/qingdao-2022/announcement.yaml`
    """
    from broadcaster.cli import operate as command

    command.apply(file, plan, _consent(despite_newer, drop_languages), as_json=as_json)


@app.command()
def approve(
    slug: Slug,
    revision: Annotated[int, typer.Option(help="The number of the proposed revision.")],
    plan: PlanMark = None,
    despite_newer: DespiteNewer = False,
    drop_languages: DropLanguages = False,
    as_json: Json = False,
) -> None:
    """Approve a revision: from now on its broadcasts go out when they are due.

    Example: `broadcaster approve qingdao-2022 --revision 1`
    """
    from broadcaster.cli import operate as command

    command.approve(slug, revision, plan, _consent(despite_newer, drop_languages), as_json=as_json)


@app.command()
def extend(
    slug: Slug,
    until: Annotated[str, typer.Option(help="The new planned end, later or earlier, in the announcement's zone.")],
    resume_at: ResumeAt = None,
    plan: PlanMark = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Move the planned end: as a new revision, approved at once. Whoever was told the old end is told the new one.

    Example: `broadcaster extend qingdao-2022 --until "2022-03-24 24:00" --dry-run`
    """
    from broadcaster.cli import amend as command

    said = {"--until": until, "--resume-at": resume_at}
    command.move(slug, said, plan, dry_run=dry_run, as_json=as_json)


@app.command()
def reschedule(
    slug: Slug,
    start: Annotated[str, typer.Option(help="The new start, in the announcement's zone.")],
    until: Annotated[str, typer.Option(help="The new planned end.")],
    resume_at: ResumeAt = None,
    plan: PlanMark = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Move the whole outage: as a new revision, approved at once. Whoever was told the old dates is told the new ones.

    Example: `broadcaster reschedule qingdao-2022 --start "2022-03-05 00:00" --until "2022-03-27 24:00"`
    """
    from broadcaster.cli import amend as command

    said = {"--start": start, "--until": until, "--resume-at": resume_at}
    command.move(slug, said, plan, dry_run=dry_run, as_json=as_json)


@app.command()
def reinstate(
    slug: Slug,
    reason: Annotated[str, typer.Option(help="Why, for the event log.")] = "",
    start: Annotated[str | None, typer.Option(help="A new start, in the announcement's zone.")] = None,
    until: Annotated[str | None, typer.Option(help="A new planned end.")] = None,
    as_json: Json = False,
) -> None:
    """Take a cancelling back. Whoever was told that the outage is called off is told that it goes ahead after all.

    Example: `broadcaster reinstate qingdao-2022 --reason "the national system is ready"`
    """
    from broadcaster.cli import amend as command

    command.reinstate(slug, {"--start": start, "--until": until}, reason, as_json=as_json)


@app.command()
def show(
    slug: Slug,
    revision: Annotated[int | None, typer.Option(help="Its number; else the approved one, or the newest.")] = None,
) -> None:
    """Print a revision as a file: after `extend`, the one in version control is brought up to date with it.

    Example: `broadcaster show qingdao-2022 > announcement.yaml`
    """
    from broadcaster.cli import amend as command

    command.show(slug, revision)


@app.command()
def finish(
    slug: Slug,
    at: Annotated[
        str | None, typer.Option(help="When service came back, in the announcement's zone; now if absent.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say that service is back. Only this lets `restored` go out; the clock never does.

    Example: `broadcaster finish qingdao-2022 --at "2022-03-20 24:00"`
    """
    from broadcaster.cli import operate as command

    command.finish(slug, at, as_json=as_json)


@app.command()
def cancel(
    slug: Slug,
    reason: Annotated[str, typer.Option(help="Why, for the event log.")] = "",
    as_json: Json = False,
) -> None:
    """Call the outage off: what is not sent yet is revoked, and whoever was told is told that.

    Example: `broadcaster cancel qingdao-2022 --reason "the migration was put off"`
    """
    from broadcaster.cli import operate as command

    command.cancel(slug, reason, as_json=as_json)


def _consent(other_base: bool, fewer_languages: bool) -> Consent:
    """What an operator insists on."""
    from broadcaster.operations.revise import Consent

    return Consent(other_base, fewer_languages)
