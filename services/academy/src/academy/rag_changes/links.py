"""What can be linked to: the feed of changes."""

import hashlib
from typing import Annotated
from uuid import uuid5

from pydantic import BaseModel, ConfigDict, Field

from academy.academies.errors import AcademyNotFound
from academy.academies.service import check_own
from academy.codes import Code
from academy.rag_changes import queries
from academy.rag_changes.rules import content_of, title_of
from kit.database.sessions import Session
from kit.etags import etag
from kit.field_codes import FieldCode
from kit.identity.callers import Caller
from kit.links.atom import MEDIA_TYPE, Entry, atom_feed
from kit.links.resources import LinkResource, Shown, Viewing
from sector.parameters import Urn


class RagChangesParameters(BaseModel):
    """Which changes a feed shows."""

    model_config = ConfigDict(extra="forbid")

    urn: Urn | None = Field(
        default=None, description="One academy. Default: every academy that the maker of the link sees."
    )
    limit: Annotated[int, Field(ge=1, le=200, description="The most entries, newest first.")] = 50


async def _check(
    session: Session, caller: Caller, parameters: RagChangesParameters
) -> tuple[str, FieldCode, str] | None:
    """A mistyped URN would be an empty feed for as long as the link lives."""
    if parameters.urn is None:
        return None
    try:
        await check_own(session, caller, parameters.urn)
    except AcademyNotFound as problem:
        return "urn", Code.ACADEMY_NOT_FOUND, problem.detail or ""
    return None


async def _render(session: Session, viewing: Viewing) -> Shown:
    parameters: RagChangesParameters = viewing.parameters
    caller = viewing.caller
    found = await queries.changes(session, caller, urn=parameters.urn, limit=parameters.limit)
    trust = await queries.trust_name(session, caller) or "Trellis"
    entries = [Entry(one.id, title_of(one), content_of(one), one.at, one.kind) for one in found]
    body = atom_feed(
        # The same for every link to the same changes, so that a new link doubles nothing in a reader.
        uuid5(caller.tenant_id, f"rag-changes/{parameters.urn or 'all'}"),
        title=f"{trust}: changes of RAG statuses",
        author=trust,
        made_at=viewing.made_at,
        entries=entries,
    )
    return Shown(body, etag(hashlib.sha256(body).hexdigest()[:32]))


RAG_CHANGES = LinkResource(
    name="rag-changes",
    summary="An Atom feed of changes of RAG statuses",
    scopes=("ratings:read", "academies:read"),
    media_type=MEDIA_TYPE,
    parameters=RagChangesParameters,
    render=_render,
    check=_check,
)
