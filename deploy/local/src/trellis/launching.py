"""Starting and stopping a whole installation, so that either everything runs afterwards or nothing does."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from trellis import logs, places, ports, processes, schemas
from trellis.attending import UNIT
from trellis.installation import Installation, python
from trellis.postgres import PostgresFailed
from trellis.programs import Stage
from trellis.reports import ProgramReport, report_of, supervisor_of
from trellis.settings import refused
from trellis.state import State
from trellis.supervision import WATCHER, leftovers

Say = Callable[[str], None]

ENDS_BEFORE_GIVING_UP = 3
DOWN_SECONDS = 60.0
PRODUCTION = "production"
WAITING = "Another command is starting or stopping this installation: waiting for it."


class LaunchFailed(Exception):
    """Something did not start; the message says what, why, and where its log is."""


class SettingsRefused(LaunchFailed):
    """A setting can't be used. Nothing was stopped or started."""


def up(installation: Installation, say: Say, *, restart: bool = False) -> None:
    """Start what doesn't run and wait until all is ready. Raises LaunchFailed, PortTaken, PostgresFailed.

    What runs with other settings, or is asked to (`restart`), is stopped first, but not for settings that can't be
    used (SettingsRefused). What fails to start is stopped
    again with everything else.
    """
    state = installation.state
    state.prepare()
    with state.locked(waiting=lambda: say(WAITING)):
        running = report_of(state)
        if running is not None and not restart and running.told.get("digest") == _digest(installation):
            _wait(installation, say, quiet=True)
            return
        judge(installation)
        if running is not None:
            refuse_if_of_unit(state)
            say("The settings have changed: starting again." if not restart else "Starting again.")
        stop(installation)
        ports.claim(*listens_at(installation))
        if installation.settings.env == PRODUCTION:
            state.production.touch()
        try:
            _start(installation, say)
            _wait(installation, say)
        except (LaunchFailed, PostgresFailed, OSError, KeyboardInterrupt):
            stop(installation)
            raise


def refuse_if_of_unit(state: State) -> None:
    """Raises LaunchFailed when systemd runs the installation: it alone can start it again so that it stays."""
    if state.is_held(UNIT):
        raise LaunchFailed(
            "systemd runs this installation. Nothing was stopped. Use `systemctl restart trellis` for new settings; "
            "before a restore `systemctl stop trellis`, and `systemctl start trellis` afterwards."
        )


def judge(installation: Installation) -> None:
    """Try the settings in a process with the environment that the programs get, and the port if it is another one.

    Raises SettingsRefused, with a sentence and an example for each that can't be used, and for data of a production
    that would become a demo's; PortTaken.
    """
    env = installation.settings.env
    if env != PRODUCTION and installation.state.production.exists():
        raise SettingsRefused(
            f"TRELLIS_ENV is {env}, and this installation has run in production: anybody would get tokens for its "
            "data. Nothing was started or stopped. Set TRELLIS_ENV=production, or choose another TRELLIS_STATE_DIR."
        )
    environment = installation.environment_to_judge()
    done = subprocess.run(
        [*python(), "-m", "trellis.judging"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        raise SettingsRefused(refused(done.stderr.strip().splitlines()))
    running = report_of(installation.state)
    if running is not None and running.told.get("listen_port") != installation.settings.listen_port:
        ports.claim(*listens_at(installation))


def listens_at(installation: Installation) -> tuple[str, int]:
    """Address and port of the gateway."""
    return installation.settings.listen_address, installation.settings.listen_port


def down(installation: Installation) -> list[str]:
    """Stop everything that belongs to this installation; the names of what was stopped."""
    state = installation.state
    if not state.folder.is_dir():
        return []
    with state.locked():
        return stop(installation)


def stop(installation: Installation, *, database_too: bool = True) -> list[str]:
    """Stop the supervising process and, by their process files, those that outlived an earlier one."""
    state = installation.state
    stopped = []
    report = report_of(state)
    # First of all, so that nothing starts again what is being stopped.
    state.wanted.unlink(missing_ok=True)
    supervisor = supervisor_of(state)
    if supervisor is not None:
        stopped = [program.name for program in report.programs] if report else ["supervisor"]
        processes.end(supervisor, wait_seconds=DOWN_SECONDS)
    _end_watching(state)
    left = [(name, process) for name, process in leftovers(state.run) if name not in {"supervisor", WATCHER}]
    for _, process in left:
        process.send(signal.SIGTERM)
    for name, process in left:
        processes.end(process, wait_seconds=15.0)
        processes.end_group(process)
        stopped.append(name)
    postgres = installation.postgres
    if database_too and postgres is not None and postgres.is_running():
        postgres.stop()
        stopped.append("postgres")
    _sweep(state)
    return list(dict.fromkeys(stopped))


def _end_watching(state: State) -> None:
    """Wait until neither of the two watching processes lives: also one that is just being started ends by itself."""
    for name, file in ((WATCHER, state.process(WATCHER)), ("supervisor", state.supervisor)):
        with contextlib.suppress(FileNotFoundError), state.held(name, seconds=DOWN_SECONDS) as free:
            found = processes.Identity.read(file)
            if not free and found is not None:
                processes.end(found)


def start_database(installation: Installation) -> bool:
    """Start the embedded database if it doesn't run; whether it had to be started."""
    postgres = installation.postgres
    if postgres is None or postgres.is_running():
        return False
    installation.state.prepare()
    postgres.start()
    return True


def migrate(installation: Installation) -> None:
    """Bring the schemas up in a process of its own. Raises LaunchFailed with what it printed."""
    done = subprocess.run(
        [*python(), "-m", "trellis.migrating"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=installation.environment_of_ours(),
        check=False,
    )
    log = installation.state.log("migrate")
    with places.open_log(log) as file:
        file.write((done.stdout + done.stderr).encode())
    if done.returncode:
        output = (done.stderr or done.stdout).strip().splitlines()
        raise LaunchFailed("\n".join([*(output[-3:] or ["The migrations failed."]), f"Log: {log}"]))


def _start(installation: Installation, say: Say) -> None:
    state = installation.state
    began = time.monotonic()
    if start_database(installation):
        say(f"postgres is ready ({time.monotonic() - began:.1f} s)")
    began = time.monotonic()
    if not schemas.are_current(installation):
        migrate(installation)
    say(f"schemas are up to date ({time.monotonic() - began:.1f} s)")
    state.wanted.touch()
    with places.open_log(state.log("supervisor")) as log:
        started = subprocess.Popen(
            [*python(), "-m", "trellis.supervisor"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=installation.environment_of_ours(),
            start_new_session=True,
        )
    # It outlives this process, and is waited for by its process file: nobody here will collect it.
    deadline = time.monotonic() + installation.settings.start_seconds
    while report_of(state) is None:
        if started.poll() is not None or time.monotonic() > deadline:
            last = "\n".join(logs.tail(state.log("supervisor"), 5))
            raise LaunchFailed(f"The supervising process did not start.\n{last}\nLog: {state.log('supervisor')}")
        time.sleep(0.05)
    started.returncode = 0


def _wait(installation: Installation, say: Say, *, quiet: bool = False) -> None:
    """Until everything is ready, saying so of each one. Raises LaunchFailed."""
    began = time.monotonic()
    named: set[str] = {"postgres"}
    while True:
        report = report_of(installation.state)
        if report is None:
            raise LaunchFailed(f"The supervising process ended. Log: {installation.state.log('supervisor')}")
        waited = time.monotonic() - began
        for program in report.programs:
            if program.stage == Stage.READY and program.name not in named:
                named.add(program.name)
                if not quiet:
                    say(f"{program.name} is ready ({waited:.1f} s)")
            if not program.was_ready and program.restarts + 1 >= ENDS_BEFORE_GIVING_UP:
                raise LaunchFailed(_failure(program))
        if report.is_ready:
            return
        if waited > installation.settings.start_seconds:
            late = next(program for program in report.programs if program.stage != Stage.READY)
            raise LaunchFailed(_failure(late))
        time.sleep(0.05)


def _failure(program: ProgramReport) -> str:
    from_log = logs.tail(Path(program.log), 8)
    last_words = ["Its last words:", *(f"  {line[:300]}" for line in from_log)] if from_log else []
    return "\n".join([f"{program.name} {program.last_end or program.reason}.", *last_words, f"Log: {program.log}"])


def _digest(installation: Installation) -> str:
    """Of what would be told now; nothing equals it when the database was never made."""
    try:
        return installation.digest
    except PostgresFailed:
        return ""


def _sweep(state: State) -> None:
    """Remove what a killed run left in the run folder; the folder and its locks stay."""
    for folder in {state.run, state.sockets}:
        for path in folder.glob("*") if folder.is_dir() else ():
            if path.suffix in {".pid", ".sock"} or path in {state.report, state.wanted} or path.suffix == ".partial":
                path.unlink(missing_ok=True)
    if state.sockets != state.run:
        with contextlib.suppress(OSError):
            state.sockets.rmdir()
