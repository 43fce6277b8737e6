"""Installations in awkward places, sudden ends, and a backup that moves to another machine."""

import hashlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from kit.objects.folder import FolderStore
from kit.objects.keys import ObjectKey
from tests.support.stack import Stack, forget, processes_of
from tests.support.tokens import PROSPERE
from trellis import places
from trellis.processes import Identity

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path that every user may enter."""
    made = Path(tempfile.mkdtemp(prefix="trellis-journey-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    forget(made)


def test_mistyped_setting_stops_nothing(stack: Stack) -> None:
    before = stack.status()
    wrong = Stack(stack.state.parent, port=stack.port, environment={"TRELLIS_CORS_ORIGINS": "http://a.b"})
    refused = wrong.cli("up", check=False)
    assert refused.returncode == 1
    assert "TRELLIS_CORS_ORIGINS: this is no JSON list. For example: " in refused.stderr
    assert "Traceback" not in refused.stderr
    after = stack.status()
    assert [one["pid"] for one in after["programs"]] == [one["pid"] for one in before["programs"]]
    assert after["ready"]


def somebody_else() -> tuple[int | None, str]:
    """An unprivileged user and an interpreter that it can run; this one where that can't be."""
    if not places.is_root():
        return None, sys.executable
    account = places.unprivileged_account()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for interpreter in (sys.executable, f"/usr/bin/python{version}", f"/usr/local/bin/python{version}"):
        try:
            asked = subprocess.run(
                [interpreter, "-P", "-c", "import trellis.cli"],
                env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                user=account.uid,
                group=account.uid,
                extra_groups=[],
                cwd="/",
                check=False,
                capture_output=True,
            )
        except OSError:
            continue
        if asked.returncode == 0:
            return account.uid, interpreter
    return None, sys.executable


def test_an_ordinary_user_in_a_deep_folder(folder: Path) -> None:
    user, interpreter = somebody_else()
    deep = folder / ("d" * 120)
    deep.mkdir()
    if user is not None:
        os.chown(deep, user, user)
    stack = Stack(
        deep,
        demo=False,
        interpreter=[interpreter],
        user=user,
        environment={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", stack.port))
        taken.listen()
        refused = stack.cli("up", "--no-demo", check=False)
    assert refused.returncode == 1
    assert f"Port {stack.port} on 127.0.0.1 is taken by" in refused.stderr
    assert not processes_of(deep)

    # Its output is a pipe that nobody else may keep open, or this would never end.
    stack.start()
    assert httpx.get(f"{stack.url}/healthz").status_code == 200
    assert stack.token("status-reader")
    pids = {name: stack.program(name)["pid"] for name in ("postgres", "academy", "envoy")}
    if user is not None:
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in pids.values()} == {user}

    # Where both watching processes are killed at once, programs are left behind; the next `up` replaces them.
    watching = [Identity.read(stack.state / "run" / f"{name}.pid") for name in ("watcher", "supervisor")]
    for process in watching:
        assert process is not None
        process.send(signal.SIGKILL)
    for process in watching:
        assert process is not None
        assert process.wait(5)
    assert httpx.get(f"{stack.url}/healthz").status_code == 200
    assert not stack.status()["ready"]
    assert "The supervising process is gone" in stack.cli("status", check=False).stdout
    stack.start()
    assert stack.status()["ready"]
    assert stack.program("academy")["pid"] != pids["academy"]
    assert len([command for command in processes_of(deep) if "envoy --config-path" in command]) == 1

    stack.cli("down")
    assert not processes_of(deep)
    assert "Nothing was running" in stack.cli("down").stdout
    assert stack.status() == {
        "ready": False,
        "url": stack.url,
        "state_dir": str(stack.state),
        "programs": [],
    }


def feed_of(stack: Stack, after: str | None = None) -> httpx.Response:
    """A page of the academy's change feed."""
    with stack.client("chief-executive") as chief:
        return chief.get("/academy/v1/events", params={"limit": 500, **({"after": after} if after else {})})


def place_in(folder: Path, key: ObjectKey, content: bytes) -> None:
    """Put a file where the object store has it."""
    store = FolderStore(folder)
    with tempfile.NamedTemporaryFile(dir=store.incoming, delete=False) as file:
        file.write(content)
        store.place(key, file)


def with_renewed_hash(saved: Path, changed: Path) -> Path:
    """A backup whose dump somebody has changed, with the hash of what it is now."""
    with tarfile.open(saved) as old, tarfile.open(changed, "w") as new:
        parts = {entry.name: old.extractfile(entry) for entry in old if entry.isreg()}
        contents = {name: file.read() for name, file in parts.items() if file is not None}
        contents["trellis.dump"] = contents["trellis.dump"].replace(b"COMMENT", b"commenT", 1)
        manifest = json.loads(contents["manifest.json"])
        manifest["sha256"] = hashlib.sha256(contents["trellis.dump"]).hexdigest()
        contents["manifest.json"] = json.dumps(manifest).encode()
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            new.addfile(entry, io.BytesIO(content))
    return changed


MOMENTS = (("stopped", signal.SIGTERM), ("psql", signal.SIGINT))
"""When a restore is ended: what ran has just been stopped, or a program works for it."""


def runs_for(stack: Stack, words: str) -> bool:
    """Whether a process with these words in its command works for this installation."""
    return any(words in command for command in processes_of(stack.state))


def end_on_its_way(stack: Stack, saved: Path, moment: str, number: signal.Signals) -> None:
    """End a restore at a moment of it, with a signal that comes twice: what ran is started again."""
    academy = stack.program("academy")["pid"]
    command = [sys.executable, "-P", "-m", "trellis.cli", "restore", "--replace", str(saved)]
    restoring = subprocess.Popen(command, env=stack.environment, cwd="/", stdout=subprocess.DEVNULL)
    while psutil.pid_exists(academy) if moment == "stopped" else not runs_for(stack, moment):
        assert restoring.poll() is None
        time.sleep(0.02)
    restoring.send_signal(number)
    time.sleep(0.2)
    restoring.send_signal(number)
    assert restoring.wait(120) == 128 + number
    assert stack.status()["ready"]


@pytest.mark.timeout(600)
def test_a_backup_is_restored_elsewhere_with_its_feed(stack: Stack, folder: Path) -> None:
    saved = folder / "trellis.backup"
    key = ObjectKey("academy", PROSPERE, hashlib.sha256(b"minutes").hexdigest())
    place_in(stack.state / "objects", key, b"minutes")
    said = stack.cli("backup", str(saved)).stdout
    assert "Keep that key too" in said
    # This one, and what other tests of this installation may have sent.
    files = re.search(r"(\d+) files that people sent are in it", said)
    assert files is not None
    assert int(files[1]) >= 1
    assert saved.stat().st_mode & 0o077 == 0
    there = feed_of(stack).json()
    with stack.client("status-reader") as reader:
        statuses = reader.get("/academy/v1/rag-statuses").json()["items"]

    # What runs isn't stopped for what is refused.
    damaged = bytearray(saved.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    (folder / "damaged.backup").write_bytes(damaged)
    ran = stack.program("academy")["pid"]
    changed = with_renewed_hash(saved, folder / "changed.backup")
    for file, said in (
        (folder / "damaged.backup", "damaged"),
        (changed, "was changed after it was made. It isn't restored."),
        (saved, "--replace"),
    ):
        refused = stack.cli("restore", str(file), check=False)
        assert refused.returncode == 1
        assert said in refused.stderr
    assert stack.program("academy")["pid"] == ran

    home = folder / "home"
    home.mkdir(mode=0o700)
    other = Stack(home, demo=False)
    refused = other.cli("restore", str(saved), check=False)
    assert refused.returncode == 1
    assert "under a TRELLIS_SECRET_KEY that isn't known here" in refused.stderr
    assert "another TRELLIS_SECRET_KEY" in other.cli("restore", "--unauthenticated", str(saved)).stdout
    assert (other.state / "objects" / key.path).read_bytes() == b"minutes"
    # New keys can be had before anything runs.
    assert "signing" in other.cli("keys", "list").stdout

    secret = (stack.state / "credentials.json").read_text().split('"secret_key": "')[1].split('"')[0]
    other.environment["TRELLIS_SECRET_KEY"] = secret
    with other:
        with other.client("status-reader") as reader:
            restored = reader.get("/academy/v1/rag-statuses").json()["items"]
        assert [(one["urn"], one["status"], one["rating_id"]) for one in restored] == [
            (one["urn"], one["status"], one["rating_id"]) for one in statuses
        ]
        here = feed_of(other).json()
        assert [event["id"] for event in here["items"]] == [event["id"] for event in there["items"]]
        # A cursor of the first cluster means nothing here.
        assert feed_of(other, there["next"]).status_code == 410
        assert home.stat().st_mode & 0o777 == 0o700
        # Nor does one that was given after the first restore, once the same backup was restored again.
        other.cli("restore", "--replace", str(saved))
        again = feed_of(other, here["next"])
        assert again.status_code == 410, again.text
        for moment, number in MOMENTS:
            end_on_its_way(other, saved, moment, number)
        assert not [command for command in processes_of(home) if "psql" in command or "pg_restore" in command]
        with other.client("status-reader") as reader:
            board = reader.get("/academy/v1/rag-statuses")
            assert board.status_code == 200, board.text
            assert len(board.json()["items"]) == len(statuses)
