"""The page, its assets, the contracts and the guides: public, fixed paths, revalidated by tag."""

import hashlib
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from gateway.portal import guides
from gateway.portal.contracts import EVENTS, documents, event_document, folder
from gateway.portal.page import page
from kit.etags import etag
from kit.web.tags import not_modified

# The page and its assets come from here and ask nobody else. The viewer draws its icons from data, and writes
# styles into its elements.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A guide is text, a style and an image.
GUIDE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_OWN: Final = {
    "portal.css": "text/css",
    "guide.css": "text/css",
    "portal.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_VIEWER: Final = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}


def portal_router(
    source: Path | None = None,
    *,
    guides_source: Path | None = None,
    public_url: str = "http://127.0.0.1:8080",
    is_demo: bool = False,
) -> APIRouter:
    """The routes of the portal; the folders of contracts and of guides are the working copy's unless given."""
    router = APIRouter(include_in_schema=False)
    own = resources.files("gateway.portal") / "static"
    viewer = resources.files("fastapi_offline") / "static"
    contracts = documents(source or folder())
    guides_source = guides_source or guides.folder()
    _serve_page(router, page(public_url, contracts, guides.served(guides_source), is_demo=is_demo))
    for name, media_type in _OWN.items():
        _serve(router, f"/portal/{name}", own.joinpath(name).read_bytes(), media_type)
    for name, media_type in _VIEWER.items():
        _serve(router, f"/portal/{name}", viewer.joinpath(name).read_bytes(), media_type)
    for name, content in contracts.items():
        _serve(router, f"/openapi/{name}.v1.json", content, "application/json")
    if (events := event_document(source or folder())) is not None:
        _serve(router, f"/openapi/{EVENTS}", events, "application/json")
    for path, content in guides.pages(guides_source).items():
        _serve(router, path, content, "text/html", GUIDE_POLICY)
    return router


Answer = Callable[[Request], Response]


def _unchanging(content: bytes, media_type: str, policy: str = POLICY) -> Answer:
    tag = etag(hashlib.sha256(content).hexdigest()[:32])
    headers = {"ETag": tag, "Cache-Control": "public, no-cache", "Content-Security-Policy": policy}

    def answer(request: Request) -> Response:
        unchanged = not_modified(request, headers)
        if unchanged is not None:
            return unchanged
        return Response(content, media_type=media_type, headers=headers)

    return answer


def _serve_page(router: APIRouter, content: bytes) -> None:
    answer = _unchanging(content, "text/html")

    async def portal_view(
        request: Request,
        contract: Annotated[str | None, Query(max_length=64)] = None,  # noqa: ARG001 - the page's script reads it
    ) -> Response:
        return answer(request)

    router.add_api_route("/", portal_view, methods=["GET"], response_class=Response)


def _serve(router: APIRouter, path: str, content: bytes, media_type: str, policy: str = POLICY) -> None:
    answer = _unchanging(content, media_type, policy)

    async def file_view(request: Request) -> Response:
        return answer(request)

    name = "portal_" + path.strip("/").replace("/", "_").replace(".", "_").replace("-", "_")
    router.add_api_route(path, file_view, methods=["GET"], name=name, operation_id=name, response_class=Response)
