"""Whose rows a transaction may see, as settings of Postgres, and how long it may last."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Context:
    """Whose rows a transaction may see: one trust, all (None) or some of its academies, who is reading, and the
    research projects that their grant covers. With `pupils` rows of single pupils are visible too.
    """

    tenant_id: UUID
    academies: frozenset[int] | None
    subject: str
    projects: frozenset[UUID] = frozenset()
    pupils: bool = False

    @property
    def academies_setting(self) -> str:
        """The value of `app.academies`: `*` for all, else URNs with commas; empty when there are none."""
        if self.academies is None:
            return "*"
        return ",".join(str(int(urn)) for urn in sorted(self.academies))

    @property
    def projects_setting(self) -> str:
        """The value of `app.projects`: ids with commas; empty when there are none."""
        return ",".join(sorted(str(UUID(str(project))) for project in self.projects))


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the database lets one of our transactions last, in milliseconds.

    A write transaction that stays open holds the change feed back for everybody, so none may stay open for long.
    """

    statement_ms: int = 30_000
    lock_ms: int = 10_000
    idle_in_transaction_ms: int = 30_000
    transaction_ms: int = 60_000

    def settings(self) -> dict[str, str]:
        """The Postgres settings, by name."""
        return {
            "statement_timeout": str(self.statement_ms),
            "lock_timeout": str(self.lock_ms),
            "idle_in_transaction_session_timeout": str(self.idle_in_transaction_ms),
            "transaction_timeout": str(self.transaction_ms),
        }


WORKER_TIMEOUTS = Timeouts(
    statement_ms=900_000, lock_ms=60_000, idle_in_transaction_ms=300_000, transaction_ms=1_800_000
)


def _quoted(value: str) -> str:
    if "\x00" in value:
        raise ValueError("a setting can't hold a NUL")
    return "'" + value.replace("'", "''") + "'"


def context_statements(context: Context, *, propagate: bool) -> str:
    """`SET LOCAL` statements with literals, sent together.

    A sharded Postgres (Citus) sends only `SET LOCAL` on to its workers, and only under its own switch; a call of
    `set_config()` stays on the coordinator, where row-level security doesn't look.
    """
    statements = ["set local citus.propagate_set_commands to 'local'"] if propagate else []
    settings = {
        "app.trust_id": str(UUID(str(context.tenant_id))),
        "app.academies": context.academies_setting,
        "app.subject": context.subject,
        "app.projects": context.projects_setting,
        # All of them each time: a transaction may change its context, and nothing of the last one may stay.
        "app.pupils": "yes" if context.pupils else "",
    }
    statements += [f"set local {name} to {_quoted(value)}" for name, value in settings.items()]
    return "; ".join(statements)
