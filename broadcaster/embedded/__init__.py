"""A private Postgres and a private Redis for a machine that has none.

    with services(Path("data")) as addresses:
        ...  # addresses.database_url, addresses.redis_url

Both listen on Unix sockets only, in a folder of mode 0700. Postgres trusts whoever connects, and may do so only because
of that folder: nobody but its owner (and root) reaches the socket.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from broadcaster.embedded.addresses import Services
from broadcaster.embedded.binaries import Binaries

__all__ = ["Binaries", "Services", "discard", "services"]


@contextmanager
def services(data: Path, *, binaries: Binaries = Binaries.AUTO) -> Iterator[Services]:
    """Run Postgres and Redis under the folder `data` as long as somebody uses them.

    Any number of processes and threads may use the same folder at once: the first starts the servers, the last one out
    stops them. Servers left running by a killed process are adopted. Postgres keeps its data; Redis forgets everything.

    Raises MissingPartError when a program is not on the machine or does not fit the data, UnreachableError when a
    server does not answer within 30 seconds (with the end of its log), StateError when a folder is not fit for use.
    """
    from broadcaster.embedded import service  # noqa: PLC0415 - psycopg and psutil load only where servers are run

    with service.use(data, binaries) as addresses:
        yield addresses


def discard(data: Path) -> None:
    """Delete the private database of the folder `data`, wherever it was put; nothing to delete is not an error.

    Raises StateError while somebody uses it.
    """
    from broadcaster.embedded import service  # noqa: PLC0415 - as above

    service.discard(data)
