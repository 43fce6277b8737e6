"""Links over HTTP: made, listed and ended with a token; what they show is open to whoever has the URL."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response, status

from kit import clock
from kit.identity.callers import Caller
from kit.identity.reach import ActsOn
from kit.links import service
from kit.links.errors import LinkNotFound, LinkNotPossible, TooManyLinks
from kit.links.resources import LinkResource
from kit.links.schemas import LinkCreate, LinkPage, LinkWithUrlOut, SharedLinkOut, create_models
from kit.problems import InsufficientScope, InvalidCursor, Problem, responses
from kit.resources.pages import ListParams
from kit.web.files import ANY_BYTES
from kit.web.replies import Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep, database_of_request
from kit.web.tags import not_modified, tagged
from kit.web.tools import tools_of

WRITE = "links:write"
Maker = Annotated[Caller, requires(WRITE, acts_on=ActsOn.OWN)]

# Nobody learns the URL from where its reader goes next, and no search engine keeps it.
HEADERS = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex", "Cache-Control": "private, no-cache"}


class LinkListParams(ListParams):
    """Which links."""


def links_router(resources: Sequence[LinkResource]) -> APIRouter:
    """The routes of a service that has something to link to."""
    router = APIRouter(tags=["links"])
    by_name = {resource.name: resource for resource in resources}

    async def link_create(
        request: Request, response: Response, session: SessionDep, caller: Maker, body: LinkCreate
    ) -> LinkWithUrlOut:
        """Creates a URL that anyone who has it can open, without an account. It shows what you may see, and no more.

        The URL is in this response and is never shown again. It ends after `expires_on`, when you or an administrator
        of the trust end it, and when your own access ends.
        """
        link, token = await service.make_link(session, caller, by_name, body)
        prefix = request.url.path.rpartition("/")[0]
        response.headers["Location"] = f"{request.url.path}/{link.id}"
        response.headers["Cache-Control"] = "no-store"
        url = f"{tools_of(request).settings.public_url}{prefix}/shared/{token}"
        return LinkWithUrlOut.model_validate({**SharedLinkOut.fields_of(link, clock.now()), "url": url})

    # One model per resource, so that the contract shows the parameters of each.
    link_create.__annotations__["body"] = create_models(resources)
    router.post(
        "/links",
        operation_id="link_create",
        summary="Make a link",
        status_code=status.HTTP_201_CREATED,
        response_model=LinkWithUrlOut,
        responses={
            201: {"headers": {"Location": {"description": "Where it is.", "schema": {"type": "string"}}}},
            **responses(LinkNotPossible, TooManyLinks, InsufficientScope),
        },
    )(link_create)

    @router.get("/links", operation_id="link_list", summary="List links", responses=responses(InvalidCursor))
    async def link_list(
        reply: Reply, session: SessionDep, caller: Maker, params: Annotated[LinkListParams, Query()]
    ) -> LinkPage:
        """Returns the links that you made, newest first. With `links:manage`: the links of everyone in your trust."""
        found = await service.list_links(session, caller, params)
        now = clock.now()
        return reply.page(LinkPage.of(found, lambda link: SharedLinkOut.of(link, now)))

    @router.get("/links/{link_id}", operation_id="link_view", summary="View a link", responses=responses(LinkNotFound))
    async def link_view(session: SessionDep, caller: Maker, link_id: UUID) -> SharedLinkOut:
        """Returns a link without its URL."""
        return SharedLinkOut.of(await service.find_link(session, caller, link_id), clock.now())

    @router.delete(
        "/links/{link_id}",
        operation_id="link_end",
        summary="End a link",
        status_code=status.HTTP_204_NO_CONTENT,
        response_class=Response,
        responses=responses(LinkNotFound),
    )
    async def link_end(session: SessionDep, caller: Maker, link_id: UUID) -> None:
        """Ends a link at once. Ending it again has no effect."""
        await service.end_link(session, caller, link_id)

    @router.get(
        "/shared/{token}",
        operation_id="shared_view",
        summary="Open a link",
        # Generators reject a contract that leaves open whether an operation needs a token.
        openapi_extra={"security": []},
        response_class=Response,
        responses={
            200: {
                **tagged()[200],
                "description": f"What the link shows now, as its own type; `{ANY_BYTES}` is for generators.",
                "content": {
                    ANY_BYTES: {"schema": {"type": "string", "format": "binary"}},
                    **{resource.media_type: {"schema": {"type": "string"}} for resource in resources},
                },
            },
            **responses(LinkNotFound),
        },
    )
    async def shared_view(
        request: Request, token: Annotated[str, Path(max_length=200, description="The secret of the link.")]
    ) -> Response:
        """Returns what the link shows now. No token is needed: the URL is the key."""
        try:
            # Another spelling of the same token would be counted as another link.
            plain = "" if b"%" in request.scope.get("raw_path", b"") else token
            resource, shown = await service.show(database_of_request(request), by_name, plain)
        except Problem as problem:
            problem.headers = {**HEADERS, "Cache-Control": "no-store", **problem.headers}
            raise
        headers = {**HEADERS, "ETag": shown.tag}
        if (unchanged := not_modified(request, headers)) is not None:
            return unchanged
        return Response(shown.body, headers=headers, media_type=resource.media_type)

    return router
