"""The page, its assets and the contracts: public, fixed paths, revalidated by tag."""

import hashlib
from importlib import resources
from pathlib import Path

from fastapi import APIRouter, Request, Response

from gateway.portal.contracts import documents, folder
from kit.etags import etag, not_modified

# Only what the page itself serves; the viewer sets styles on elements and draws icons from data.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_OWN = {"portal.css": "text/css", "portal.js": "text/javascript", "icon.svg": "image/svg+xml"}
_VIEWER = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}


def portal_router(source: Path | None = None) -> APIRouter:
    """The routes of the portal; `source` is the folder of contracts, the working copy's unless given."""
    router = APIRouter(include_in_schema=False)
    own = resources.files("gateway.portal") / "static"
    viewer = resources.files("fastapi_offline") / "static"
    _serve(router, "/", own.joinpath("index.html").read_bytes(), "text/html; charset=utf-8")
    for name, media_type in _OWN.items():
        _serve(router, f"/portal/{name}", own.joinpath(name).read_bytes(), media_type)
    for name, media_type in _VIEWER.items():
        _serve(router, f"/portal/{name}", viewer.joinpath(name).read_bytes(), media_type)
    for service, content in documents(source or folder()).items():
        _serve(router, f"/openapi/{service}.v1.json", content, "application/json")
    return router


def _serve(router: APIRouter, path: str, content: bytes, media_type: str) -> None:
    tag = etag(hashlib.sha256(content).hexdigest()[:32])
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Content-Security-Policy": POLICY}

    async def answer(request: Request) -> Response:
        unchanged = not_modified(request, tag)
        if unchanged is not None:
            return unchanged
        return Response(content, media_type=media_type, headers=headers)

    name = "portal_" + path.strip("/").replace("/", "_").replace(".", "_").replace("-", "_")
    router.add_api_route(path, answer, methods=["GET"], name=name, operation_id=name, response_class=Response)
