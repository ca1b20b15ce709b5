"""`up`: everything on this machine until Ctrl-C."""

from __future__ import annotations

import socket
import time

from broadcaster import clock, logs
from broadcaster import settings as settings_module
from broadcaster.audience.endpoints import sync_endpoints
from broadcaster.cli.screen import console
from broadcaster.cli.session import operator
from broadcaster.errors import StateError
from broadcaster.hosting import check_broker, hosted
from broadcaster.operations.endpoints import Registry
from broadcaster.sandbox.partners import register_partners
from broadcaster.sandbox.site import is_sandbox_site, write_sandbox_site
from broadcaster.settings import Settings
from broadcaster.stack import HOST, Stack, environment, programs
from broadcaster.storage.migrate import migrate
from broadcaster.wiring import open_app, open_site

LOOK_EVERY = 0.5
"""Seconds between two looks at whether every program still runs."""


def up(port: int, sandbox_port: int) -> None:
    """Start everything, print the addresses, watch until Ctrl-C, stop everything."""
    settings = settings_module.load()
    logs.configure(settings.log_level)
    own_sandbox = _prepare_site(settings, port, sandbox_port)
    for wanted in (port, *([sandbox_port] if own_sandbox else [])):
        _refuse_taken(wanted)
    with hosted(settings) as addressed:
        check_broker(addressed)
        private = settings.database_url is None
        _prepare_database(addressed, f"http://{HOST}:{sandbox_port}" if own_sandbox and private else None)
        stack = Stack(settings.data / "logs", environment(addressed))
        try:
            stack.start(programs(addressed, web_port=port, sandbox_port=sandbox_port if own_sandbox else None))
            _greet(settings, port, sandbox_port if own_sandbox else None)
            while True:
                stack.revive()
                time.sleep(LOOK_EVERY)
        finally:
            console.print("stopping …")
            stack.stop()


def _prepare_site(settings: Settings, port: int, sandbox_port: int) -> bool:
    """Whether the sandbox runs: it does when nobody configured a site."""
    settings.data.mkdir(parents=True, exist_ok=True)
    if settings.site or (settings.site_file.exists() and not is_sandbox_site(settings.site_file)):
        open_site(settings)
        return False
    write_sandbox_site(
        settings.site_file.parent, sandbox_url=f"http://{HOST}:{sandbox_port}", public_url=f"http://{HOST}:{port}"
    )
    return True


def _prepare_database(settings: Settings, sandbox_url: str | None) -> None:
    """Bring it up to date; the sandbox's partners are registered in a private one."""
    parts = open_app(settings)
    migrate(parts.database)
    with parts.database.begin() as connection:
        sync_endpoints(connection, parts.vault, parts.site, parts.channels, clock.now())
        if sandbox_url:
            registry = Registry(connection, parts.vault, parts.reach, operator(), clock.now())
            register_partners(registry, settings.site_file.parent, sandbox_url)
    parts.database.close()


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise StateError(
                f"port {port} is taken", hint="stop what uses it, or choose others: --port, --sandbox-port"
            ) from None


def _greet(settings: Settings, port: int, sandbox_port: int | None) -> None:
    console.print(f"web      http://{HOST}:{port}/")
    console.print(f"kiosk    http://{HOST}:{port}/surfaces/kiosk")
    if sandbox_port:
        console.print(f"sandbox  http://{HOST}:{sandbox_port}/")
    console.print(f"logs     {settings.data / 'logs'}")
    console.print("\nCtrl-C stops everything. In another terminal:")
    console.print("  broadcaster apply FILE, then broadcaster approve SLUG --revision 1")
