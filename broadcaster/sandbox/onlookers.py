"""The stand-ins' screens: each looks at its document again and again under its name, as a real one does."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

import requests

from broadcaster import clock
from broadcaster.sandbox.archive import Archive
from broadcaster.surfaces.document import milliseconds

LOOK_EVERY = 2.0
"""Seconds between two looks. A real screen takes half a minute; here days pass in between."""
TIMEOUT = 10.0
"""Seconds that a document may take."""


def look(session: requests.Session, archive: Archive, surface: str, address: str, name: str) -> None:
    """Fetch a surface's document as the screen of this name, and keep what it shows now."""
    answer = session.get(address, params={"screen": name}, timeout=TIMEOUT, allow_redirects=False)
    answer.raise_for_status()
    archive.keep_document(surface, milliseconds(clock.now()), answer.json())


class Onlookers(threading.Thread):
    """Screens of a site that look until the process ends; `screens` is surface → names of its screens."""

    def __init__(self, archive: Archive, public_url: str, screens: Mapping[str, Sequence[str]]) -> None:
        super().__init__(name="onlookers", daemon=True)
        self._archive = archive
        self._screens = [
            (slug, f"{public_url}/surfaces/{slug}.json", name) for slug, names in screens.items() for name in names
        ]

    def run(self) -> None:
        """Look; a screen whose document cannot be had goes on showing what it showed."""
        with requests.Session() as session:
            session.trust_env = False
            while True:
                for slug, address, name in self._screens:
                    try:
                        look(session, self._archive, slug, address, name)
                    except (requests.RequestException, ValueError, KeyError):
                        continue
                time.sleep(LOOK_EVERY)
