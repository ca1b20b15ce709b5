"""The wheel: what a stranger installs works without the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from broadcaster.embedded import discard
from tests.support.cli import LONGEST, Ran
from tests.support.databases import only_one
from tests.support.examples import EXAMPLE, ROOT


@pytest.fixture(scope="session")
def wheel(shared: Path) -> Path:
    """The wheel, built once from a copy of what the repository holds."""
    out = shared / "wheel"
    with only_one(shared, "wheel"):
        if not list(out.glob("*.whl")):
            arguments: list[str | Path] = [
                "wheel",
                "--no-deps",
                "--no-build-isolation",
                "--no-index",
                "--wheel-dir",
                out,
                ROOT,
            ]
            subprocess.run([sys.executable, "-m", "pip", "-q", *arguments], check=True, cwd=shared)
    [found] = out.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with the wheel in it; its dependencies are lent by ours."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False)
    python = home / "bin/python"
    target: list[str | Path] = ["--prefix", home, "--ignore-installed"]
    arguments: list[str | Path] = ["install", "--no-index", "--no-deps", "--no-warn-script-location", *target, wheel]
    subprocess.run([sys.executable, "-m", "pip", "-q", *arguments], check=True)
    packages = next((home / "lib").glob("python*/site-packages"))
    # A path file of its own, read after the folder it lies in: the wheel's own packages come first.
    (packages / "lent.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    program = home / "bin/broadcaster"
    lines = program.read_text(encoding="utf-8").splitlines()
    program.write_text("\n".join([f"#!{python}", *lines[1:]]) + "\n", encoding="utf-8")
    return home / "bin"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with a copy of the example and nothing else of the repository."""
    shutil.copy(EXAMPLE, tmp_path / "announcement.yaml")
    return tmp_path


def run(program: Path, *arguments: str, cwd: Path) -> Ran:
    """Run a program of the installed environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BROADCASTER"))}
    found = subprocess.run(
        [program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
    )
    return Ran(found.returncode, found.stdout, found.stderr)


def test_the_wheel_holds_everything_that_is_read_at_run_time(wheel: Path) -> None:
    """Templates, migrations, pages and scripts are in it; tests and examples are not."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = {
        "_templates": "templates",
        "web/static": "broadcaster/web/static",
        "sandbox/static": "broadcaster/sandbox/static",
    }
    for inside, folder in wanted.items():
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
        assert files
        assert {f"broadcaster/{inside}/{path.relative_to(ROOT / folder)}" for path in files} <= names
    assert "broadcaster/storage/migrations/versions/0001_first_tables.py" in names
    assert "workers/app.py" in names
    assert [name for name in names if name.startswith(("tests/", "examples/", "bench/"))] == []


def test_the_installed_package_is_the_one_that_runs(installed: Path, elsewhere: Path) -> None:
    """Not the repository's."""
    ran = run(installed / "python", "-c", "import broadcaster, workers; print(broadcaster.__file__)", cwd=elsewhere)
    assert Path(ran.out.strip()).is_relative_to(installed.parent), ran


def test_an_installed_check_finds_its_templates(installed: Path, elsewhere: Path) -> None:
    """Every message is rendered and fits."""
    ran = run(installed / "broadcaster", "check", "announcement.yaml", cwd=elsewhere)
    assert ran.code == 0, ran
    assert "80 messages, everything fits" in ran.out


def test_an_installed_render_writes_the_gallery(installed: Path, elsewhere: Path) -> None:
    """Each message a file, and a page with all of them."""
    ran = run(installed / "broadcaster", "render", "announcement.yaml", "--out", "gallery", cwd=elsewhere)
    assert ran.code == 0, ran
    assert (elsewhere / "gallery/index.html").is_file()


@pytest.mark.rehearsal
@pytest.mark.timeout(600)
def test_an_installed_rehearsal_runs(installed: Path, elsewhere: Path) -> None:
    """Migrations, workers, web application and sandbox all start from the wheel."""
    (elsewhere / "script.yaml").write_text("- {at: 2022-02-18 10:30, do: cancel}\n", encoding="utf-8")
    arguments = ("announcement.yaml", "--data", "rehearsal", "--recipients", "100", "--script", "script.yaml")
    ran = run(installed / "broadcaster", "rehearse", *arguments, cwd=elsewhere)
    discard(elsewhere / "rehearsal")
    assert ran.code == 0, ran
    assert "consistent" in ran.out
