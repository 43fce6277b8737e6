"""What a table holds of people, why, for how long, and what becomes of it when a person is erased.

A slice declares its tables in its `personal.py`; a service those of the kit in the `personal.py` of its package:

    VISITS = PersonalTable(
        "visit",
        holds="Who planned a visit and who changed it last.",
        purpose="A trust must be able to say who decided what.",
        kept="As long as the visit.",
        subjects=("created_by", "updated_by"),
    )
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ERASED: Final = "erased:"
"""How the pseudonym of an erased person begins."""


class OnErasure(StrEnum):
    """What becomes of a person's rows."""

    REPLACED = "replaced"
    """The subject gives way to a pseudonym: what was done stays, and that one person did it; not who."""
    DELETED = "deleted"
    KEPT = "kept"
    """They hold no more than the person's id, which leads to nobody once identity has erased them; `kept` says why."""


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """A table with personal data.

    A person's rows are those where one of these columns names them: `subjects` hold the subject of a token
    (`person:...`), `ids` the person's id, `mentions` text with the id in it, `documents` JSON with the subject in it.
    `details` are further columns with personal data, which the service itself clears. `hidden` columns are in no copy:
    hashes, and what is sealed.

    A table that only its writer sees (`Access.subject`) must be `DELETED`: rows with a pseudonym are nobody's.
    `of_platform` tables belong to no trust; they name people of the platform alone.
    """

    name: str
    holds: str
    purpose: str
    kept: str
    subjects: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    on_erasure: OnErasure = OnErasure.REPLACED
    of_platform: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column with personal data."""
        return (*self.subjects, *self.ids, *self.mentions, *self.documents, *self.details)
