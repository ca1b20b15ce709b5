"""`docker-compose.yml` against what the code really has: there is no Docker engine where these tests run."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer
from fastapi import FastAPI
from ruamel.yaml import YAML

from broadcaster.channels.registry import CHANNELS
from broadcaster.cli.main import app as cli
from broadcaster.settings import Settings
from broadcaster.site import read_site

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "worker", "control", "beat", "sandbox")
SITE = read_site(ROOT / "examples/site.yaml", CHANNELS)

each_of_ours = pytest.mark.parametrize("name", OURS)


def _command(name: str) -> list[str]:
    return [str(word) for word in SERVICES[name]["command"]]


def _option(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def _health(name: str) -> list[str]:
    """The words of a health check, as the container's shell or exec would see them."""
    kind, *words = SERVICES[name]["healthcheck"]["test"]
    return shlex.split(words[0].replace("$$", "$")) if kind == "CMD-SHELL" else [str(word) for word in words]


def _dockerfile() -> list[tuple[str, str]]:
    lines = COMPOSE["x-application"]["build"]["dockerfile_inline"].splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def _factory(name: str) -> str:
    return next(word for word in _command(name) if ":create" in word)


def test_it_has_the_processes_that_the_product_has() -> None:
    """Two stores, a migration that ends, and five processes that stay."""
    assert set(SERVICES) == {"postgres", "redis", *OURS}


@each_of_ours
def test_every_service_of_ours_runs_the_same_image(name: str) -> None:
    """One build, one environment, one site."""
    service = SERVICES[name]
    assert service["build"] == COMPOSE["x-application"]["build"]
    assert service["environment"] == COMPOSE["x-environment"]
    site, data = service["volumes"]
    assert site == "${SITE_FILE:-./examples/site.yaml}:/etc/broadcaster/site.yaml:ro"
    # One keyring for all of them: what one seals, another must open.
    assert data == f"data:{COMPOSE['x-environment']['BROADCASTER_DATA']}"


def test_variables_are_those_that_are_read() -> None:
    """The environment holds what Settings reads and the secrets that the site names, and nothing else."""
    named = [row.secret for slug in CHANNELS for row in SITE.providers(slug)] + [row.secret for row in SITE.operators]
    secrets = {secret.removeprefix("env:") for secret in named}
    addresses = {"database_url": "DATABASE_URL", "redis_url": "REDIS_URL"}
    read = {addresses.get(name, f"BROADCASTER_{name.upper()}") for name in Settings.model_fields}
    given = set(COMPOSE["x-environment"])
    assert given - secrets <= read - {"BROADCASTER_REHEARSAL"}
    assert secrets <= given
    assert {"DATABASE_URL", "REDIS_URL"} <= given


def test_no_secret_has_a_default() -> None:
    """A start without a password or secret fails instead of using one that everybody knows."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    used = re.findall(r"\$\{(\w*(?:SECRET|PASSWORD))([^}]*)\}", text)
    assert used
    assert [name for name, rest in used if not rest.startswith(":?")] == []


def test_addresses_name_services() -> None:
    """Database, broker, public address and providers are services of this file, at the ports on which they listen."""
    environment = COMPOSE["x-environment"]
    database = re.sub(r"\$\{[^}]*\}", "password", environment["DATABASE_URL"])
    known = {("postgres", 5432), ("redis", 6379)}
    known |= {(name, int(_option(_command(name), "--port"))) for name in ("web", "sandbox")}
    urls = [database, environment["REDIS_URL"], SITE.public_url]
    urls += [row.url for slug in CHANNELS for row in SITE.providers(slug)]
    urls += [row.url for row in SITE.operators]
    assert {(urlsplit(url).hostname, urlsplit(url).port) for url in urls} == known


def test_database_is_the_one_that_postgres_makes() -> None:
    """User and database of the address are those that the image creates."""
    made = SERVICES["postgres"]["environment"]
    address = COMPOSE["x-environment"]["DATABASE_URL"]
    assert address.startswith(f"postgresql://{made['POSTGRES_USER']}:")
    assert address.endswith(f"/{made['POSTGRES_DB']}")


@pytest.mark.parametrize("channel", CHANNELS)
def test_site_points_at_the_sandbox(channel: str) -> None:
    """Each provider's URL is the address under which the sandbox has its stand-in."""
    for row in SITE.providers(channel):
        assert urlsplit(row.url).path == f"/{channel}/{row.name}"


def test_operators_are_at_the_sandbox() -> None:
    """Their webhooks have stand-ins as well."""
    assert [urlsplit(row.url).path for row in SITE.operators] == ["/operators/duty-desk"]


def test_migration_is_a_command() -> None:
    """`broadcaster migrate` exists and nothing starts before it has ended well."""
    program, command = _command("migrate")
    group = typer.main.get_command(cli)
    assert program == "broadcaster"
    assert command in group.commands  # type: ignore[attr-defined]  # click's type of a group's commands is not exported
    for name in ("web", "worker", "control", "beat"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", ["web", "sandbox"])
def test_servers_run_factories_that_exist(name: str) -> None:
    """uvicorn gets a function without parameters that gives an application."""
    module, _, function = _factory(name).partition(":")
    create = getattr(importlib.import_module(module), function)
    assert _command(name)[:2] == ["uvicorn", "--factory"]
    assert create.__annotations__["return"] in (FastAPI, "FastAPI")


@pytest.mark.parametrize("name", ["web", "sandbox"])
def test_servers_are_asked_at_a_route_that_they_have(name: str) -> None:
    """The health check asks the port of the command at an address that the module serves."""
    url = re.search(r"http://[^']+", _health(name)[-1])
    assert url
    asked = urlsplit(url[0])
    assert asked.port == int(_option(_command(name), "--port"))
    spec = importlib.util.find_spec(_factory(name).partition(":")[0])
    assert spec
    assert spec.origin
    assert f'.get("{asked.path}")' in Path(spec.origin).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["web", "sandbox"])
def test_servers_are_open_to_this_machine_only(name: str) -> None:
    """Whoever wants them seen from outside puts a proxy in front."""
    port = _option(_command(name), "--port")
    assert SERVICES[name]["ports"] == [f"127.0.0.1:{port}:{port}"]


@pytest.mark.parametrize("name", ["worker", "control", "beat"])
def test_workers_run_our_celery_application(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-A workers.app` is importable and holds the tasks of both queues."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:6379/0")
    from workers.app import app

    app.loader.import_default_modules()
    assert _option(_command(name), "-A") == "workers.app"
    assert {"control.tick", "delivery.deliver_batch"} <= set(app.tasks)


@pytest.mark.parametrize(("name", "queues"), [("worker", ("DELIVERY", "CORRECTION")), ("control", ("CONTROL",))])
def test_each_queue_has_its_worker(name: str, queues: tuple[str, ...]) -> None:
    """Queues and node name are those of `workers.queues`, and the health check pings that node."""
    module = importlib.import_module("workers.queues")
    wanted = [getattr(module, queue) for queue in queues]
    assert _option(_command(name), "-Q") == ",".join(wanted)
    assert _option(_command(name), "-n") == f"{wanted[0]}@%h"
    health = _health(name)
    assert health[:5] == ["celery", "-A", "workers.app", "inspect", "ping"]
    assert _option(health, "-d") == f"{wanted[0]}@$(hostname)"


def test_beat_is_asked_by_a_module_that_exists() -> None:
    """`python -m workers.health` can be run."""
    program, flag, module = _health("beat")
    assert (program, flag) == ("python", "-m")
    spec = importlib.util.find_spec(module)
    assert spec
    assert spec.origin
    assert '__name__ == "__main__"' in Path(spec.origin).read_text(encoding="utf-8")


def test_stores_are_asked_by_their_own_clients() -> None:
    """Postgres and Redis are waited for until they answer."""
    assert _health("postgres")[0] == "pg_isready"
    assert _health("redis") == ["redis-cli", "ping"]
    for name in ("worker", "control", "beat"):
        assert SERVICES[name]["depends_on"]["redis"] == {"condition": "service_healthy"}
    assert SERVICES["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}


def test_redis_refuses_rather_than_evicts() -> None:
    """A full Redis must not drop queued messages in silence."""
    assert _option([str(word) for word in SERVICES["redis"]["command"]], "--maxmemory-policy") == "noeviction"


def test_image_is_built_from_what_is_there() -> None:
    """Every copied path exists, and what is installed is hash-locked."""
    copied = [path for word, rest in _dockerfile() if word == "COPY" for path in rest.split()[:-1]]
    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert {"broadcaster", "workers", "templates"} <= set(copied)
    runs = [rest for word, rest in _dockerfile() if word == "RUN" and rest.startswith("pip")]
    assert "--require-hashes -r requirements/run.txt" in runs[0]
    assert "--no-deps" in runs[1]


def test_image_does_not_run_as_root() -> None:
    """The last user of the image is an ordinary one, on a read-only file system."""
    users = [rest for word, rest in _dockerfile() if word == "USER"]
    assert users[-1] == "broadcaster"
    assert COMPOSE["x-application"]["read_only"] is True


def test_image_has_the_python_that_we_support() -> None:
    """The base image's Python is one that the lock was made for."""
    assert ("FROM", "python:3.11-slim") in _dockerfile()
