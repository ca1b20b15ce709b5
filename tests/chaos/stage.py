"""The stage: the product set up for one campaign, on a database of its own, against a sandbox of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis
import requests

from broadcaster import clock
from broadcaster.audience.endpoints import sync_endpoints
from broadcaster.audience.generated import generated_people
from broadcaster.channels.base import Idempotency
from broadcaster.operations import revise
from broadcaster.operations.endpoints import Registry
from broadcaster.rehearsal.isolation import fresh_database
from broadcaster.rehearsal.rehearse import default_begin
from broadcaster.sandbox.partners import register_partners
from broadcaster.sandbox.site import write_sandbox_site
from broadcaster.settings import Settings
from broadcaster.stack import HOST, Stack, environment, free_port, programs
from broadcaster.storage import audiences
from broadcaster.storage.migrate import migrate
from broadcaster.wiring import App, open_app
from tests.chaos.crew import PLAIN, Crew, cast
from tests.chaos.grounds import Grounds
from tests.chaos.strikes import Scene, Strike, chances
from tests.chaos.suppliers import ACCOUNTS, GATEWAY, Spoken
from tests.support.examples import SLUG, example

ACTOR = "chaos"
TIMEOUT = 1.5
VISIBLE_AFTER = 10.0

ALL = tuple(Idempotency)

_NOISE = (("drop_after", 0.03), ("drop_before", 0.02), ("receipts_late", 0.05), ("receipts_twice", 0.05))


@dataclass(frozen=True, slots=True)
class Wish:
    """A campaign to play: the classes of its SMS providers, whom it reaches, what strikes, and how long it may take."""

    classes: tuple[Idempotency, ...]
    people: int
    strikes: tuple[Strike, ...]
    seed: int
    seconds: float
    noise: bool = False
    """Whether a share of all calls goes wrong besides; not where what is in doubt must be counted."""
    last_strike: float = 0.85
    """The part of the audience that is told when the last strike falls: there is always somebody left to lose."""
    until_somebody_is_told_twice: bool = False
    """Whether that is what the campaign is for, so that it ends there."""
    spoken: Spoken = GATEWAY
    """Whose format the SMS providers speak."""
    module: str = PLAIN
    """What runs the workers."""


@contextmanager
def stage(folder: Path, grounds: Grounds, wish: Wish, say: Callable[[str], None]) -> Iterator[tuple[App, Scene]]:
    """Set everything up and publish the example; whatever was started is ended with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    offset_file, sandbox_port, web_port = folder / "clock-offset", free_port(), free_port()
    sandbox_url = f"http://{HOST}:{sandbox_port}"
    _write_site(folder, wish, sandbox_url, f"http://{HOST}:{web_port}")
    settings = Settings(
        data=folder,
        database_url=fresh_database(grounds.addresses.database_url),
        redis_url=grounds.addresses.redis_url,
        rehearsal=True,
    )
    _forget(grounds.addresses.redis_url)
    clock.move_to(default_begin(example()), offset_file)
    variables = environment(settings, offset_file)
    sandbox, crew = Stack(folder / "logs", variables), Crew(folder / "logs", variables)
    parts = open_app(settings)
    try:
        with clock.following(offset_file):
            _gather(parts, wish.people, folder, sandbox_url)
            everything = programs(settings, web_port=web_port, sandbox_port=sandbox_port)
            sandbox.start([program for program in everything if program.name == "sandbox"])
            crew.start(cast(settings, web_port, wish.module))
            lease = parts.courier().lease.total_seconds()
            scene = Scene(parts.database, crew, grounds, sandbox_url, chances(wish.seed), lease, TIMEOUT, say)
            _order_the_usual(scene, wish)
            clock.move_to(default_begin(example()), offset_file)
            _publish(parts)
            yield parts, scene
    finally:
        crew.stop()
        sandbox.stop()
        parts.database.close()


def asked(url: str) -> dict[str, int]:
    """Figures that the sandbox gives."""
    found: dict[str, int] = requests.get(url, timeout=30).json()
    return found


def _write_site(folder: Path, wish: Wish, sandbox_url: str, public_url: str) -> None:
    """One SMS provider a class, of the same weight; WeChat accounts that dedupe as the platform does."""
    common: Mapping[str, object] = {
        "members_per_call": wish.spoken.call,
        "visible_after_seconds": VISIBLE_AFTER,
        "pace": {"calls_per_second": 100},
        "breaker": {"open_seconds": 3},
    }
    providers = [{**row, **common} for row in wish.spoken.providers(wish.classes)]
    stand_ins = {"sms": providers, "wechat": ACCOUNTS}
    write_sandbox_site(
        folder, sandbox_url=sandbox_url, public_url=public_url, stand_ins=stand_ins, timeout_seconds=TIMEOUT
    )


def _forget(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()


def _gather(parts: App, people: int, folder: Path, sandbox_url: str) -> None:
    migrate(parts.database, parts.vault)
    with parts.database.begin() as connection:
        register_partners(Registry(connection, parts.vault, parts.reach, ACTOR, clock.now()), folder, sandbox_url)
        sync_endpoints(connection, parts.vault, parts.site, parts.channels, clock.now())
        audiences.stage(connection, audiences.PEOPLE, parts.vault, generated_people(people))
        audiences.merge(connection, audiences.PEOPLE, "generated", clock.now(), keep_others=False)


def _publish(parts: App) -> None:
    with parts.database.begin() as connection:
        number = revise.propose(connection, example(), ACTOR, clock.now()) or 1
        revise.approve(connection, SLUG, number, ACTOR, clock.now(), parts.reach)


def _order_the_usual(scene: Scene, wish: Wish) -> None:
    """A call of each other channel goes wrong; every SMS call takes its time; and some noise."""
    scene.order(channel="wechat", kind="drop_after")
    scene.order(channel="webhook", kind="drop_after")
    scene.order(channel="banner", kind="half_open", accepted=True)
    scene.order(channel="kiosk", kind="drop_before")
    for number, (kind, share) in enumerate(_NOISE if wish.noise else ()):
        scene.order(channel="sms", kind=kind, share=share, seed=wish.seed + number)
    scene.order(channel="sms", kind="slow", share=1.0, seconds=wish.spoken.delay)
