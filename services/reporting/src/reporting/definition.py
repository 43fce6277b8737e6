"""What the reporting service is made of. A new slice is added to the tuple, and found by the names of its files."""

from kit.definition import ServiceDefinition

REPORTING = ServiceDefinition(
    "reporting",
    slices=("sources",),
    title="Trellis Reporting",
    description="""
    A trust's boards, reports, exports and webhooks.

    This version has a change feed, which is still empty. The rest comes with later versions.
    """,
)
