"""One installation of Trellis on this machine: its settings, its state, its database, and what it runs."""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from trellis import gateways, settings
from trellis.credentials import Credentials
from trellis.postgres import EmbeddedPostgres
from trellis.probes import Probe
from trellis.programs import Program
from trellis.state import State

SERVICES: Mapping[str, str] = {
    "identity": "gateway.main:create_app",
    "academy": "academy.main:create_app",
    "research": "research.main:create_app",
    "reporting": "reporting.main:create_app",
}
"""The web applications by name; each listens on the socket of its name."""

WORKERS: Mapping[str, str] = {"academy-worker": "academy.worker"}
"""Background workers by name, and the module of each."""

GRACE_SECONDS = 10
KEEP_ALIVE_SECONDS = 75
"""Longer than the gateway keeps an idle connection, so that it never sends into one that is being closed."""


class Installation:
    """Everything that is derived from the settings; nothing is started or written by looking at it."""

    def __init__(self, told: settings.LocalSettings) -> None:
        self.settings = told

    @property
    def state(self) -> State:
        """The state folder."""
        return self.settings.state

    @cached_property
    def credentials(self) -> Credentials:
        """The generated secrets; made when they are asked for the first time."""
        return Credentials.kept_in(self.state.credentials)

    @cached_property
    def postgres(self) -> EmbeddedPostgres | None:
        """The embedded database; None when the settings name another one."""
        if not self.settings.is_embedded:
            return None
        home = self.state.postgres
        return EmbeddedPostgres(home / "data", home / "run", log=self.state.log("postgres"))

    @property
    def admin_url(self) -> str:
        """The administrator's connection, for migrations and backups alone."""
        if self.postgres is None:
            return self.settings.database_url
        return self.postgres.admin_url(settings.DATABASE)

    @cached_property
    def told_programs(self) -> dict[str, str]:
        """What the programs are told beside the rest of the environment."""
        return settings.environment_of(self.settings, self.credentials, self.admin_url)

    @property
    def digest(self) -> str:
        """Of everything that running programs were told."""
        return settings.digest(self.told_programs, self.settings)

    def environment(self) -> dict[str, str]:
        """The whole environment of a program: ours, without what isn't meant for it."""
        ours = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TRELLIS_", "PG", "PYTEST_", "COV_"))
        }
        return {**ours, "PYTHONUNBUFFERED": "1", **self.told_programs}

    def programs(self) -> Sequence[Program]:
        """What must run: the services, their workers, the gateway before them."""
        environment = self.environment()
        found = [self._service(name, app, environment) for name, app in SERVICES.items()]
        found += [Program(name, [*python(), "-m", module], environment=environment) for name, module in WORKERS.items()]
        found.append(
            Program(
                "envoy",
                gateways.command(self.state),
                probe=Probe("/healthz", host=self._probed_host, port=self.settings.port),
                after=("identity",),
                environment=environment,
                stops_last=True,
            )
        )
        return found

    def _service(self, name: str, app: str, environment: Mapping[str, str]) -> Program:
        socket = self.state.socket(name)
        command = [
            *python(),
            *("-m", "uvicorn", "--factory", app, "--uds", str(socket)),
            *("--no-access-log", "--no-server-header", "--lifespan", "on", "--log-level", "warning"),
            *("--timeout-keep-alive", str(KEEP_ALIVE_SECONDS)),
            *("--timeout-graceful-shutdown", str(GRACE_SECONDS)),
        ]
        if self.settings.workers > 1 and name != "identity":
            command += ["--workers", str(self.settings.workers)]
        return Program(
            name,
            command,
            probe=Probe("/readyz", unix=socket),
            environment=environment,
            patience=GRACE_SECONDS + 5,
        )

    @property
    def _probed_host(self) -> str:
        return "127.0.0.1" if self.settings.host in {"0.0.0.0", "::"} else self.settings.host  # noqa: S104


def python() -> list[str]:
    """This interpreter, deaf to modules that happen to lie in the working folder."""
    return [sys.executable, "-P"]


def find() -> Installation:
    """The installation that the environment speaks of. Raises pydantic's ValidationError."""
    return Installation(settings.LocalSettings.load())


def folder_of(installation: Installation) -> Path:
    """The state folder, shown relative to the working folder when it lies in it."""
    folder = installation.settings.state_dir
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
