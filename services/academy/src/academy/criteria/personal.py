"""What criteria sets hold of people."""

from typing import Final

from kit.people.declared import PersonalTable
from kit.people.kit_tables import DECISIONS

CRITERIA_SETS: Final = PersonalTable(
    "criteria_set",
    holds="Who drafted the criteria of a trust, and who published them.",
    purpose=DECISIONS,
    kept="For good: every rating names the criteria that it was made by.",
    subjects=("created_by", "published_by"),
)
