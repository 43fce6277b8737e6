"""What terms hold of people."""

from typing import Final

from kit.people.declared import PersonalTable
from kit.people.kit_tables import DECISIONS

TERMS: Final = PersonalTable(
    "term",
    holds="Who entered the dates of a term, and who changed them last.",
    purpose=DECISIONS,
    kept="For good.",
    subjects=("created_by", "updated_by"),
)
