"""`trellis backup` and `trellis restore`, in a process of their own (`python -m trellis.backing_up`)."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

import psycopg

from trellis import backup_objects, backups, launching, restoring
from trellis.demo import loading
from trellis.installation import Installation, find_running
from trellis.migrating import create_database
from trellis.postgres import PostgresFailed
from trellis.reports import report_of

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _end(number: int, _frame: FrameType | None) -> None:
    """A signal that ends us is an exception: what was stopped is started again, and nothing goes on without us."""
    _finish_whatever_comes()
    raise SystemExit(128 + number)


def _finish_whatever_comes() -> None:
    """From here on signals change nothing. They are handled, not ignored: programs that we start would inherit that."""
    for number in ENDING:
        signal.signal(number, lambda _number, _frame: None)


UNAUTHENTICATED = """\
Nobody can know whether somebody has changed this backup. Who could write to the file may have put into it:
- people, clients with a secret that they know, and any grant for them, in every trust;
- a key of theirs, so that tokens which they sign themselves count;
- any figure, rating, event and file, and jobs that wait to be run;
- functions and triggers, which run in the database with the rights of the services, now and later.
They can't run a program on this machine, read its files, or read other databases.
When it is restored: run `trellis keys revoke-all`, and compare clients, grants and people with what you know."""


def back_up(installation: Installation, path: Path, *, replace: bool) -> None:
    """Write the backup, with the database started for it if need be."""
    started = launching.start_database(installation)
    try:
        manifest = backups.backup(installation, path, replace=replace)
    finally:
        if started and installation.postgres is not None:
            installation.postgres.stop()
    print(f"{path}: {', '.join(manifest['revisions'])}, as of {manifest['made_at']}")
    if manifest["objects"] is None:
        print(f"The files that people sent are not in it: they lie in {installation.settings.object_store}.")
    else:
        print(f"{manifest['objects']['count']} files that people sent are in it.")
    print(
        "The keys that sign tokens are in it, encrypted with TRELLIS_SECRET_KEY, and it is sealed with that key: "
        "without it nobody can check whether it was changed. Keep that key too, in another place: "
        + (
            "it is the one in your environment."
            if installation.settings.secret_key or installation.settings.secret_keys
            else f"it stands in {installation.state.credentials}."
        )
    )


def put_back(installation: Installation, path: Path, *, replace: bool, unauthenticated: bool) -> None:
    """Restore while nothing runs but the database, then start what ran, however it went.

    What can be refused is refused before anything is stopped.
    """
    if unauthenticated:
        print(UNAUTHENTICATED, file=sys.stderr, flush=True)
    installation.state.prepare()
    is_stopped = False
    try:
        with (
            backups.unpacked(installation, path, unauthenticated=unauthenticated) as unpacked,
            installation.state.locked(),
        ):
            backups.refuse_if_files_have_no_place(installation, unpacked)
            launching.refuse_if_of_unit(installation.state)
            ran = report_of(installation.state) is not None
            started = launching.start_database(installation)
            try:
                create_database(installation)
                if not replace:
                    backups.refuse_if_held(installation)
                launching.judge(installation)
                is_stopped = ran
                launching.stop(installation, database_too=False)
                started = launching.start_database(installation) or started or ran
                restoring.restore(installation, unpacked)
                launching.migrate(installation)
            finally:
                if started and installation.postgres is not None:
                    installation.postgres.stop()
        # What was restored stays what it is: the next start loads no demo beside it.
        loading.mark_loaded(installation.state)
        manifest = unpacked.manifest
        print(f"Restored: {', '.join(manifest['revisions'])}, as of {manifest['made_at']}.")
        if unpacked.files:
            print(f"{unpacked.files} files that people sent were restored, each with the hash that it had.")
        print("The epoch of the change feeds was raised: followers start again from the beginning.")
        if backups.lacks_a_key(installation, manifest):
            print(
                "The backup was made under another TRELLIS_SECRET_KEY, and the keys that sign tokens can't be read "
                "without it. Add the other one to TRELLIS_SECRET_KEYS, or begin with new keys: "
                "`trellis keys revoke-all`."
            )
    finally:
        if is_stopped:
            _finish_whatever_comes()
            # What was still ending when a signal came doesn't count as running.
            launching.up(installation, print, restart=True)


def main() -> int:
    """The exit code: 1 when nothing was written or restored, 128 and the signal's number when one ended it."""
    for number in ENDING:
        signal.signal(number, _end)
    parser = argparse.ArgumentParser(prog="trellis")
    actions = parser.add_subparsers(dest="action", required=True)
    for name in ("backup", "restore"):
        actions.add_parser(name).add_argument("file", type=Path)
        actions.choices[name].add_argument("--replace", action="store_true")
    actions.choices["restore"].add_argument("--unauthenticated", action="store_true")
    arguments = parser.parse_args()
    installation = find_running()
    try:
        if arguments.action == "backup":
            back_up(installation, arguments.file, replace=arguments.replace)
        else:
            put_back(installation, arguments.file, replace=arguments.replace, unauthenticated=arguments.unauthenticated)
    except (
        backups.BackupFailed,
        backup_objects.ObjectsDamaged,
        launching.LaunchFailed,
        PostgresFailed,
        psycopg.Error,
        OSError,
        ValueError,
    ) as problem:
        print(f"trellis: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
