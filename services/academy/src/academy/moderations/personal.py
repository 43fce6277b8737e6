"""What moderations hold of people."""

from typing import Final

from kit.people.declared import PersonalTable
from kit.people.kit_tables import DECISIONS

MODERATIONS: Final = PersonalTable(
    "moderation",
    holds="Who overrode the rating of an academy and why, and who withdrew or replaced that.",
    purpose=DECISIONS,
    kept="For good: it explains what an academy was shown as.",
    subjects=("made_by", "ended_by"),
)
