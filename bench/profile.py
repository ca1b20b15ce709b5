"""The profile of the personalised arm: `bench.anatomy` on a broadcast of its own, with the processor time around it."""

from __future__ import annotations

import json
import subprocess
import sys

from bench.load import load
from bench.ours import Product, Setup
from bench.site import write_site
from broadcaster.errors import StateError
from broadcaster.settings import Settings
from broadcaster.stack import environment
from broadcaster.wiring import open_app

LONGEST = 600.0
SLUG = "anatomy"

Profile = dict[str, dict[str, float]]
"""Part → `wall_ms` and `cpu_ms` for 1,000 recipients."""


def measure(settings: Settings) -> Profile:
    """Send to everybody that one tick cuts batches for, in a single delivery process."""
    setup = Setup()
    with load(settings.data / "logs") as sink:
        write_site(settings.data, sink.url, sink.url, members_per_call=setup.members_per_call)
        parts = open_app(settings)
        Product(parts, sink).announce(SLUG)
        parts.database.close()
        command = (sys.executable, "-m", "bench.anatomy")
        found = subprocess.run(
            command, env=environment(settings), capture_output=True, text=True, timeout=LONGEST, check=False
        )
    if found.returncode:
        raise StateError(f"the anatomy failed: {found.stderr[-2000:]}")
    data: Profile = json.loads(found.stdout)
    return {part: {name: round(value, 2) for name, value in row.items()} for part, row in data.items()}
