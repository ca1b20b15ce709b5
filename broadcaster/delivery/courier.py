"""The courier: carries batches to their providers, one batch at a time and call by call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import Connection

from broadcaster import logs
from broadcaster.channels.base import Channel
from broadcaster.channels.transport import CONNECT_TIMEOUT, Transport
from broadcaster.delivery import striding
from broadcaster.delivery.claiming import Claims
from broadcaster.delivery.directory import ENDPOINT_TIMEOUT, Directory, Providers
from broadcaster.delivery.gate import LONGEST_WAIT, TRIES, Gate
from broadcaster.delivery.health import Experience
from broadcaster.delivery.means import Means
from broadcaster.delivery.messages import Press
from broadcaster.delivery.run import Run
from broadcaster.delivery.trip import Trip
from broadcaster.storage.database import Database, Session
from broadcaster.vault import Vault

SPARE_SECONDS = 5.0
"""What rendering and recording may take beside the call itself."""


class Courier:
    """Delivers batches; one a worker process, because it keeps connections and rendered messages."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a process consists of, put together in one place
        self,
        database: Database,
        channels: Mapping[str, Channel],
        providers: Providers,
        press: Press,
        transport: Transport,
        gate: Gate,
        vault: Vault,
        public_url: str,
        endpoint_timeout: float = ENDPOINT_TIMEOUT,
    ) -> None:
        self._database = database
        self._directory = Directory(providers, vault, endpoint_timeout)
        self.lease = _lease(self._directory.slowest)
        self._means = Means(transport, gate, self.lease)
        self._claims = Claims(channels, self._directory, press, vault, public_url, self.lease)

    def deliver(self, batch_id: int) -> bool:
        """Carry the batch as far as it goes now; what is left is a row that says when to go on.

        Gives whether its broadcast waits for its next batches to be cut: the next tick may come at once.
        """
        with logs.bound(batch=batch_id), self._database.session() as session:
            found = session.attempt(lambda connection: self._begin(session, connection, batch_id))
            if found is None:
                return False
            run, trip = found
            with logs.bound(broadcast=run.batch.broadcast_id, channel=run.channel.slug):
                waits = trip.go()
                self._note(session, run.channel, trip.experiences)
                return waits

    def _note(self, session: Session, channel: Channel, experiences: Mapping[str, Experience]) -> None:
        """Remember how the calls to partners' endpoints went."""
        if channel.registered and experiences:
            session.attempt(lambda connection: self._directory.note(connection, channel, experiences))

    def _begin(self, session: Session, connection: Connection, batch_id: int) -> tuple[Run, Trip] | None:
        """Claim a batch and write down its first calls; None when it is not free, or cannot be carried now."""
        claimed = self._claims.claim(connection, batch_id)
        if claimed is None:
            return None
        trip = Trip(session, self._means, claimed)
        trip.begin(connection)
        return claimed.run, trip


def _lease(slowest: float) -> timedelta:
    """How long a claim holds: longer than the slowest call can take, because every stride renews it.

    The last call of a stride comes when that has lasted its longest. A call may wait for its pace (twice, when it slept
    through its slot), for its answer's first byte, and once more for its last one.
    """
    return timedelta(seconds=striding.LONGEST + TRIES * LONGEST_WAIT + CONNECT_TIMEOUT + 2 * slowest + SPARE_SECONDS)
