"""Links from their making to their end."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from kit import clock
from kit.database.sessions import Context, Database, Session, context_of, set_context
from kit.field_codes import KitCode
from kit.identity.callers import Caller, check_scopes
from kit.ids import uuid7
from kit.links import queries
from kit.links.errors import LinkNotFound, LinkNotPossible, TooManyLinks
from kit.links.holders import is_held
from kit.links.resources import LinkResource, Shown, Viewing
from kit.links.rules import LONGEST_DAYS, ZONE, day_of, has_expired, may_expire_on
from kit.links.schemas import LinkCreate
from kit.links.tables import SharedLink
from kit.links.tokens import new_token, secret_of
from kit.resources.pages import Found, ListParams
from kit.resources.paging import paginate

# With it, and a grant for the whole trust, a caller sees and ends every link of the trust, not only its own.
MANAGE = "links:manage"
MOST_LINKS = 100
SUBJECT = "kit.links"

Resources = Mapping[str, LinkResource]


async def make_link(session: Session, caller: Caller, resources: Resources, body: LinkCreate) -> tuple[SharedLink, str]:
    """A new link and its token. Raises InsufficientScope, LinkNotPossible or TooManyLinks."""
    resource = resources[body.resource]
    check_scopes(caller, resource.scopes)
    now = clock.now()
    if not may_expire_on(body.expires_on, now):
        raise LinkNotPossible.because(
            ["expires_on"], KitCode.LINK_EXPIRES_ON_OUT_OF_RANGE, f"Choose today or a day within {LONGEST_DAYS} days."
        )
    if (wrong := await resource.check(session, caller, body.parameters)) is not None:
        field, code, detail = wrong
        raise LinkNotPossible.because(["parameters", field], code, detail)
    await queries.hold_maker(session, caller.tenant_id, caller.subject)
    if await queries.count_active(session, caller.tenant_id, caller.subject, day_of(now)) >= MOST_LINKS:
        raise TooManyLinks(f"You may have at most {MOST_LINKS} links at once.")
    token = new_token(caller.tenant_id)
    link = SharedLink(
        trust_id=caller.tenant_id,
        id=uuid7(),
        token_sha256=secret_of(token).sha256,
        resource=resource.name,
        parameters=body.parameters.model_dump(mode="json"),
        expires_on=body.expires_on,
        created_at=now,
        created_by=caller.subject,
        client_id=caller.client_id,
        roles=sorted(caller.roles),
        # What the resource needs, of what its maker has: nothing else is kept.
        scopes=sorted(caller.scopes & set(resource.scopes)),
        sees_academies=None if caller.academies is None else sorted(caller.academies),
        leads=sorted(caller.leads),
        projects=sorted(caller.projects),
    )
    session.add(link)
    await session.flush()
    return link, token


async def list_links(session: Session, caller: Caller, params: ListParams) -> Found[SharedLink]:
    """A page of the caller's links, or of all of the trust's, newest first. Raises InvalidCursor."""
    maker = _maker(caller)
    return await paginate(
        session, caller, queries.LISTING, queries.of_trust(caller.tenant_id, maker), params, maker=maker
    )


async def find_link(session: Session, caller: Caller, link_id: UUID) -> SharedLink:
    """One link. Raises LinkNotFound."""
    found = await queries.link(session, caller.tenant_id, _maker(caller), link_id)
    if found is None:
        raise LinkNotFound(f"There is no link {link_id} that you may see.")
    return found


async def end_link(session: Session, caller: Caller, link_id: UUID) -> None:
    """End a link: the next request to it finds nothing. Raises LinkNotFound."""
    found = await find_link(session, caller, link_id)
    if found.ended_at is None:
        found.ended_at, found.ended_by = clock.now(), caller.subject


def _maker(caller: Caller) -> str | None:
    """Whose links the caller sees; None for everybody's."""
    return None if caller.may(MANAGE) and caller.academies is None else caller.subject


async def show(database: Database, resources: Resources, token: str) -> tuple[LinkResource, Shown]:
    """What a link shows now. Raises LinkNotFound, the same for every link that shows nothing."""
    secret = secret_of(token)
    # Nobody's context: it sees links and nothing that belongs to an academy.
    async with database.session(Context(secret.trust_id, frozenset(), SUBJECT)) as session:
        link = await queries.link_of(session, secret)
        resource = None if link is None else resources.get(link.resource)
        if link is None or resource is None or not await _counts(session, link):
            raise LinkNotFound("There is no such link, or it has ended.")
        caller = _caller_of(link, resource)
        await set_context(session, context_of(caller))
        parameters = resource.parameters.model_validate(link.parameters)
        return resource, await resource.render(session, Viewing(caller, parameters, link.created_at))


async def _counts(session: Session, link: SharedLink) -> bool:
    now = clock.now()
    return link.ended_at is None and not has_expired(link.expires_on, now) and await is_held(session, link, day_of(now))


def _caller_of(link: SharedLink, resource: LinkResource) -> Caller:
    """Who a link stands for: its maker as they were, with no scope that the resource doesn't need."""
    return Caller(
        subject=link.created_by,
        client_id=link.client_id,
        trust_id=link.trust_id,
        scopes=frozenset(link.scopes) & set(resource.scopes),
        roles=frozenset(link.roles),
        academies=None if link.sees_academies is None else frozenset(link.sees_academies),
        leads=frozenset(link.leads),
        expires_at=_end_of(link),
        token_id=f"link:{link.id}",
        projects=frozenset(link.projects),
    )


def _end_of(link: SharedLink) -> datetime:
    return datetime.combine(link.expires_on + timedelta(days=1), time(), ZONE).astimezone(UTC)
