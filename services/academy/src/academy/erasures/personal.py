"""What erasures hold of people."""

from typing import Final

from kit.people.declared import PersonalTable
from kit.people.kit_tables import DECISIONS

ERASURES: Final = PersonalTable(
    "observation_erasure",
    holds="Who erased a figure, and why.",
    purpose=DECISIONS,
    kept="For good.",
    subjects=("erased_by",),
)
