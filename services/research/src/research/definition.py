"""What the research service is made of. A new slice is added to the tuple, and found by the names of its files."""

from kit.definition import ServiceDefinition

RESEARCH = ServiceDefinition(
    "research",
    slices=(),
    title="Trellis research",
    description="""
    What a trust's teachers find out, and the evidence for it.

    So far it tells its changes, and has none to tell: projects, baselines, evaluations and claims
    come with later versions.
    """,
)
