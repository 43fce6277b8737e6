"""The end of the process, as a route sees it."""

from fastapi import Request

from kit.shutdown import Closing


def closing_of(request: Request) -> Closing:
    """Whether the service that serves this request was asked to stop."""
    closing: Closing = request.app.state.closing
    return closing
