"""What the reporting service is made of. A new slice is added to the tuple, and found by the names of its files."""

from kit.definition import ServiceDefinition

REPORTING = ServiceDefinition(
    "reporting",
    slices=("sources",),
    title="Trellis reporting",
    description="""
    What a trust tells others.

    So far it tells its changes, and has none to tell: boards, reports, exports and webhooks
    come with later versions.
    """,
)
