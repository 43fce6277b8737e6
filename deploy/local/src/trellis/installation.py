"""One installation of Trellis on this machine: its settings, its state, its database, and what it runs."""

import os
import sys
from collections.abc import Sequence
from functools import cached_property

from kit.key_ring import KeyRing, listed
from kit.schema.roles import MIGRATOR
from trellis import forks, settings
from trellis.credentials import Credentials
from trellis.postgres import EmbeddedPostgres, PostgresFailed
from trellis.reports import report_of
from trellis.state import State


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
        self.state.prepare()
        return Credentials.kept_in(self.state.credentials)

    @cached_property
    def postgres(self) -> EmbeddedPostgres | None:
        """The embedded database; None when the settings name another one."""
        if not self.settings.is_embedded:
            return None
        return EmbeddedPostgres.of(self.state)

    @property
    def admin_url(self) -> str:
        """The administrator's connection, for migrations and backups alone."""
        if self.postgres is None:
            return self.settings.database_url
        return self.postgres.admin_url(settings.DATABASE)

    @property
    def migrator_url(self) -> str:
        """The connection of `trellis_migrator`, which owns the schemas and nothing else. No program gets it."""
        return settings.url_of(self.admin_url, MIGRATOR, self.credentials.passwords[MIGRATOR])

    @property
    def secret_keys(self) -> Sequence[str]:
        """The secret keys, newest first; also before there is a database. Raises ValueError for a broken list."""
        several, one = self.settings.secret_keys, self.settings.secret_key
        if several is not None:
            return listed(several.get_secret_value())
        return [one.get_secret_value() if one else self.credentials.secret_key]

    @property
    def secret_ring(self) -> KeyRing:
        """The ring of these keys. Raises ValueError when one is too short."""
        return KeyRing.of(self.secret_keys)

    @cached_property
    def program_settings(self) -> dict[str, str]:
        """What the programs are told beside the rest of the environment."""
        return settings.environment_of(self.settings, self.credentials, self.admin_url)

    @property
    def shares_libraries(self) -> bool:
        """Whether the programs in Python are forked from the supervising process."""
        return self.settings.preload and forks.can_fork()

    @property
    def digest(self) -> str:
        """Of everything that running programs were told."""
        return settings.digest(self.program_settings)

    def told(self) -> dict[str, object]:
        """What other commands must know of the settings that the programs run with."""
        return {"digest": self.digest, **self.settings.recorded()}

    def environment(self) -> dict[str, str]:
        """The whole environment of a program: ours, without what isn't meant for it."""
        return self._environment_with(self.program_settings)

    def _environment_with(self, program_settings: dict[str, str]) -> dict[str, str]:
        ours = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TRELLIS_", "PG", "PYTEST_", "COV_"))
        }
        return {**self._for_python(ours), **program_settings}

    def environment_to_judge(self) -> dict[str, str]:
        """The same, also before there is a database: then with an address of nothing in place of it."""
        try:
            return self.environment()
        except PostgresFailed:
            admin_url = f"postgresql://postgres@/{settings.DATABASE}?host=/nowhere"
            return self._environment_with(settings.environment_of(self.settings, self.credentials, admin_url))

    def environment_of_ours(self) -> dict[str, str]:
        """The environment of another process of this package: ours, with the settings settled."""
        return {**self._for_python(dict(os.environ)), **self.settings.as_environment()}

    def _for_python(self, environment: dict[str, str]) -> dict[str, str]:
        found = {**environment, "PYTHONUNBUFFERED": "1"}
        # Who asks for no files beside the modules gets none; compiling all of them at each start takes seconds.
        if found.pop("PYTHONDONTWRITEBYTECODE", None):
            found.setdefault("PYTHONPYCACHEPREFIX", str(self.state.bytecode))
        # glibc keeps memory apart for each thread, eight times the processors; after a large import much of it is idle.
        found.setdefault("MALLOC_ARENA_MAX", "1")
        return found


def python() -> list[str]:
    """This interpreter, deaf to modules that happen to lie in the working folder."""
    return [sys.executable, "-P"]


def find() -> Installation:
    """The installation that the environment speaks of. Raises pydantic's ValidationError."""
    return Installation(settings.LocalSettings.load())


def find_running() -> Installation:
    """The same; what the environment leaves open is as what runs was told. Raises ValidationError.

    So that `trellis token` finds a gateway that was started with `TRELLIS_LISTEN_PORT=8081 make up`.
    """
    found = find()
    report = report_of(found.state)
    if report is None:
        return found
    open_ones = {name: value for name, value in report.told.items() if f"TRELLIS_{name.upper()}" not in os.environ}
    return Installation(settings.LocalSettings.load(**open_ones))
