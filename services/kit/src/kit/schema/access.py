"""Who sees and writes a table's rows, declared on the table class.

`make migration` renders the declaration into the migration that creates the table; a test compares each class with
the database's own catalogue.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ALL = ("select", "insert", "update", "delete")


@dataclass(frozen=True, slots=True)
class Access:
    """What narrows a trust's rows for some of its callers, and what the service may do with them.

    Without a rule every caller of the trust with the scope sees every row. A row must fit all rules:

    - `urn`: the column with the academy's URN; a grant for some academies shows only theirs. With `urn_optional` a row
      without a URN concerns the whole trust: it is visible to all of it, and written under a grant for all of it.
    - `academies`: an `int[]` column, for rows about several academies; one of them must be the caller's.
    - `covered`: an `int[]` column of which every academy must be the caller's; null is for whole-trust callers.
    - `whole_trust`: only callers whose grant covers the whole trust. With `whole_trust_writes` every caller of the
      trust sees the rows, and only these write them.
    - `parent`: a table and the column that names its row; the row is visible where that one is.
    - `subject`: the column with the writer's subject; nobody else sees the row.
    - `project`: the column with the research project; its members and whole-trust callers see the row.
    - `pupils`: only callers with `pupils:read`, and the MIS.

    `grants` leaves out what never happens: a history is never updated.
    """

    urn: str | None = None
    urn_optional: bool = False
    academies: str | None = None
    covered: str | None = None
    whole_trust: bool = False
    whole_trust_writes: bool = False
    parent: tuple[str, str] | None = None
    subject: str | None = None
    project: str | None = None
    pupils: bool = False
    grants: tuple[str, ...] = ALL

    @property
    def writes_need_whole_trust(self) -> bool:
        """Are there rows that every caller of the trust sees, and only those with a grant for all of it write?"""
        return self.whole_trust_writes or self.urn_optional

    def arguments(self) -> Mapping[str, Any]:
        """The arguments of `kit.schema.ddl.tenant_table_policies` that differ from its defaults."""
        named = {
            "academy_column": self.urn,
            "academy_optional": self.urn_optional,
            "academies_column": self.academies,
            "covered_column": self.covered,
            "whole_trust": self.whole_trust,
            "whole_trust_writes": self.writes_need_whole_trust,
            "parent": self.parent,
            "subject_column": self.subject,
            "project_column": self.project,
            "pupils": self.pupils,
        }
        given = {name: value for name, value in named.items() if value}
        return given if self.grants == ALL else {**given, "grants": self.grants}
