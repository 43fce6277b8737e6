"""What posts hold of people."""

from typing import Final

from kit.people.declared import PersonalTable
from kit.people.kit_tables import DECISIONS

POSTS: Final = PersonalTable(
    "post",
    holds="Who created a post, and who changed it last.",
    purpose=DECISIONS,
    kept="For good.",
    subjects=("created_by", "updated_by"),
)
