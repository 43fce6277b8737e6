"""What the academy service is made of. A new slice is added to the tuple, and found by the names of its files."""

from kit.definition import ServiceDefinition

ACADEMY = ServiceDefinition(
    "academy",
    slices=(
        "trusts",
        "academies",
        "inspections",
        "measures",
        "observations",
        "comparisons",
        "imports",
        "import_changes",
        "observation_batches",
        "criteria",
        "previews",
        "rag_statuses",
        "ratings",
        "moderations",
        "erasures",
        "rag_changes",
        "terms",
        "posts",
    ),
    title="Trellis Academy",
    description="How each academy of a trust is doing: the register, figures, criteria and explained ratings.",
)
