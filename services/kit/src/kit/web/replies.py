"""What an answer carries beside its body: entity tag and 304, where a new thing is, where the next page is.

@router.get("/visits/{visit_id}", ..., responses=TAGGED | responses(VisitNotFound))
async def visit_view(reply: Reply, caller: Reader, session: SessionDep, visit_id: UUID) -> VisitOut:
    return reply.tagged(await service.view_visit(session, caller, visit_id))
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

import orjson
from fastapi import Depends, Request, Response

from kit.database.sessions import Session, after_commit, context_of_session
from kit.etags import etag
from kit.resources.models import Tagged
from kit.resources.pages import Page
from kit.web.links import page_links
from kit.web.tags import not_modified, tagged
from kit.web.tools import tools_of

Declared = dict[int | str, dict[str, Any]]

TAGGED: Final[Declared] = tagged()
"""Declares in `responses=` that an answer has an `ETag`."""

CREATED: Final[Declared] = {
    201: {
        "headers": {
            **tagged(201)[201]["headers"],
            "Location": {"description": "Where it is.", "schema": {"type": "string"}},
        }
    }
}
"""Declares a 201 with its `ETag` and `Location`."""


class NotModified(Exception):
    """The reader has the current version: a 304 takes the place of the answer."""

    def __init__(self, response: Response) -> None:
        super().__init__("not modified")
        self.response = response


TaggedOut = TypeVar("TaggedOut", bound=Tagged)
AnyPage = TypeVar("AnyPage", bound=Page[Any])


class Replying:
    """The answer to one request."""

    def __init__(self, request: Request, response: Response) -> None:
        self._request = request
        self._response = response

    def tagged(self, out: TaggedOut) -> TaggedOut:
        """The thing with its `ETag`; a reader that has this version gets a 304 without it."""
        self._give({"ETag": out.tag})
        if (unchanged := not_modified(self._request, self._response.headers)) is not None:
            raise NotModified(unchanged)
        return out

    def created(self, out: TaggedOut, path: str) -> TaggedOut:
        """A new thing with its `ETag`, and where it is: `path` below `/{service}/v1/`."""
        prefix = "/".join(self._request.url.path.split("/")[:3])
        self._give({"ETag": out.tag, "Location": f"{prefix}/{path}"})
        return out

    def page(self, page: AnyPage) -> AnyPage:
        """A page of a list, with the address of the next one in `Link`."""
        page_links(self._response, self._request, page.next)
        return page

    def catalogue(self, page: AnyPage) -> AnyPage:
        """A page of a list that only a new release changes, with an `ETag` of what it says; a 304 where that is known.

        Of the cursor it counts only whether there is one.
        """
        said = orjson.dumps([item.model_dump(mode="json") for item in page.items])
        tag = hashlib.sha256(said + (b"" if page.next is None else b"more")).hexdigest()[:32]
        self._give({"ETag": etag(tag)})
        page_links(self._response, self._request, page.next)
        if (unchanged := not_modified(self._request, self._response.headers)) is not None:
            raise NotModified(unchanged)
        return page

    def forget_prepared(self, session: Session) -> None:
        """Once this is committed, make the prepared answers of the trust anew: here at once, elsewhere in a second."""
        prepared, trust_id = tools_of(self._request).prepared, context_of_session(session).tenant_id
        after_commit(session, lambda: prepared.forget(trust_id))

    def _give(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            self._response.headers[name] = value


# Never a plain function or the class itself: FastAPI would call it in a thread, which costs more than all the rest.
async def _reply(request: Request, response: Response) -> Replying:
    return Replying(request, response)


Reply = Annotated[Replying, Depends(_reply)]
