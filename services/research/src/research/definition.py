"""What the research service is made of. A new slice is added to the tuple, and found by the names of its files."""

from kit.definition import ServiceDefinition

RESEARCH = ServiceDefinition(
    "research",
    slices=(),
    title="Trellis Research",
    description="""
    The findings of a trust's teachers, and the evidence for them.

    This version has a change feed, which is still empty. Projects, baselines, evaluations and claims come with later
    versions.
    """,
)
