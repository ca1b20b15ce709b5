"""The rules of the house that no type checker knows: who may import whom, one slug a channel, thin tasks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.channels.registry import CHANNELS
from broadcaster.planning.phase import Phase
from tests.support.examples import ROOT
from workers import control, delivery
from workers.app import app

FOLDER = ROOT / "broadcaster/channels"
LANGUAGES = ("zh-Hans", "en")
NO_CHANNEL = {"gallery", "report"}
"""Template folders of pages that show messages of all channels."""
LONGEST_TASK = 10


def modules(*folders: str) -> list[Path]:
    """The Python files under folders of the repository."""
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def calls(path: Path) -> Iterator[ast.Call]:
    """Every call in a file."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


def tree(path: Path) -> ast.Module:
    """A file's syntax."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def inside(path: Path) -> str:
    """A path as the repository knows it."""
    return str(path.relative_to(ROOT))


def test_imports_keep_to_the_layers() -> None:
    """Later stages import earlier ones, rules import no I/O, and jinja2 is used in rendering only."""
    linter = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("slug", CHANNELS)
@pytest.mark.parametrize("name", ["adapter.py", "message.py", "simulator.py", "README.md"])
def test_a_channel_has_its_folder(slug: str, name: str) -> None:
    """The slug of the registry is the folder's name, and a newcomer finds the same four files in each."""
    assert (FOLDER / slug / name).is_file()


def test_every_channel_folder_is_registered() -> None:
    """No folder is forgotten."""
    assert {path.name for path in FOLDER.iterdir() if (path / "adapter.py").exists()} == set(CHANNELS)


@pytest.mark.parametrize("slug", CHANNELS)
def test_a_channel_knows_no_other(slug: str) -> None:
    """What two channels share stands beside their folders, not in one of them."""
    others = {f"broadcaster.channels.{other}" for other in CHANNELS if other != slug}
    imported = {
        node.module or ""
        for path in (FOLDER / slug).glob("*.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom)
    }
    assert not {module for module in imported if others & {module, ".".join(module.split(".")[:3])}}


@pytest.mark.parametrize("slug", CHANNELS)
def test_a_channel_has_a_template_for_every_phase_and_language(slug: str) -> None:
    """Whatever happens, there are words for it."""
    extension = CHANNELS[slug].spec.extension
    wanted = {f"{phase}.{language}.{extension}.j2" for phase in Phase for language in LANGUAGES}
    present = {path.name for path in (ROOT / "templates" / slug).iterdir() if not path.name.startswith("_")}
    assert present == wanted


def test_every_template_folder_belongs_to_a_channel() -> None:
    """One slug names a channel everywhere."""
    folders = {path.name for path in (ROOT / "templates").iterdir() if path.is_dir()}
    assert folders - NO_CHANNEL == set(CHANNELS)


def test_nothing_asks_which_channel_it_is() -> None:
    """What differs between channels is data of theirs; no comparison with a slug stands anywhere."""
    found = [
        f"{inside(path)}:{node.lineno}"
        for path in modules("broadcaster", "workers")
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.Compare, ast.MatchValue)) and _names_a_channel(node)
    ]
    assert found == []


def _names_a_channel(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Constant) and part.value in CHANNELS for part in ast.walk(node))


def test_no_task_has_a_due_time_of_its_own() -> None:
    """A long countdown is lost with Redis and repeated after the visibility timeout: due times are rows."""
    found = [
        f"{inside(path)}:{call.lineno}"
        for path in modules("broadcaster", "workers")
        for call in calls(path)
        if {"eta", "countdown"} & {str(keyword.arg) for keyword in call.keywords}
    ]
    assert found == []


def test_nobody_prints() -> None:
    """Logs are structured, and the terminal belongs to the console."""
    paths = modules("broadcaster", "workers")
    assert [inside(path) for path in paths for call in calls(path) if ast.unparse(call.func) == "print"] == []


def test_time_is_asked_of_the_clock_only() -> None:
    """Campaign time can be moved; a `now()` of the standard library could not."""
    wrong = re.compile(r"(datetime|date)\.(now|utcnow|today)$|time\.time$")
    found = [
        f"{inside(path)}:{call.lineno}"
        for path in modules("broadcaster", "workers")
        if inside(path) != "broadcaster/clock.py"
        for call in calls(path)
        if wrong.search(ast.unparse(call.func))
    ]
    assert found == []


def test_celery_tasks_are_thin() -> None:
    """Fetch the id, call the service."""
    tasks = [
        node
        for module in (control, delivery)
        for node in ast.walk(tree(Path(str(module.__file__))))
        if isinstance(node, ast.FunctionDef) and node.decorator_list
    ]
    assert tasks
    assert {task.name: _lines(task) for task in tasks if _lines(task) > LONGEST_TASK} == {}


def _lines(task: ast.FunctionDef) -> int:
    body = task.body[1:] if ast.get_docstring(task) else task.body
    return (task.body[-1].end_lineno or 0) - body[0].lineno + 1


def test_every_task_has_its_queue_by_route() -> None:
    """No task falls onto a queue that nobody works on."""
    names = [name for name in app.tasks if not name.startswith("celery.")]
    queues = {name: app.amqp.router.route({}, name)["queue"].name for name in names}
    assert {name.partition(".")[0] for name in names} == {"control", "correction", "delivery"}
    assert all(queue == name.partition(".")[0] for name, queue in queues.items())


def test_beat_asks_for_tasks_that_are_there_and_that_expire() -> None:
    """A tick that comes too late is not wanted."""
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in app.tasks
        assert entry["options"]["expires"] <= 60


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_the_locks_name_no_address(name: str) -> None:
    """Hashes say what is installed; where it comes from is each machine's own."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert "--hash=sha256:" in text
    assert re.findall(r"\w+://\S+|--index-url|--find-links", text) == []


def test_every_waiver_names_its_rule() -> None:
    """A bare `noqa` or `type: ignore` would silence what nobody thought of."""
    bare = re.compile(r"# noqa(?!: [A-Z]+\d)|# type: ignore(?!\[)")
    paths = modules("broadcaster", "workers", "tests")
    assert [inside(path) for path in paths if bare.search(path.read_text("utf-8")) and path != Path(__file__)] == []
