"""What imports hold of people."""

from typing import Final

from kit.people.declared import PersonalTable

IMPORTS: Final = PersonalTable(
    "import",
    holds="Who sent a file of figures, and who took it back and why.",
    purpose="Who doubts a figure must be able to ask whose file it came from.",
    kept="For good; the file itself is deleted some days after it was read.",
    subjects=("created_by", "withdrawn_by"),
)
