"""The `trellis` command: what an operator types, and what each answers in the terminal."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn
from uuid import UUID

import typer
from pydantic import ValidationError
from rich.console import Console

from trellis import (
    api,
    attending,
    board,
    importing,
    launching,
    logs,
    places,
    ports,
    postgres,
    postmasters,
    state,
    statuses,
    tokens,
    welcome,
)
from trellis.credentials import CALLING, SCHEMAS
from trellis.demo import contents, loading
from trellis.installation import Installation, find, find_running, python
from trellis.settings import LocalSettings, derived_keys, in_words, refused

app = typer.Typer(
    name="trellis",
    help="Runs Trellis on this machine: starts, migrates, loads, inspects, backs up and stops it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
keys_app = typer.Typer(help="The keys that sign tokens.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(keys_app, name="keys")
service_app = typer.Typer(help="What this service keeps of others' data.", no_args_is_help=True, rich_markup_mode=None)
for _service in CALLING:
    app.add_typer(service_app, name=_service)

EXPECTED = (
    api.Refused,
    api.Unreachable,
    launching.LaunchFailed,
    places.NoUnprivilegedUser,
    postmasters.DataInUse,
    ModuleNotFoundError,
    loading.DemoFailed,
    ports.PortTaken,
    postgres.PostgresFailed,
    state.StateUnusable,
    tokens.NoCredentials,
)
"""What can go wrong and needs a sentence, not a traceback."""


@app.command()
def up(
    restart: Annotated[bool, typer.Option("--restart", help="Stop what runs first.")] = False,
    demo: Annotated[bool, typer.Option(help="Load the demo trusts on the first run.")] = True,
) -> None:
    """Start everything; on the first run migrate and load the demo. Prints the demo trust's board."""
    installation = find()
    launching.up(installation, _say, restart=restart)
    is_demo = installation.settings.env == "demo"
    if is_demo and demo and not loading.is_loaded(installation.state):
        _say("loading the demo trusts")
        loading.load(installation.settings, _say)
    welcome.show(installation, board.console_for_people())


@app.command()
def run() -> None:
    """Start everything and stay until it is stopped: for systemd (deploy/systemd). SIGTERM stops everything."""
    installation = find()
    # While it starts too: what was started is stopped again.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    launching.up(installation, _say)
    signal.pthread_sigmask(signal.SIG_BLOCK, attending.STOPPING)
    _own_process("trellis.attending", [str(installation.state.folder)])


@app.command()
def down() -> None:
    """Stop everything; the state stays."""
    stopped = launching.down(find())
    _say(f"stopped: {', '.join(stopped)}" if stopped else "Nothing was running.")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """What runs and how often it was started again; exit code 1 unless all is ready."""
    raise typer.Exit(0 if statuses.show(find_running(), as_json=as_json) else 1)


@app.command("logs")
def show_logs(
    service: Annotated[str | None, typer.Argument(help="One program; all of them unless given.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many lines of each.")] = 20,
) -> None:
    """The logs of the programs."""
    folder = find().state.logs
    found = {path.stem: path for path in sorted(folder.glob("*.log"))}
    if service is not None:
        if service not in found:
            _stop(f"There is no log of {service}. There are: {', '.join(found) or 'none'}.")
        found = {service: found[service]}
    logs.show(found, lines=lines, following=follow)


@app.command()
def migrate() -> None:
    """Bring the database's schemas to where this release needs them. Nothing else changes schemas."""
    installation = find()
    started = launching.start_database(installation)
    try:
        launching.migrate(installation)
    finally:
        if started and installation.postgres is not None:
            installation.postgres.stop()
    _say("The schemas are up to date.")


@app.command()
def demo() -> None:
    """Load the two demo trusts with their published figures, criteria and ratings; what is there stays."""
    installation = find_running()
    if installation.settings.env != "demo":
        _stop("This installation isn't a demo (TRELLIS_ENV).")
    loading.load(installation.settings, _say)


@app.command()
def token(
    role: Annotated[str, typer.Argument(help="The role of a demo person, such as status-reader.")],
    academy: Annotated[list[int] | None, typer.Option("--academy", help="URN; repeat it for several.")] = None,
    trust: Annotated[str | None, typer.Option("--trust", help="Id, Group UID or TR reference.")] = None,
    project: Annotated[str | None, typer.Option("--project", help="Id of a research project.")] = None,
    person: Annotated[
        str | None, typer.Option("--person", help="A name of your choice, to be two people of one role.")
    ] = None,
) -> None:
    """An access token of a demo person, alone on a line, for scripts. Only in the demo."""
    installation = find_running()
    if installation.settings.env != "demo":
        _stop("Tokens of demo people exist only in the demo (TRELLIS_ENV=demo); see docs/guides/operating.md.")
    fetch = tokens.demo_person(role, trust=trust, academies=academy or (), project=project, person=person)
    with tokens.gateway(installation.settings, fetch) as client:
        print(client.token())


@app.command("import")
def import_file(
    kind: Annotated[str, typer.Argument(help="What the file is, such as dfe-ks4.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file; .gz is fine.")],
    academic_year: Annotated[str | None, typer.Option(help="Such as 2018/19.")] = None,
    release: Annotated[str | None, typer.Option(help="provisional, revised or final.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, keep nothing.")] = False,
    trust: Annotated[
        str | None, typer.Option("--trust", help="Load figures of this trust's own, as its data manager (demo).")
    ] = None,
    confirm: Annotated[
        list[str] | None, typer.Option(help="What is meant so: same-file-other-year, value-was-erased.")
    ] = None,
) -> None:
    """Load a file, wait for the end, and say what was refused and why; exit code 1 when it was refused."""
    installation = find_running()
    role = "data-manager" if trust else tokens.OPERATOR
    console = Console(stderr=True, highlight=False)
    load = importing.Load(kind, file, academic_year, release, dry_run, tuple(confirm or ()))
    with tokens.api_for(installation.settings, role, trust=trust) as client:
        ended = importing.run(client, load, console, _is_meant_so)
    importing.summarise(ended, console)
    raise typer.Exit(0 if ended["state"] == "succeeded" else 1)


def _is_meant_so(question: str) -> bool:
    """Put the question to the person at the terminal; without a terminal the answer is no."""
    return sys.stdin.isatty() and typer.confirm(f"{question}\nLoad it all the same?", err=True)


@app.command("board")
def show_board(
    trust: Annotated[str, typer.Option("--trust", help="Id, Group UID or TR reference.")] = contents.TRUSTS[0],
) -> None:
    """A trust's RAG board."""
    installation = find_running()
    welcome.show_board(installation, board.console_for_people(), trust)


@app.command()
def bootstrap(
    trust: Annotated[str | None, typer.Option("--trust", help="Register this trust (Group UID) too.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Its name; needed with --trust.")] = None,
    group_id: Annotated[str | None, typer.Option("--group-id", help="Its TR reference.")] = None,
) -> None:
    """Make the first platform operator, and a trust with its administrator, once; prints their secrets once."""
    given = (("--trust", trust), ("--name", name), ("--group-id", group_id))
    arguments = [word for option, value in given if value for word in (option, value)]
    _identity(find_running(), "gateway.identity.bootstrap", arguments)


@keys_app.command("rotate")
def keys_rotate() -> None:
    """Let the next key take over; tokens of the last one count until they expire."""
    _identity(find_running(), "gateway.identity.keys", ["rotate"])


@keys_app.command("list")
def keys_list() -> None:
    """Every key and its state."""
    _identity(find_running(), "gateway.identity.keys", ["list"])


@keys_app.command("revoke")
def keys_revoke(kid: Annotated[str, typer.Argument(help="The key's id.")]) -> None:
    """Refuse a key within 60 seconds."""
    _identity(find_running(), "gateway.identity.keys", ["revoke", kid])


@keys_app.command("revoke-all")
def keys_revoke_all() -> None:
    """Refuse every key and begin with new ones: after the loss of TRELLIS_SECRET_KEY."""
    _identity(find_running(), "gateway.identity.keys", ["revoke-all"])


@keys_app.command("reseal")
def keys_reseal() -> None:
    """Move what is stored to the newest of TRELLIS_SECRET_KEYS, so that the older ones can be dropped."""
    arguments: list[str] = []
    commands = [("gateway.identity.resealing", arguments), *(("kit.secrets", [service]) for service in SCHEMAS)]
    _on_database(find_running(), commands)


@keys_app.command("derive")
def keys_derive(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(CALLING)}.")],
) -> None:
    """Print what a service needs of the secret keys, as its TRELLIS_DERIVED_KEYS where it runs elsewhere."""
    if service not in CALLING:
        _stop(f"There is no service {service} that needs such keys: {', '.join(CALLING)} do.")
    typer.echo(derived_keys(service, find().environment_to_judge()))


@app.command("subject-access")
def subject_access(
    person: Annotated[UUID, typer.Argument(help="The person's id, as `GET /identity/v1/people` shows it.")],
    file: Annotated[
        Path | None, typer.Option("--file", dir_okay=False, help="Where to write it; PERSON.zip unless given.")
    ] = None,
) -> None:
    """Gather what is held of one person into a ZIP that only you can read, with why and for how long."""
    target = (file or Path(f"{person}.zip")).absolute()
    _on_database(find_running(), [("trellis.subject_access", [str(person), str(target)])])


@service_app.callback()
def _of_service() -> None:
    """What this service keeps of others' data."""


@service_app.command("rebuild")
def rebuild(
    context: typer.Context,
    model: Annotated[list[str] | None, typer.Argument(help="A read model; all of them unless given.")] = None,
) -> None:
    """Make read models from nothing but the feeds, while readers go on; says whether each is as it was."""
    assert context.parent is not None
    _on_database(find_running(), [(f"{context.parent.info_name}.rebuild", model or [])])


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where to write it.")],
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of a file of this name.")] = False,
) -> None:
    """Write all data into one file. Keep TRELLIS_SECRET_KEY with it, but not in the same place."""
    _own_process("trellis.backing_up", ["backup", str(file), *(["--replace"] if replace else [])])


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A backup.")],
    replace: Annotated[bool, typer.Option("--replace", help="Lose what the database holds now.")] = False,
    unauthenticated: Annotated[
        bool,
        typer.Option(
            "--unauthenticated",
            help="Restore a backup of an older release or of an unknown key too: somebody may have changed it.",
        ),
    ] = False,
) -> None:
    """Put a backup in place of the data, all or nothing. What runs is stopped for it and started again."""
    options = (("--replace", replace), ("--unauthenticated", unauthenticated))
    given = [option for option, is_given in options if is_given]
    _own_process("trellis.backing_up", ["restore", str(file), *given])


def main() -> None:
    """The entry point: expected failures are told in a sentence and end with exit code 1."""
    try:
        app()
    except EXPECTED as problem:
        _stop(f"{problem}{_what_to_do(problem)}")
    except ValidationError as problem:
        _stop(refused(in_words(problem, LocalSettings)))
    except KeyboardInterrupt:
        _stop("Stopped.")
    except BrokenPipeError:
        # Whoever read our output has had enough of it (`trellis logs | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except OSError as problem:
        _stop(str(problem))


def _what_to_do(problem: Exception) -> str:
    """What an operator can do about a refusal that a client can only wait for."""
    if isinstance(problem, api.Refused) and problem.code == "no-signing-key":
        return " If TRELLIS_SECRET_KEY has changed, set the old one or begin with new keys: `trellis keys revoke-all`."
    return ""


def _say(what: str) -> None:
    print(what, flush=True)


def _stop(why: str) -> NoReturn:
    print(f"trellis: {why}", file=sys.stderr)
    raise SystemExit(1)


def _identity(installation: Installation, module: str, arguments: Sequence[str]) -> NoReturn:
    """Run one of identity's own commands on the installation's database."""
    _on_database(installation, [(module, arguments)])


def _on_database(installation: Installation, commands: Sequence[tuple[str, Sequence[str]]]) -> NoReturn:
    """Run modules one after the other on the database, started for it if need be; ends with the worst exit code."""
    postgres = installation.postgres
    if postgres is not None and not postgres.exists():
        _stop("There is no database yet: `trellis up` makes it.")
    started = launching.start_database(installation)
    try:
        environment = installation.environment()
        codes = [
            subprocess.run([*python(), "-m", module, *arguments], env=environment, check=False).returncode
            for module, arguments in commands
        ]
    finally:
        if started and postgres is not None:
            postgres.stop()
    raise SystemExit(max(map(abs, codes)))


def _own_process(module: str, arguments: Sequence[str]) -> NoReturn:
    """Become a command that needs much loaded, which the others needn't wait for: signals reach it, not a parent."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [*python(), "-m", module, *arguments])  # noqa: S606 - our own interpreter


if __name__ == "__main__":
    main()
