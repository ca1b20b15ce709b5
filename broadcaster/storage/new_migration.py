"""For developers: `make migration MESSAGE="…"` writes the migration from the last one to `tables.py`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from broadcaster.embedded import discard, services
from broadcaster.storage.database import Database
from broadcaster.storage.migrate import migrate
from broadcaster.storage.upgrading import new_migration


def main(message: str) -> None:
    """Migrate a scratch database to the newest migration, and write down what `tables.py` has beyond it."""
    folder = Path(tempfile.mkdtemp(prefix="broadcaster-migration-"))
    with services(folder) as private:
        database = Database(private.database_url)
        migrate(database)
        with database.begin() as connection:
            new_migration(connection, message)
        database.close()
    discard(folder)


if __name__ == "__main__":
    main(sys.argv[1])
