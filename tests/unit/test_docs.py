"""What the documentation says is there, is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from broadcaster.channels.registry import CHANNELS
from broadcaster.cli.main import app
from broadcaster.planning.asking import AskOwner
from broadcaster.planning.phase import Phase
from broadcaster.planning.policy import DEFAULT_CHANNELS, DaysBefore, Immediate, Periodic, Policy
from broadcaster.planning.precautions import Levels, MinimumNotice, Precautions
from broadcaster.planning.proposal import read
from broadcaster.rehearsal.script import read_script
from broadcaster.settings import Settings
from broadcaster.site import (
    BreakerConfig,
    CanaryConfig,
    ChannelConfig,
    OperatorConfig,
    PaceConfig,
    ProviderConfig,
    QuotaConfig,
    Site,
    read_site,
)
from tests.builders import example

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLE = ROOT / "examples/qingdao-2022/announcement.yaml"
POLICY_MODELS = [Policy, Immediate, DaysBefore, Periodic, Precautions, MinimumNotice, Levels, AskOwner]
SITE_MODELS = [
    *(Site, ChannelConfig, ProviderConfig, PaceConfig, QuotaConfig, BreakerConfig, CanaryConfig),
    OperatorConfig,
]
CONFIGURED = [slug for slug, channel in CHANNELS.items() if not channel.registered]
PAGES = sorted(
    [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "broadcaster").rglob("*.md")],
)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def _prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def _links(page: Path) -> Iterator[str]:
    for target in _LINK.findall(_prose(page)):
        if "://" not in target:
            yield target


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, made the way GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def _commands() -> dict[str, Any]:
    """Every command by its full name, as click has it."""
    return dict(_named(typer.main.get_command(app), ""))


def _named(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, one in inner.items():
        yield from _named(one, f"{name} {word}".strip())


def _variables() -> set[str]:
    """Every environment variable that Settings reads."""
    addresses = {"database_url": "DATABASE_URL", "redis_url": "REDIS_URL"}
    return {addresses.get(name, f"BROADCASTER_{name.upper()}") for name in Settings.model_fields}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    """A link to a file of the repository names one that exists, and a heading that it has."""
    for link in _links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(ROOT), f"{link} leads out of the repository"
        if anchor:
            assert anchor in _anchors(target), f"{link}: no such heading"


def test_every_page_is_reached_from_the_readme() -> None:
    """Nobody has to know of a page to find it."""
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        linked = {(page.parent / link.partition("#")[0]).resolve() for link in _links(page)}
        waiting += [target for target in linked - reached if target.suffix == ".md"]
    assert set(PAGES) <= reached


def test_pictures_load_fast() -> None:
    """No picture has more than 400 kB, and each is shown somewhere."""
    shown = {(page.parent / link).resolve() for page in PAGES for link in _links(page)}
    for picture in (DOCS / "pictures").iterdir():
        assert picture.stat().st_size <= 400_000
        assert picture in shown


def test_cli_page_has_every_command_and_no_other() -> None:
    """`docs/cli.md` has one heading a command."""
    headings = re.findall(r"^### `(.+)`$", (DOCS / "cli.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(_commands())


def test_cli_page_has_every_option_and_no_other() -> None:
    """A command's part of `docs/cli.md` names its options."""
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    parts = re.split(r"^### `(.+)`$", text, flags=re.MULTILINE)
    commands = _commands()
    for name, part in zip(parts[1::2], parts[2::2], strict=True):
        own = re.split(r"^## ", part, flags=re.MULTILINE)[0]
        named = set(re.findall(r"--[a-z][a-z-]*", own))
        options = {long for option in commands[name].params for long in option.opts if long.startswith("--")}
        assert named == options, name


def test_pages_run_commands_that_exist() -> None:
    """Every `broadcaster …` in a page's console block is a command."""
    known = {name.split()[0] for name in _commands()}
    for page in PAGES:
        for block in re.findall(r"^```console\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            lines = re.findall(r"^\$ .*$", block, re.MULTILINE)
            used = {word for line in lines for word in re.findall(r"broadcaster ([a-z]+)", line)}
            assert used <= known, page


def test_pages_make_targets_that_exist() -> None:
    """Every `make …` of the pages is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        used = set(re.findall(r"(?:`|^\$ )make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert used <= targets, page


@pytest.mark.parametrize("model", SITE_MODELS, ids=lambda model: model.__name__)
def test_site_page_names_every_field(model: type[BaseModel]) -> None:
    """`docs/site.md` explains each field of the site's configuration."""
    text = (DOCS / "site.md").read_text(encoding="utf-8")
    assert [name for name in model.model_fields if f"`{name}`" not in text] == []


@pytest.mark.parametrize("model", POLICY_MODELS, ids=lambda model: model.__name__)
def test_policy_page_names_every_field(model: type[BaseModel]) -> None:
    """`docs/policy.md` shows or explains each field of the policy."""
    text = (DOCS / "policy.md").read_text(encoding="utf-8")
    assert [name for name in model.model_fields if f"`{name}`" not in text and f"{name}:" not in text] == []


def test_operations_page_names_every_variable() -> None:
    """`docs/operations.md` lists the environment variables that Settings reads, and no other of ours."""
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE)
    assert sorted(table) == sorted(_variables())


def test_design_page_names_every_phase() -> None:
    """The vocabulary of `docs/design.md` is that of the code."""
    text = (DOCS / "design.md").read_text(encoding="utf-8")
    assert [phase for phase in Phase if f"`{phase}`" not in text] == []


@pytest.mark.parametrize("slug", CONFIGURED)
def test_channel_readme_tells_its_own_callback(slug: str) -> None:
    """A channel's README names its event, its callback address and how to configure it."""
    text = (ROOT / "broadcaster/channels" / slug / "README.md").read_text(encoding="utf-8")
    assert f"/callbacks/{slug}/<provider>" in text
    assert f"channels:\n  {slug}:\n" in text


def test_example_site_is_one() -> None:
    """`examples/site.yaml` is read without a complaint and has the providers of the default policy's channels."""
    site = read_site(ROOT / "examples/site.yaml", CHANNELS)
    configured = [slug for slug in DEFAULT_CHANNELS if not CHANNELS[slug].registered]
    assert [slug for slug in configured if not site.providers(slug)] == []


@pytest.mark.parametrize("path", sorted(EXAMPLE.parent.glob("script-*.yaml")), ids=lambda path: path.stem)
def test_example_scripts_are_ones(path: Path) -> None:
    """Each script of the example has an act, after the notice was published."""
    announcement = read(EXAMPLE, CHANNELS).announcement
    acts = read_script(path, announcement).acts
    assert acts
    assert acts[0].at > announcement.window.start - timedelta(days=8)


def test_every_access_point_of_the_example_is_in_the_table_of_channels() -> None:
    """And the table names none that the example does not."""
    page = (DOCS / "channels.md").read_text(encoding="utf-8").partition("## Every access point")[2]
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    named = [row.split("`")[1] for row in rows]
    assert named == [point.id for point in example().announcement.access_points]
