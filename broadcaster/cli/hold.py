"""`pause`, `halt` and `resume`: of a broadcast, an announcement, or everything."""

from __future__ import annotations

from broadcaster import clock
from broadcaster.cli.restore import go_on
from broadcaster.cli.screen import console
from broadcaster.cli.session import operator, session
from broadcaster.errors import InputError
from broadcaster.operations import holding
from broadcaster.operations.holding import Target
from broadcaster.storage.holds import Scope


def pause(slug: str | None, broadcast: str | None, reason: str, *, everything: bool) -> None:
    """Hold it back, as a matter of routine."""
    _hold(_target(slug, broadcast, everything=everything), reason, halted=False)


def halt(slug: str | None, broadcast: str | None, reason: str, *, everything: bool) -> None:
    """Hold it back, loudly: somebody must look into it."""
    if not reason.strip():
        raise InputError.one("--reason: why is it halted?", hint="whoever looks at it next must know")
    _hold(_target(slug, broadcast, everything=everything), reason, halted=True)


def resume(slug: str | None, broadcast: str | None, skip_due_before: str | None, *, everything: bool) -> None:
    """Let it go on; after a restore without what may have gone out."""
    target = _target(slug, broadcast, everything=everything)
    if skip_due_before:
        if not everything:
            raise InputError.one("--skip-due-before goes with --everything")
        go_on(skip_due_before)
        return
    with session() as parts, parts.database.begin() as connection:
        found = holding.resume(connection, target, operator(), clock.now())
    console.print(f"{found}: goes on")


def _hold(target: Target, reason: str, *, halted: bool) -> None:
    with session() as parts, parts.database.begin() as connection:
        found = holding.hold(connection, target, reason, operator(), clock.now(), halted=halted)
    word = "halted" if halted else "paused"
    console.print(f"{found}: {word}; no new call begins before `broadcaster resume`")


def _target(slug: str | None, broadcast: str | None, *, everything: bool) -> Target:
    named = [name for name in (slug, broadcast) if name] + (["everything"] if everything else [])
    if len(named) != 1:
        raise InputError.one("name one of: a slug, --broadcast ID, --everything")
    if slug:
        return Target(Scope.ANNOUNCEMENT, slug)
    return Target(Scope.BROADCAST, broadcast) if broadcast else Target(Scope.EVERYTHING)
