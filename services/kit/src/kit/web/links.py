"""The `Link` header of a page."""

from urllib.parse import parse_qsl, urlencode

from fastapi import Request, Response


def page_links(response: Response, request: Request, next_cursor: str | None) -> None:
    """Say where the next page is in the `Link` header (RFC 8288)."""
    if next_cursor is None:
        return
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if name != "cursor"]
    query = urlencode([*kept, ("cursor", next_cursor)])
    response.headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
