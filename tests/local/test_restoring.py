"""A backup that somebody has changed is refused; and where it is let through, nothing in it runs a program."""

import asyncio
import io
import json
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from kit.key_ring import KeyRing
from kit.schema.migrations import migrator_connection
from kit.schema.roles import create_roles
from tests.support.stack import forget
from trellis import backup_seals, backups, migrating, restoring, settings
from trellis.credentials import SCHEMAS
from trellis.installation import Installation
from trellis.settings import LocalSettings

LENGTH = 2_000
PLACEHOLDER = "p" * LENGTH
HONEST = f"COMMENT ON TABLE academy.note IS '{PLACEHOLDER}';"
OTHER_KEY = "another key which has more than 32 characters"

VIEW = (
    "ALTER TABLE academy.alembic_version RENAME TO a; CREATE VIEW academy.alembic_version AS TABLE academy.a;"
    " CREATE FUNCTION academy.f() RETURNS trigger LANGUAGE plpgsql AS $$ begin return new; end $$;"
    " CREATE TRIGGER t INSTEAD OF INSERT ON academy.alembic_version FOR EACH ROW EXECUTE FUNCTION academy.f();"
)


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """A database of its own, with the tables of one service that a backup needs."""
    folder = Path(tempfile.mkdtemp(prefix="trellis-restoring-", dir="/tmp"))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TRELLIS_STATE_DIR", str(folder / "state"))
        made = Installation(LocalSettings.load())
        made.state.prepare()
        assert made.postgres is not None
        made.postgres.start()
        try:
            migrating.create_database(made)
            urls = [*settings.login_urls(made.program_settings), made.migrator_url]
            asyncio.run(create_roles(made.admin_url, SCHEMAS, urls))
            with psycopg.connect(made.admin_url) as connection:
                connection.execute("set role academy_owner")
                connection.execute("create table academy.alembic_version (version_num text)")
                connection.execute("insert into academy.alembic_version values ('0001')")
                connection.execute(
                    "create table academy.feed_epoch (epoch bigint, raised_at timestamptz, system_identifier text)"
                )
                connection.execute("insert into academy.feed_epoch values (1, now(), '')")
                connection.execute("create table academy.note (line text)")
                connection.execute("insert into academy.note values ('kept')")
                connection.execute(HONEST.encode())
            yield made
        finally:
            made.postgres.stop()
            forget(folder)


@pytest.fixture
def saved(installation: Installation, tmp_path: Path) -> Path:
    """A backup of it."""
    path = tmp_path / "whole.backup"
    backups.backup(installation, path)
    return path


def rewritten(path: Path, parts: dict[str, bytes | None]) -> Path:
    """The backup with other content in some of its parts, or without them."""
    changed = path.with_name(f"changed-{path.name}")
    with tarfile.open(path) as old, tarfile.open(changed, "w") as new:
        for entry in old:
            content = old.extractfile(entry)
            assert content is not None
            kept = parts.get(entry.name, content.read())
            if kept is None:
                continue
            entry.size = len(kept)
            new.addfile(entry, io.BytesIO(kept))
    return changed


def part(path: Path, name: str) -> bytes:
    """The content of one part."""
    with tarfile.open(path) as archive:
        found = archive.extractfile(name)
        assert found is not None
        return found.read()


def tampered(path: Path, statement: str) -> dict[str, bytes | None]:
    """A dump that runs another statement, and a manifest with its hash."""
    dump = part(path, "trellis.dump")
    assert dump.count(HONEST.encode()) == 1
    planted = dump.replace(HONEST.encode(), statement.ljust(len(HONEST)).encode())
    assert len(planted) == len(dump)
    with tempfile.NamedTemporaryFile() as file:
        file.write(planted)
        file.flush()
        manifest = {**json.loads(part(path, "manifest.json")), "sha256": backups._digest(Path(file.name))}
    return {"trellis.dump": planted, "manifest.json": json.dumps(manifest).encode()}


def notes(installation: Installation) -> list[str]:
    with psycopg.connect(installation.admin_url) as connection:
        return [line for (line,) in connection.execute("select line from academy.note")]


def restored(installation: Installation, path: Path, *, unauthenticated: bool = False) -> None:
    with backups.unpacked(installation, path, unauthenticated=unauthenticated) as unpacked:
        restoring.restore(installation, unpacked)


def test_a_backup_comes_back_by_a_login_without_rights(installation: Installation, saved: Path) -> None:
    with psycopg.connect(installation.admin_url) as connection:
        connection.execute("insert into academy.note values ('later')")
        before = connection.execute("select epoch from academy.feed_epoch").fetchone()
    restored(installation, saved)
    assert notes(installation) == ["kept"]
    with psycopg.connect(installation.admin_url) as connection:
        after = connection.execute("select epoch from academy.feed_epoch").fetchone()
        may = connection.execute(
            "select has_database_privilege('trellis_migrator', current_database(), 'create'), rolsuper"
            " from pg_roles where rolname = 'trellis_migrator'"
        ).fetchone()
    assert before is not None
    assert after == (before[0] + 1,)
    assert may == (False, False)


def test_a_renewed_hash_does_not_help(installation: Installation, saved: Path) -> None:
    changed = rewritten(saved, tampered(saved, "select 1;"))
    for flag in (False, True):
        with pytest.raises(backups.BackupFailed, match=r"was changed after it was made. It isn't restored"):
            restored(installation, changed, unauthenticated=flag)
    lost = rewritten(saved, {**tampered(saved, "select 1;"), "seal.json": None})
    with pytest.raises(backups.BackupFailed, match="has lost its seal"):
        restored(installation, lost, unauthenticated=True)
    empty = rewritten(saved, {"seal.json": b"{}"})
    with pytest.raises(backups.BackupFailed, match="a seal that says nothing"):
        restored(installation, empty, unauthenticated=True)


def test_deep_nesting_is_a_sentence(installation: Installation, saved: Path) -> None:
    sentences = {"manifest.json": "its manifest is nested too deeply", "seal.json": "a seal that says nothing"}
    for name, sentence in sentences.items():
        nested = rewritten(saved, {name: b"[" * 100_000})
        with pytest.raises(backups.BackupFailed, match=sentence):
            restored(installation, nested, unauthenticated=True)


def test_an_archive_of_another_shape_is_refused_whatever_is_said(installation: Installation, saved: Path) -> None:
    manifest = {**json.loads(part(saved, "manifest.json")), "format": 2}
    older = rewritten(saved, {"manifest.json": json.dumps(manifest).encode(), "seal.json": None})
    with tarfile.open(older, "a") as archive:
        archive.addfile(tarfile.TarInfo("trellis.dump"))
    with pytest.raises(backups.BackupFailed, match=r"holds 'trellis.dump' twice: `trellis backup` didn't write it so"):
        restored(installation, older, unauthenticated=True)
    strange = rewritten(saved, {"manifest.json": json.dumps({**manifest, "objects": [1]}).encode(), "seal.json": None})
    with pytest.raises(backups.BackupFailed, match="is not a backup of Trellis"):
        restored(installation, strange, unauthenticated=True)


def test_a_backup_takes_the_place_of_another_file_only_when_it_is_told_to(
    installation: Installation, tmp_path: Path
) -> None:
    path = tmp_path / "nightly.backup"
    path.write_text("an older one")
    with pytest.raises(backups.BackupFailed, match=r"already. `trellis backup --replace`"):
        backups.backup(installation, path)
    # One that appears while the backup is made.
    with pytest.raises(backups.BackupFailed, match="already"):
        backups._place(path, path, replace=False)
    assert path.read_text() == "an older one"
    backups.backup(installation, path, replace=True)
    restored(installation, path)
    assert [one.name for one in tmp_path.iterdir()] == ["nightly.backup"]
    link = tmp_path / "link.backup"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(backups.BackupFailed, match="already"):
        backups.backup(installation, link)


def test_a_backup_of_an_older_release_needs_a_word_of_consent(installation: Installation, saved: Path) -> None:
    manifest = {**json.loads(part(saved, "manifest.json")), "format": 2}
    older = rewritten(saved, {"manifest.json": json.dumps(manifest).encode(), "seal.json": None})
    with pytest.raises(backups.BackupFailed, match=r"older release, which didn't seal .* `--unauthenticated`"):
        restored(installation, older)
    restored(installation, older, unauthenticated=True)
    assert notes(installation) == ["kept"]


def test_a_backup_of_another_key_is_checked_with_that_key(
    installation: Installation, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = installation.program_settings["TRELLIS_SECRET_KEY"]
    monkeypatch.setenv("TRELLIS_SECRET_KEY", OTHER_KEY)
    elsewhere = Installation(LocalSettings.load())
    with pytest.raises(backups.BackupFailed, match="a TRELLIS_SECRET_KEY that isn't known here"):
        restored(elsewhere, saved)
    restored(elsewhere, saved, unauthenticated=True)
    monkeypatch.delenv("TRELLIS_SECRET_KEY")
    monkeypatch.setenv("TRELLIS_SECRET_KEYS", f"{OTHER_KEY},{ours}")
    restored(Installation(LocalSettings.load()), saved)


def planted(installation: Installation, saved: Path, statement: str) -> Path:
    """A dump that somebody has changed, sealed as if they had the key: what is left is who executes it."""
    parts = tampered(saved, statement)
    manifest = parts["manifest.json"]
    assert manifest is not None
    ring = KeyRing.of([installation.program_settings["TRELLIS_SECRET_KEY"]])
    return rewritten(saved, {**parts, "seal.json": backup_seals.seal_of(ring, manifest)})


@pytest.mark.parametrize(
    "statement",
    [
        "COPY academy.note FROM PROGRAM 'touch {file}';",
        "COPY academy.note TO PROGRAM 'touch {file}';",
        "RESET SESSION AUTHORIZATION; SET ROLE NONE; COPY academy.note FROM PROGRAM 'touch {file}';",
        "SET ROLE postgres; COPY academy.note FROM PROGRAM 'touch {file}';",
        "ALTER ROLE trellis_migrator SUPERUSER; COPY academy.note FROM PROGRAM 'touch {file}';",
        "COPY academy.note FROM '/etc/passwd';",
        "CREATE FUNCTION academy.c() RETURNS int LANGUAGE c AS 'libc.so.6', 'system';",
        "select 1;\n\\! touch {file}\n",
        "select 1;\n\\copy academy.note from program 'touch {file}'\n",
        "select 1;\n\\o | touch {file}\n",
    ],
)
def test_nothing_in_a_dump_runs(installation: Installation, saved: Path, tmp_path: Path, statement: str) -> None:
    file = Path(tempfile.gettempdir()) / f"trellis-ran-{tmp_path.name}"
    changed = planted(installation, saved, statement.format(file=file))
    with pytest.raises(backups.BackupFailed, match="nothing has changed"):
        restored(installation, changed)
    assert not file.exists()
    assert notes(installation) == ["kept"]


def test_what_a_dump_leaves_in_wait_does_not_run_in_the_migrations(
    installation: Installation, saved: Path, tmp_path: Path
) -> None:
    file = Path(tempfile.gettempdir()) / f"trellis-ran-{tmp_path.name}"
    trap = (
        "CREATE FUNCTION academy.trap() RETURNS trigger LANGUAGE plpgsql AS $$ begin"
        f" execute 'reset role'; execute 'copy academy.note from program ''touch {file}'''; return new; end $$;"
        " CREATE TRIGGER trap BEFORE UPDATE ON academy.alembic_version FOR EACH ROW EXECUTE FUNCTION academy.trap();"
    )
    restored(installation, planted(installation, saved, trap))
    update = "update academy.alembic_version set version_num = '0002'"
    with (
        pytest.raises(Exception, match="permission denied to COPY"),
        migrator_connection(installation.migrator_url) as connection,
    ):
        connection.exec_driver_sql(update)
    assert not file.exists()
    # As an administrator who has become another role it would have: the trap is a good one.
    with migrator_connection(installation.admin_url) as connection:
        connection.exec_driver_sql(update)
        connection.rollback()
    assert file.exists()
    file.unlink()
    restored(installation, saved)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("CREATE SCHEMA postgres; CREATE FUNCTION postgres.f() RETURNS int LANGUAGE sql AS 'select 1';", "postgres"),
        (
            VIEW,
            "academy.alembic_version",
        ),
    ],
)
def test_what_an_administrator_would_stumble_over_is_named(
    installation: Installation, saved: Path, statement: str, named: str
) -> None:
    with pytest.raises(backups.BackupFailed, match=f"holds {named}, which no backup of Trellis has"):
        restored(installation, planted(installation, saved, statement))
    with psycopg.connect(installation.admin_url) as connection:
        assert connection.execute("select 1 from pg_namespace where nspname = 'postgres'").fetchone() is None
    restored(installation, saved)
