"""What can go wrong, as data: a name, what it does to the scene, and how many calls it may leave in doubt."""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import psutil
import requests
from sqlalchemy import func, select

from broadcaster.storage.database import Database
from broadcaster.storage.tables import batches, broadcasts
from tests.chaos.crew import BEAT, CALLERS, CALLERS_EACH, CONTROL, DELIVERY, SECOND_BEAT, WEB, Crew, kill, second_beat
from tests.chaos.grounds import Grounds


def chances(seed: int) -> random.Random:
    """Chance that can be repeated."""
    return random.Random(seed)  # noqa: S311 - a seed makes a run repeatable; nothing is secret here


ZONES = ("Pacific/Kiritimati", "America/St_Johns", "Asia/Kathmandu", "Pacific/Pago_Pago")
REDIS_AWAY = (0.2, 3.0)
SECOND_BEAT_SECONDS = 5.0
LOOK_EVERY = 0.1
"""Seconds."""


@dataclass(slots=True)
class Scene:
    """A campaign under way, as its strikes see it. `later` holds what must still be put right, and when."""

    database: Database
    crew: Crew
    grounds: Grounds
    sandbox_url: str
    chance: random.Random
    lease_seconds: float
    timeout_seconds: float
    say: Callable[[str], None]
    kills: int = 0
    done: Counter[str] = field(default_factory=Counter)
    later: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def in_a_while(self, seconds: float, act: Callable[[], None]) -> None:
        """Put something right after so many seconds."""
        self.later.append((time.monotonic() + seconds, act))

    def put_right(self, *, everything: bool = False) -> None:
        """Do what is due of that, or all of it."""
        now = time.monotonic()
        due = [row for row in self.later if everything or row[0] <= now]
        self.later = [row for row in self.later if row not in due]
        for _, act in due:
            act()

    def order(self, **fault: object) -> None:
        """Order a fault of the sandbox."""
        requests.post(f"{self.sandbox_url}/faults", json=fault, timeout=10).raise_for_status()

    def a_caller(self) -> psutil.Process | None:
        """One of the processes that make calls."""
        callers = [process for name in DELIVERY for process in self.crew.callers(name)]
        return self.chance.choice(callers) if callers else None


@dataclass(frozen=True, slots=True)
class Strike:
    """One thing that goes wrong. `doubts`: the most calls that it leaves in doubt. `kills` a delivery worker or not."""

    name: str
    act: Callable[[Scene], bool]
    """False when there was nothing to strike."""
    doubts: int = 0
    kills: bool = False


def kill_caller(scene: Scene) -> bool:
    """SIGKILL a process that makes calls; its worker starts another one."""
    process = scene.a_caller()
    if process:
        kill(process)
    return process is not None


def kill_worker(scene: Scene) -> bool:
    """SIGKILL a delivery worker's main process; those below it finish what they do, for nobody."""
    main = scene.crew.main(scene.chance.choice(DELIVERY))
    if main:
        kill(main)
    return main is not None


def kill_worker_and_callers(scene: Scene) -> bool:
    """SIGKILL a delivery worker with everything below it."""
    name = scene.chance.choice(DELIVERY)
    main, callers = scene.crew.main(name), scene.crew.callers(name)
    for process in (main, *callers):
        if process:
            kill(process)
    return main is not None


def kill_program(name: str, scene: Scene) -> bool:
    """SIGKILL beat, the control worker or the web application."""
    main = scene.crew.main(name)
    if main:
        kill(main)
    return main is not None


def kill_scheduler(scene: Scene) -> bool:
    """SIGKILL beat and the control worker."""
    return any([kill_program(CONTROL, scene), kill_program(BEAT, scene)])


def kill_worker_and_beat(scene: Scene) -> bool:
    """SIGKILL a delivery worker and beat."""
    kill_program(BEAT, scene)
    return kill_worker(scene)


def two_beats(scene: Scene) -> bool:
    """A second scheduler for a while."""
    scene.crew.start([second_beat(scene.crew.program(BEAT))])
    scene.in_a_while(SECOND_BEAT_SECONDS, partial(scene.crew.dismiss, SECOND_BEAT))
    return True


def freeze_caller(scene: Scene) -> bool:
    """SIGSTOP a process that makes calls, until its lease is over and another has its batch; then it goes on."""
    process = scene.a_caller()
    if process:
        scene.crew.freeze(process)
        scene.in_a_while(scene.lease_seconds + 3, partial(scene.crew.thaw, process))
    return process is not None


def freeze_worker_until_its_work_is_taken(scene: Scene) -> bool:
    """SIGSTOP all callers of one worker; they go on as soon as another works on a batch of theirs."""
    callers = scene.crew.callers(DELIVERY[0])
    for process in callers:
        scene.crew.freeze(process)
    claimed = _under_way(scene.database)

    def thaw() -> None:
        now = _under_way(scene.database)
        if not any(now.get(batch, 0) > token for batch, token in claimed.items()):
            scene.in_a_while(LOOK_EVERY, thaw)
            return
        for process in callers:
            scene.crew.thaw(process)

    # Before a lease can be over, a batch changes hands only when its worker gave it back.
    scene.in_a_while(scene.lease_seconds, thaw)
    return bool(callers)


def _under_way(database: Database) -> dict[int, int]:
    """The SMS batches that somebody carries, with the tokens of their claims."""
    of_sms = select(broadcasts.c.id).where(broadcasts.c.channel == "sms")
    carried = select(batches.c.id, batches.c.token).where(batches.c.broadcast_id.in_(of_sms), ~batches.c.done)
    with database.begin() as connection:
        return {row.id: row.token for row in connection.execute(carried.where(batches.c.lease_until > func.now()))}


def kill_redis(scene: Scene) -> bool:
    """SIGKILL Redis, and start it again empty."""
    scene.grounds.kill_redis()
    scene.in_a_while(scene.chance.uniform(*REDIS_AWAY), scene.grounds.start_redis)
    return True


def restart_postgres(scene: Scene) -> bool:
    """End every session of Postgres, and start it again."""
    scene.grounds.restart_postgres()
    return True


def change_zone(scene: Scene) -> bool:
    """Restart a worker in another time zone."""
    name = scene.chance.choice((*DELIVERY, CONTROL, BEAT))
    scene.crew.restart(name, {"TZ": scene.chance.choice(ZONES)})
    return True


def order(fault: dict[str, object], scene: Scene) -> bool:
    """Order a fault of the SMS providers' stand-ins."""
    scene.order(**{"channel": "sms", **fault})
    return True


def order_slower_than_the_time_out(scene: Scene) -> bool:
    """A call that is accepted when the client has given up already."""
    return order({"kind": "slow", "seconds": scene.timeout_seconds * 1.5}, scene)


KILLS = (
    Strike("kill_caller", kill_caller, doubts=1, kills=True),
    Strike("kill_worker", kill_worker, doubts=CALLERS_EACH, kills=True),
    Strike("kill_worker_and_callers", kill_worker_and_callers, doubts=CALLERS_EACH, kills=True),
    Strike("kill_worker_and_beat", kill_worker_and_beat, doubts=CALLERS_EACH, kills=True),
)
"""Kills of delivery workers; the first ones are the most frequent."""

PROCESSES = (
    Strike("kill_beat", partial(kill_program, BEAT)),
    Strike("kill_control", partial(kill_program, CONTROL)),
    Strike("kill_control_and_beat", kill_scheduler),
    Strike("kill_web", partial(kill_program, WEB)),
    Strike("two_beats", two_beats),
    Strike("freeze_caller", freeze_caller, doubts=1),
    Strike("change_zone", change_zone),
    Strike("kill_redis", kill_redis),
    Strike("restart_postgres", restart_postgres, doubts=CALLERS),
)


ORDERED = "order_"
"""How the names of orders to the sandbox begin."""


def _ordered(name: str, fault: dict[str, object], doubts: int = 0) -> Strike:
    return Strike(f"{ORDERED}{name}", partial(order, fault), doubts)


PROVIDER = (
    _ordered("status_429", {"kind": "status", "status": 429, "times": 2}),
    _ordered("status_429_retry_after", {"kind": "status", "status": 429, "retry_after": 1, "times": 2}),
    _ordered("status_503", {"kind": "status", "status": 503, "times": 2}),
    _ordered("receipts_twice", {"kind": "receipts_twice", "times": 5}),
    _ordered("receipts_late", {"kind": "receipts_late", "times": 5, "seconds": 2}),
    _ordered("receipts_first", {"kind": "receipts_first", "times": 5}),
    _ordered("hidden", {"kind": "hidden", "seconds": 1.5, "times": 3}),
    _ordered("question_500", {"kind": "status", "status": 500, "target": "questions"}),
    _ordered("question_half_open", {"kind": "half_open", "target": "questions"}),
    _ordered("status_500", {"kind": "status", "status": 500}, doubts=1),
    _ordered("status_502_accepted", {"kind": "status", "status": 502, "accepted": True}, doubts=1),
    _ordered("drop_before", {"kind": "drop_before"}, doubts=1),
    _ordered("drop_after", {"kind": "drop_after"}, doubts=1),
    _ordered("timeout_before", {"kind": "half_open"}, doubts=1),
    _ordered("timeout_after", {"kind": "half_open", "accepted": True}, doubts=1),
    Strike(f"{ORDERED}slow", order_slower_than_the_time_out, doubts=1),
)


def planned(kills: int, most_doubts: int, chance: random.Random) -> list[Strike]:
    """So many kills and each other strike once, in random order; no more than may leave so many calls in doubt.

    Where everything would be too much, strikes that leave calls in doubt are left out at random, the provider's first.
    """
    chosen = chance.choices(KILLS, weights=(6, 2, 1, 1), k=kills)
    doubts = sum(strike.doubts for strike in chosen)
    for strike in (*chance.sample(PROCESSES, len(PROCESSES)), *chance.sample(PROVIDER, len(PROVIDER))):
        if not strike.doubts or doubts + strike.doubts <= most_doubts:
            chosen.append(strike)
            doubts += strike.doubts
    chance.shuffle(chosen)
    return chosen


def carry_out(scene: Scene, strike: Strike) -> bool:
    """Strike, and count it; False when there was nothing to strike, such as a worker that is just starting again."""
    with contextlib.suppress(psutil.NoSuchProcess):
        if strike.act(scene):
            scene.say(strike.name)
            scene.kills += strike.kills
            scene.done[strike.name] += 1
            return True
    return False
