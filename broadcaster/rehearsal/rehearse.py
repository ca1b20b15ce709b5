"""A rehearsal: a whole campaign against the sandbox, on a virtual clock, with the real planner and workers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import redis
import requests
from celery import Celery
from sqlalchemy import Connection

from broadcaster import clock
from broadcaster.announcement.source import Source
from broadcaster.audience.endpoints import sync_endpoints
from broadcaster.audience.generated import generated_followers, generated_people
from broadcaster.audience.importing import import_people
from broadcaster.channels.registry import PERSONAL, POOLS
from broadcaster.channels.simulation import SPECIAL_ENDINGS
from broadcaster.embedded import services
from broadcaster.operations import revise
from broadcaster.operations.amending import Times, amended
from broadcaster.operations.endpoints import Registry
from broadcaster.operations.fitness import refuse_unfit
from broadcaster.planning.proposal import Proposal
from broadcaster.rehearsal import witness
from broadcaster.rehearsal.accounts import vendor_accounts
from broadcaster.rehearsal.director import ACTOR, Director, Stage
from broadcaster.rehearsal.isolation import alone_in, fresh_database
from broadcaster.rehearsal.script import Script, default_script, trouble_orders
from broadcaster.rendering.environment import Templates
from broadcaster.reporting.consistency import contradictions
from broadcaster.reporting.report import accounts, report
from broadcaster.sandbox.partners import register_partners
from broadcaster.sandbox.site import write_sandbox_site
from broadcaster.settings import Settings
from broadcaster.stack import HOST, Stack, environment, free_port, programs
from broadcaster.storage import audiences
from broadcaster.storage.audiences import Row
from broadcaster.storage.migrate import migrate
from broadcaster.wiring import App, open_app, refuse_outside

LEAD = timedelta(days=8)
"""A rehearsal begins that long before the start, unless it is told when."""
OPENING_HOUR = 10

Watch = Callable[["Scene"], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What to rehearse: `script` None for the default one, `begin` None for eight days before the start."""

    proposal: Proposal
    data: Path
    source: Source | None = None
    """The file that it was read from."""
    size: int = 20_000
    audience: Path | None = None
    script: Script | None = None
    begin: datetime | None = None
    templates: Path | None = None
    site: Path | None = None
    vendors: bool = False
    """Whether the sandbox stands in for vendors on their wire formats, instead of gateways that speak ours."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A running rehearsal, as somebody who draws its progress sees it."""

    parts: App
    slug: str
    stack: Stack
    sandbox_url: str
    web_url: str


@dataclass(slots=True)
class Result:
    """What came of it: the report's data, and what does not add up in it."""

    data: dict[str, Any]
    problems: list[str] = field(default_factory=list)


def rehearse(wish: Wish, watch: Watch) -> Result:
    """Play the campaign from publication to its last act; everything that was started is stopped in the end."""
    with play(wish, watch) as (_, result):
        return result


@contextmanager
def play(wish: Wish, watch: Watch) -> Iterator[tuple[Scene, Result]]:
    """Like `rehearse`, but what was started runs until the block ends, so that the sandbox can be looked at."""
    with alone_in(wish.data), services(wish.data) as private:
        settings = Settings(
            data=wish.data,
            site=wish.site,
            database_url=fresh_database(private.database_url),
            redis_url=private.redis_url,
            rehearsal=True,
        )
        redis.Redis.from_url(private.redis_url).flushall()
        sandbox_port, web_port = free_port(), free_port()
        sandbox_url, web_url = f"http://{HOST}:{sandbox_port}", f"http://{HOST}:{web_port}"
        script = wish.script or default_script(wish.proposal.announcement)
        if wish.site is None:
            write_sandbox_site(
                wish.data,
                sandbox_url=sandbox_url,
                public_url=web_url,
                templates=wish.templates,
                stand_ins={**_vendors(wish), **script.sandbox},
            )
        parts = open_app(settings)
        _refuse_unfit(parts.templates, wish, script)
        refuse_outside(parts.providers())
        for name in parts.operators:
            parts.operator(name)
        offset_file, begin = wish.data / "clock-offset", wish.begin or default_begin(wish.proposal)
        clock.move_to(begin, offset_file)
        stack, quiet = Stack(wish.data / "logs", environment(settings, offset_file)), False
        try:
            with clock.following(offset_file):
                _gather(parts, wish, script, begin)
                if wish.site is None:
                    _register(parts, wish.data, sandbox_url, begin)
                stack.start(programs(settings, web_port=web_port, sandbox_port=sandbox_port))
                # Starting took its seconds; the campaign begins now.
                clock.move_to(begin, offset_file)
                _order(sandbox_url, script)
                _publish(parts, wish)
                scene = Scene(parts, wish.proposal.announcement.slug, stack, sandbox_url, web_url)
                stage = Stage(parts, stack, offset_file, sandbox_url, Celery(broker=settings.broker_url))
                Director(stage, wish.proposal, script.acts, lambda: watch(scene)).play()
                quiet = True
                yield scene, _result(scene)
        finally:
            stack.stop(at_once=quiet)
            parts.database.close()


def _refuse_unfit(templates: Templates, wish: Wish, script: Script) -> None:
    """What no operator could propose is not rehearsed, nor what an act of the script would make of it."""
    wanted = wish.proposal
    refuse_unfit(templates, wanted, wish.source)
    for act in script.acts:
        if times := Times(act.start, act.until, act.resume):
            wanted = amended(wanted, times)
            refuse_unfit(templates, wanted, wish.source)


def _vendors(wish: Wish) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    return vendor_accounts(wish.proposal, Templates(wish.templates)) if wish.vendors else {}


def default_begin(proposal: Proposal) -> datetime:
    """Eight days before the start, at ten in the morning."""
    start = proposal.announcement.window.start
    return (start - LEAD).replace(hour=OPENING_HOUR, minute=0, second=0)


def write_json(result: Result, path: Path) -> None:
    """Write the report's data."""
    path.write_text(json.dumps(result.data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _gather(parts: App, wish: Wish, script: Script, now: datetime) -> None:
    """Make the tables, and the audience as it is at the beginning."""
    migrate(parts.database, parts.vault)
    with parts.database.begin() as connection:
        sync_endpoints(connection, parts.vault, parts.site, parts.channels, now)
        avoid = SPECIAL_ENDINGS if script.plain_numbers else ()
        if wish.audience:
            import_people(connection, parts.vault, wish.audience, now)
        else:
            _generate(connection, parts, audiences.PEOPLE, generated_people(wish.size, avoid), now)
        for pool in sorted(_own_pools(wish.proposal)):
            _generate(connection, parts, pool, generated_followers(wish.size, avoid), now)


def _own_pools(proposal: Proposal) -> set[str]:
    """The people of their own of the channels that the policy names."""
    return {POOLS[slug] for slug in proposal.policy.channels if slug in PERSONAL} - {audiences.PEOPLE}


def _generate(connection: Connection, parts: App, pool: str, people: Iterator[Row], now: datetime) -> None:
    audiences.stage(connection, pool, parts.vault, people)
    audiences.merge(connection, pool, "generated", now, keep_others=False)


def _register(parts: App, folder: Path, sandbox_url: str, now: datetime) -> None:
    """Have the sandbox's partners as recipients."""
    with parts.database.begin() as connection:
        registry = Registry(connection, parts.vault, parts.reach, ACTOR, now)
        register_partners(registry, folder, sandbox_url)


def _publish(parts: App, wish: Wish) -> None:
    """Propose and approve, as an operator would."""
    now = clock.now()
    with parts.database.begin() as connection:
        number = revise.propose(connection, wish.proposal, ACTOR, now) or 1
        slug = wish.proposal.announcement.slug
        revise.approve(connection, slug, number, ACTOR, now, parts.reach)


def _order(sandbox_url: str, script: Script) -> None:
    for fault in trouble_orders(script):
        requests.post(f"{sandbox_url}/faults", json=fault, timeout=10).raise_for_status()


def _result(scene: Scene) -> Result:
    shown = witness.shown(scene.parts, scene.sandbox_url)
    totals = requests.get(f"{scene.sandbox_url}/api/totals", timeout=10).json()
    with scene.parts.database.begin() as connection:
        data = report(connection, scene.slug, clock.now())
        problems = list(contradictions(accounts(connection, scene.slug, clock.now()), shown))
    data["consistent"] = not problems
    data["problems"] = problems
    data["sandbox"] = {name: totals[name] for name in ("received", "duplicates", "repeats")}
    return Result(data, problems)
